"""Installations by content: made once, given to applications, removed when nobody uses them."""

from __future__ import annotations

import os
import sys
import time
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from catalina.deploy import environments as module
from catalina.deploy.declared_requirements import DeclaredRequirements, declared_requirements
from catalina.deploy.dependencies import InstallRules
from catalina.deploy.environments import KEPT_SECONDS, Environments, missing_requirements, prepared_place
from catalina.errors import DeploymentError
from tests.support.narrowing import there


class Fixture:
    """A host's work directory, and a pip that makes a package of the first requirement."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self.work = directory / "work"
        self.made: list[str] = []
        self.suffix = ".py"
        monkeypatch.setattr(module, "install_dependencies", self._install)

    def _install(self, owner: str, declared: DeclaredRequirements, rules: InstallRules, target: str) -> None:
        self.made.append(owner)
        name = declared.requirements[0].name
        info = Path(target, f"{name}-1.dist-info")
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        Path(target, f"{name}{self.suffix}").touch()

    def environments(self, allowed: bool = True) -> Environments:
        return Environments(str(self.work), InstallRules(allowed))

    def declared(self, text: str) -> DeclaredRequirements:
        root = self.directory / "shop"
        root.mkdir(exist_ok=True)
        (root / "requirements.txt").write_text(text)
        return there(declared_requirements(str(root)))


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fixture:
    return Fixture(tmp_path, monkeypatch)


def test_equal_requirements_are_installed_once(host: Fixture) -> None:
    declared = host.declared("tilly")
    first = there(host.environments().install("/a", declared, []))
    assert host.environments().install("/b", declared, []) == first
    assert host.made == ["/a"]
    place = host.environments().give(first, str(host.work / "a"))
    assert prepared_place(str(host.work / "a"), declared, InstallRules()) == place
    assert prepared_place(str(host.work / "b"), declared, InstallRules()) is None
    assert os.listdir(place) == os.listdir(first)


def test_what_is_here_already_is_not_installed(host: Fixture) -> None:
    assert host.environments().install("/a", host.declared("packaging"), []) is None
    assert host.made == []


def test_an_installation_that_lacks_something_is_refused(host: Fixture) -> None:
    with pytest.raises(DeploymentError, match="requires what is not here: tilly>=2, found 1"):
        host.environments().install("/a", host.declared("tilly>=2"), [])


def test_packages_with_compiled_modules_are_each_applications_own(host: Fixture) -> None:
    pure = there(host.environments().install("/a", host.declared("tilly"), []))
    host.suffix = EXTENSION_SUFFIXES[0]
    compiled = there(host.environments().install("/a", host.declared("tillyc"), []))
    places = [Path(host.environments().give(kept, str(host.work / "a"))) for kept in (pure, compiled)]
    assert [place.is_symlink() for place in places] == [True, False]
    name = f"tillyc{host.suffix}"
    assert not os.path.samefile(places[1] / name, Path(compiled, name))


def test_a_file_may_list_more_than_runs_when_the_operator_installs_himself(
    host: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    assert host.environments(allowed=False).install("/a", host.declared("tilly"), []) is None
    assert 'requires what is not here: tilly. installDependencies="false" keeps pip from' in caplog.text
    (host.directory / "shop/META-INF").mkdir()
    (host.directory / "shop/requirements.txt").rename(host.directory / "shop/META-INF/requirements.txt")
    of_wheel = there(declared_requirements(str(host.directory / "shop")))
    with pytest.raises(DeploymentError, match="requires what is not here: tilly"):
        host.environments(allowed=False).install("/a", of_wheel, [])
    assert host.made == []


def test_half_an_installation_of_a_killed_process_is_removed(host: Fixture) -> None:
    left = host.work / ".environments/.installing-abc"
    left.mkdir(parents=True)
    host.environments().install("/a", host.declared("tilly"), [])
    assert not left.exists()


def test_places_go_with_their_application_and_installations_after_a_week(host: Fixture) -> None:
    kept = [there(host.environments().install("/a", host.declared(text), [])) for text in ("tilly", "tom")]
    places = [host.environments().give(each, str(host.work / name)) for each in kept for name in ("a", "b")]
    host.environments().sweep([places[0]], ["a"])
    assert [os.path.isdir(place) for place in places] == [True, False, True, False]
    host.environments().sweep([places[0]], [])
    assert [os.path.isdir(place) for place in places] == [True, False, False, False]
    assert [os.path.isdir(each) for each in kept] == [True, True]
    old = time.time() - KEPT_SECONDS - 60
    for each in kept:
        os.utime(each, (old, old))
    host.environments().sweep([places[0]], [])
    assert [os.path.isdir(each) for each in kept] == [True, False]


def installed(directory: Path, name: str, version: str, *requires: str) -> str:
    info = directory / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = "".join(f"Requires-Dist: {each}\n" for each in requires)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}")
    return str(directory)


def missing(requires: list[str], own: list[str], environment: list[str]) -> list[str]:
    return [each.text for each in missing_requirements(map(Requirement, requires), own, environment)]


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("here>=1", []),
        ("Here", []),
        ("here>=2", ["here>=2, found 1.5"]),
        ("absent", ["absent"]),
        ("absent>1,<2", ["absent<2,>1"]),
        ("absent; python_version < '3'", []),
        ("absent; extra == 'more'", []),
        ("here==1.*", []),
    ],
)
def test_direct_requirements(tmp_path, requirement, expected):
    assert missing([requirement], [], [installed(tmp_path, "here", "1.5")]) == expected


def test_what_the_archive_brings_comes_first(tmp_path):
    own, environment = installed(tmp_path / "own", "lib", "2"), installed(tmp_path / "env", "lib", "1")
    assert missing(["lib>=2"], [own], [environment]) == []
    assert missing(["lib>=2"], [], [environment]) == ["lib>=2, found 1"]


def test_what_the_archive_brings_needs_its_own_requirements(tmp_path):
    own = installed(tmp_path / "own", "lib", "2", "deep>=3", "never; extra == 'x'")
    assert missing(["lib"], [own], []) == ["deep>=3 (required by lib 2)"]
    assert missing(["lib[x]"], [own], []) == ["deep>=3 (required by lib 2)", "never (required by lib 2)"]


def test_the_environment_is_not_checked_beyond_the_direct_requirement(tmp_path):
    assert missing(["lib"], [], [installed(tmp_path, "lib", "2", "deep>=3")]) == []


def test_the_requirement_of_the_archive_that_it_follows_from_is_told(tmp_path):
    own = installed(tmp_path / "own", "lib", "2", "deep")
    (found,) = missing_requirements([Requirement("lib>1")], [own], [])
    assert str(found.root) == "lib>1"


def test_requirements_in_a_circle_end(tmp_path):
    own = installed(tmp_path / "own", "a", "1", "b")
    installed(tmp_path / "own", "b", "1", "a", "missing")
    assert missing(["a"], [own], []) == ["missing (required by b 1)"]


def test_the_servers_own_packages_for_another_python_are_installed_once_with_a_link_to_this_software(
    host: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[DeclaredRequirements] = []
    builds: list[bool] = []

    def install(owner: str, declared: DeclaredRequirements, rules: InstallRules, target: str) -> None:
        asked.append(declared)
        builds.append(rules.builds)
        Path(target).mkdir(parents=True)

    monkeypatch.setattr(module, "install_dependencies", install)
    kept = host.environments().install_server("/shop", "3.99", sys.executable)
    assert host.environments().install_server("/other", "3.99", sys.executable) == kept
    assert [(declared.python, declared.program) for declared in asked] == [("3.99", sys.executable)]
    assert builds == [True], "as when this software itself is installed"
    assert any(line.startswith("gunicorn==") for line in asked[0].lines), "in the version that the server has"
    assert "lxml>=5" in asked[0].lines, "a compiled package may have another one"
    assert (Path(kept, "catalina").is_symlink(), Path(kept, "catalina/reactor.py").exists()) == (True, True)
    Path(kept, "catalina").unlink()
    Path(kept, "catalina").symlink_to("/an/earlier/place")
    host.environments().install_server("/shop", "3.99", sys.executable)
    assert Path(kept, "catalina/reactor.py").exists()
    assert host.environments().install_server("/shop", "3.98", sys.executable) != kept
    with pytest.raises(
        DeploymentError, match=r"\[/shop\]: the server for Python 3.97 needs .*gunicorn==.*keeps pip from"
    ):
        host.environments(allowed=False).install_server("/shop", "3.97", sys.executable)


def test_without_an_index_the_reason_has_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    with pytest.raises(DeploymentError) as refused:
        Environments(str(tmp_path / "work"), InstallRules()).install_server("/shop", "3.99", sys.executable)
    why = str(refused.value)
    assert "[/shop]: pip cannot install the requirements of the server for Python 3.99: No matching" in why
    assert "give pip an index or a directory with the wheels (PIP_FIND_LINKS), or make the virtual environment" in why
    assert "\n" not in why
