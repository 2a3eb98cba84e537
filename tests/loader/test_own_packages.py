"""Applications that bring packages of their own."""

from pathlib import Path

import pytest

from catalina.loader import own_packages
from catalina.loader.own_packages import brings_packages


def test_a_few_modules_are_no_packages(tmp_path: Path) -> None:
    (tmp_path / "WEB-INF" / "classes").mkdir(parents=True)
    (tmp_path / "WEB-INF" / "classes" / "shop.py").touch()
    assert not brings_packages(tmp_path)
    assert not brings_packages(tmp_path / "none")


@pytest.mark.parametrize(
    "file", ["requirements.txt", ".venv/pyvenv.cfg", "WEB-INF/lib/flask.whl", "WEB-INF/classes/fast/_c.abi3.so"]
)
def test_what_needs_packages_or_has_them(tmp_path: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    assert brings_packages(tmp_path)


def test_the_search_for_compiled_modules_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_packages, "MOST_ENTRIES", 3)
    directory = tmp_path
    for _ in range(5):
        directory = directory / "deeper"
        directory.mkdir()
    (directory / "_c.abi3.so").touch()
    assert not brings_packages(tmp_path)
