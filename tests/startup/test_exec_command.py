"""``catalina exec``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalina.startup.exec_command import command_environment, main
from tests.cluster.node import PROJECT
from tests.startup.hosts import Base, running

SHOW = "import json, os, helper; print(json.dumps([helper.word, os.environ['SHOP_SETTINGS'], os.getcwd()]))"


def test_a_command_sees_what_the_application_sees(tmp_path: Path) -> None:
    base = Base(tmp_path / "base", auto_deploy=False)
    shop = base.webapps / "shop"
    shop.mkdir(parents=True)
    (shop / "helper.py").write_text("word = 'helped'\n")
    (shop / "wsgi.py").write_text(
        "import os\nos.environ.setdefault('SHOP_SETTINGS', 'shop.settings')\ndef application(e, s): ...\n"
    )
    with running(base):
        from catalina.startup.control_socket import ControlSocket

        control = ControlSocket()
        control.open(base.server)
        try:
            command = [sys.executable, "-P", "-m", "catalina", "exec", "/shop", "--"]
            environment = {**os.environ, "PYTHONPATH": str(PROJECT), "CATALINA_BASE": str(base.directory)}
            done = subprocess.run(
                [*command, "python", "-c", SHOW], capture_output=True, text=True, env=environment, timeout=60
            )
            assert done.stderr == ""
            assert done.stdout == f'["helped", "shop.settings", "{shop}"]\n'
            missing = subprocess.run([*command, "no-such-command"], capture_output=True, env=environment, timeout=60)
            assert (missing.returncode, missing.stderr) == (
                127,
                b"catalina exec: no-such-command: No such file or directory\n",
            )
        finally:
            control.close()


@pytest.mark.parametrize("words", [[], ["/shop"], ["/shop", "--"], ["/shop", "python", "x"]])
def test_a_wrong_command_shows_the_usage(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words, tmp_path) == 2
    assert "exec PATH -- COMMAND" in capsys.readouterr().err


def test_without_a_node_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "temp").mkdir()
    assert main(["/shop", "--", "true"], tmp_path) == 1
    assert "no node answers on" in capsys.readouterr().err


def test_the_applications_imports_come_first_and_python_is_the_servers() -> None:
    found = {"variables": {"PYTHONPATH": "/lib", "PATH": "/bin"}, "imports": ["/app"], "python": "/venv/bin/python"}
    assert command_environment(found) == {"PYTHONPATH": "/app:/lib", "PATH": "/venv/bin:/bin"}
