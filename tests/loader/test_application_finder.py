"""An application's own top-level modules, for it alone."""

from __future__ import annotations

import importlib.metadata

import pytest

from catalina.loader.application_finder import ApplicationFinder
from catalina.loader.asker import Asker
from catalina.loader.import_space import ImportSpace


@pytest.fixture
def finder():
    return ApplicationFinder(Asker())


def space_with(tmp_path, *files, delegate=False):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Metadata-Version: 2.1\nName: tilly\nVersion: 7\n" if "METADATA" in name else "")
    return ImportSpace("/a", [str(tmp_path)], delegate=delegate)


def test_a_module_is_found_for_its_application_and_nobody_else(finder, tmp_path):
    space = space_with(tmp_path, "tilly.py")
    assert finder.find_spec("tilly", None) is None
    with finder._asker.bound_to(space):
        assert finder.find_spec("tilly", None).origin == str(tmp_path / "tilly.py")
        assert finder.find_spec("other", None) is None


def test_submodules_are_left_to_the_packages_path(finder, tmp_path):
    with finder._asker.bound_to(space_with(tmp_path, "tilly/__init__.py", "tilly/a.py")):
        assert finder.find_spec("tilly.a", [str(tmp_path / "tilly")]) is None


@pytest.mark.parametrize(("delegate", "own"), [(False, True), (True, False)])
def test_delegation_decides_who_is_asked_first(finder, tmp_path, delegate, own):
    with finder._asker.bound_to(space_with(tmp_path, "packaging/__init__.py", delegate=delegate)):
        assert finder.find_spec("packaging", None).origin.startswith(str(tmp_path)) is own


def test_a_namespace_package_has_portions_of_both(finder, tmp_path, monkeypatch):
    (tmp_path / "site/tillyspace").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with finder._asker.bound_to(space_with(tmp_path / "app", "tillyspace/x.py")):
        places = finder.find_spec("tillyspace", None).submodule_search_locations
        assert list(places) == [str(tmp_path / "app/tillyspace"), str(tmp_path / "site/tillyspace")]


def test_distributions_of_the_application_are_found_for_it(finder, tmp_path):
    wanted = importlib.metadata.DistributionFinder.Context(name="tilly")
    assert list(finder.find_distributions(wanted)) == []
    with finder._asker.bound_to(space_with(tmp_path, "tilly-7.dist-info/METADATA")):
        assert [each.version for each in finder.find_distributions(wanted)] == ["7"]
        assert [each.name for each in finder.find_distributions()] == ["tilly"]
