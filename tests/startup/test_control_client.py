"""The client side: what is shown, and the exit code."""

from __future__ import annotations

import json

import pytest

from catalina.startup.control_client import main
from catalina.startup.control_socket import ControlSocket
from tests.deploy.archives import hello, make_wheel
from tests.startup.hosts import Base, running


@pytest.fixture
def base(tmp_path):
    base = Base(tmp_path / "base", auto_deploy=False)
    base.server.add_lifecycle_listener(ControlSocket())
    with running(base) as base:
        yield base


def test_deploy_list_reload_and_undeploy(base, tmp_path, capsys):
    file = make_wheel(tmp_path / "w", "shop", "1", {"shop.py": hello("one")})
    assert main("deploy", [str(file)], base.directory) == 0
    assert base.ask("/shop##1") == "one"
    assert main("list", [], base.directory) == 0
    assert main("reload", ["/shop##1"], base.directory) == 0
    assert main("undeploy", ["/shop##1"], base.directory) == 0
    assert capsys.readouterr().out.splitlines() == [
        "deployed [/shop##1]", "PATH      STATE    SESSIONS  DIRECTORY", "/shop##1  running  0         shop##1",
        "reloaded [/shop##1]", "undeployed [/shop##1]",
    ]  # fmt: skip


def test_a_directory_is_deployed_as_an_archive_of_its_name(base, tmp_path, capsys):
    project = tmp_path / "cart"
    (project / ".git").mkdir(parents=True)
    (project / ".git" / "config").write_text("secret")
    (project / "wsgi.py").write_text(hello("one"))
    assert main("deploy", [str(project)], base.directory) == 0
    assert capsys.readouterr().out == "deployed [/cart]\n"
    assert base.ask("/cart") == "one"
    assert not list(base.directory.rglob("config"))


def test_a_link_out_of_the_directory_is_refused(base, tmp_path, capsys):
    project = tmp_path / "cart"
    project.mkdir()
    (project / "passwords").symlink_to("/etc/passwd")
    assert main("deploy", [str(project)], base.directory) == 1
    assert capsys.readouterr().err == (
        f"catalina: {project}: the link {project}/passwords leads out of the directory\n"
    )


def test_the_node_as_a_whole_and_its_exit_codes(base, tmp_path, capsys):
    assert main("status", [], base.directory) == 0
    assert main("status", ["--json"], base.directory) == 0
    lines = capsys.readouterr().out
    assert json.loads(lines[lines.index("{") :])["state"] == "STARTED"
    assert main("drain", ["--wait", "5"], base.directory) == 0
    assert main("undrain", [], base.directory) == 0
    assert main("top", ["-n", "1"], base.directory) == 0
    file = make_wheel(tmp_path / "w", "shop", "1", {"shop.py": hello("one")})
    assert main("deploy", [str(file)], base.directory) == 0
    base.context("/shop##1").manager.create_session(None)
    assert main("drain", [], base.directory) == 1
    assert "1 sessions are nowhere else: a stop ends them" in capsys.readouterr().out
    assert main("sessions", ["/shop##1"], base.directory) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_what_cannot_be_done_is_one_line_and_exit_code_1(base, capsys):
    assert main("undeploy", ["/none"], base.directory) == 1
    error = capsys.readouterr().err
    assert error.startswith("catalina: ")
    assert error.count("\n") == 1


def test_a_file_that_is_not_there_is_named(base, capsys):
    assert main("deploy", ["/none.whl"], base.directory) == 1
    assert capsys.readouterr().err == "catalina: /none.whl: No such file or directory\n"


def test_without_a_node_it_says_where_it_looked(tmp_path, capsys):
    (tmp_path / "temp").mkdir()
    assert main("list", [], tmp_path) == 1
    assert f"no node answers on {tmp_path}/temp/catalina.sock" in capsys.readouterr().err
    assert main("list", [], tmp_path / "none") == 1
    assert main("top", [], tmp_path) == 1


def test_a_node_that_does_not_run_is_an_error_of_the_doctor(tmp_path, capsys):
    assert main("doctor", [], tmp_path) == 2
    assert capsys.readouterr().out.startswith(f"ERROR    node: no node answers on {tmp_path}/temp/catalina.sock")
    assert main("doctor", ["--json"], tmp_path) == 2
    assert json.loads(capsys.readouterr().out)["verdict"] == "error"
