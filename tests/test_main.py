from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from catalina import __main__ as command_line
from catalina.__main__ import main

ROOT = Path(__file__).parents[1]


class Executed(Exception):
    """Stands for the process that would take our place."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        super().__init__(words)
        self.words = words
        self.environment = environment


@pytest.fixture(autouse=True)
def no_exec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def replace(words: Sequence[str], environment: Mapping[str, str]) -> None:
        raise Executed(words, environment)

    monkeypatch.setattr(command_line, "_replace_process", replace)
    for name in ("CATALINA_HOME", "CATALINA_BASE", "CATALINA_PYTHON"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> Executed:
    with pytest.raises(Executed) as caught:
        main(words)
    return caught.value


def test_the_verbs_are_those_of_the_script() -> None:
    executed = run("stop", "10", "-force")
    assert executed.words == ["sh", str(ROOT / "bin" / "catalina.sh"), "stop", "10", "-force"]
    assert executed.environment["CATALINA_HOME"] == str(ROOT)
    assert Path(executed.environment["CATALINA_PYTHON"]).exists()


def test_version_may_be_asked_as_an_option() -> None:
    assert run("--version").words[-1] == "version"


def test_create_makes_a_base() -> None:
    assert run("create", "there").words == ["sh", str(ROOT / "bin" / "makebase.sh"), "there"]


def test_a_directory_with_a_server_xml_is_the_base(tmp_path: Path) -> None:
    assert run("run").environment["CATALINA_BASE"] == str(ROOT)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "server.xml").touch()
    assert run("run").environment["CATALINA_BASE"] == str(tmp_path)


def test_the_environment_names_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALINA_BASE", "/srv/shop")
    assert run("run").environment["CATALINA_BASE"] == "/srv/shop"


def test_what_pip_installed_is_not_a_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "catalina_home"
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "catalina.sh").touch()
    monkeypatch.setenv("CATALINA_HOME", str(home))
    assert main(["run"]) == 1
    assert "make a base with: catalina create DIR" in capsys.readouterr().err
    assert run("version").environment["CATALINA_BASE"] == str(home)


def test_an_installation_without_scripts_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CATALINA_HOME", str(tmp_path))
    assert main(["run"]) == 1
    assert f"no bin/catalina.sh in {tmp_path}; set CATALINA_HOME" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["."], ["--reload", "shop:app"], ["--help"]])
def test_run_with_something_to_run_is_the_developers(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setattr("catalina.development.run_command.main", lambda given: given == words and 7)
    assert main(["run", *words]) == 7


@pytest.mark.parametrize("words", [[], ["-config", "conf/other.xml"], ["-Dname=value"], ["-h"]])
def test_run_with_the_servers_own_options_is_the_scripts(words: list[str]) -> None:
    assert run("run", *words).words[-1 - len(words) :] == ["run", *words]


@pytest.mark.parametrize(("words", "code"), [([], 1), (["dance"], 1), (["--help"], 0)])
def test_anything_else_shows_the_usage(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == code
    assert "Usage: catalina COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["deploy", "undeploy", "list", "reload"])
def test_the_verbs_of_a_running_node_go_to_it(monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    asked: list[object] = []
    monkeypatch.setattr("catalina.startup.control_client.main", lambda *arguments: asked.append(arguments) or 7)
    monkeypatch.setenv("CATALINA_BASE", "/srv/shop")
    assert main([verb, "x"]) == 7
    assert asked == [(verb, ["x"], Path("/srv/shop"))]


def test_a_manager_application_is_asked_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("catalina.startup.control_client.main", lambda *arguments: asked.append(arguments) or 7)
    monkeypatch.setattr("catalina.__main__._base_directory", lambda home: None)
    monkeypatch.chdir(tmp_path)
    words = ["--url", "https://shop.example/manager"]
    assert main(["list", *words]) == 7
    assert asked == [("list", words, tmp_path)]


def test_the_reference_of_a_class_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reference", "org.apache.catalina.core.StandardServer"]) == 0
    assert capsys.readouterr().out.startswith("## org.apache.catalina.core.StandardServer\n")


def test_the_doctor_of_the_cluster_is_the_doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def ask(verb: str, words: list[str], base: Path) -> int:
        asked.append((verb, words))
        return 2

    monkeypatch.setattr("catalina.startup.control_client.main", ask)
    assert main(["cluster", "doctor", "--json"]) == 2
    assert main(["doctor"]) == 2
    assert asked == [("doctor", ["--json"]), ("doctor", [])]
    assert main(["cluster", "surgeon"]) == 1
    assert "doctor [--json]" in capsys.readouterr().out
