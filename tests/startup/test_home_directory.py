from __future__ import annotations

from pathlib import Path

import pytest

from catalina.startup import home_directory as module
from catalina.startup.home_directory import home_directory

ROOT = Path(__file__).parents[2]


def test_the_home_of_a_source_tree_is_its_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CATALINA_HOME", raising=False)
    assert home_directory() == ROOT


def test_a_wheel_brings_its_home_beside_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CATALINA_HOME", raising=False)
    monkeypatch.setattr(module, "SOURCE_TREE", tmp_path)
    scripts = tmp_path / module.INSTALLED_HOME / "bin"
    scripts.mkdir(parents=True)
    (scripts / "catalina.sh").touch()
    assert home_directory() == tmp_path / module.INSTALLED_HOME


def test_the_environment_names_another_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CATALINA_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="set CATALINA_HOME"):
        home_directory()
