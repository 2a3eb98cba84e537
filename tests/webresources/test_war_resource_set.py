"""A war as a set of resources."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

from catalina.digester.class_names import find_class
from catalina.webresources.war_resource_set import WarResourceSet


def test_its_entries_are_resources(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "a.war", "w") as war:
        war.writestr("x/y.txt", "y")
    resources = WarResourceSet(base=str(tmp_path / "a.war"), web_app_mount="/war")
    resources.start()
    found = resources.get("/war/x/y.txt")
    assert found is not None
    assert found.read() == b"y"


def test_it_is_found_by_its_class_name() -> None:
    assert find_class("org.apache.catalina.webresources.WarResourceSet") is WarResourceSet
