"""A wheel's requirements, compared with the installed distributions."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from catalina.deploy.requirements import missing_requirements


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
