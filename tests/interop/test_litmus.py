"""The WebDAV suite litmus against wsgidav, served by a real node: every method, body and condition of it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.startup.node_process import NodeProcess
from tests.support.needs import need_command, need_module

pytestmark = [pytest.mark.interop, pytest.mark.cluster]

APPLICATION = """
from wsgidav.wsgidav_app import WsgiDAVApp

application = WsgiDAVApp({{
    "mount_path": "/app",
    "provider_mapping": {{"/": {directory!r}}},
    "simple_dc": {{"user_mapping": {{"*": True}}}},
    "lock_storage": True,
    "property_manager": True,
    "verbose": 1,
    "logging": {{"enable": False}},
}})
"""

SUITES = ("basic", "copymove", "props", "locks", "http")


@pytest.mark.parametrize("suite", SUITES)
def test_every_test_of_the_suite_passes(tmp_path: Path, suite: str) -> None:
    litmus = need_command("litmus", "litmus")
    need_module("wsgidav")
    shared = tmp_path / "shared"
    shared.mkdir()
    with NodeProcess(tmp_path / "node", application=APPLICATION.format(directory=str(shared))) as node:
        node.wait_until_started()
        done = subprocess.run(
            [litmus, "-k", f"http://127.0.0.1:{node.port}/app/"],
            capture_output=True, text=True, timeout=120, cwd=tmp_path, env={"TESTS": suite, "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        summary = re.search(r"of (\d+) tests run: (\d+) passed, (\d+) failed", done.stdout)
        assert summary is not None, done.stdout
        assert summary[3] == "0", done.stdout + node.text
        assert int(summary[1]) > 3
