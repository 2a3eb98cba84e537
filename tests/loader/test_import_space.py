"""The imports of one application."""

from __future__ import annotations

import importlib.machinery
import sys
from types import ModuleType

import pytest

from catalina.loader.import_space import ImportSpace


@pytest.fixture
def classes(tmp_path):
    directory = tmp_path / "classes"
    directory.mkdir()
    return directory


def test_top_level_names_are_modules_packages_and_compiled_modules(classes):
    (classes / "package").mkdir()
    (classes / "__pycache__").mkdir()
    (classes / "shop-1.0.dist-info").mkdir()
    for name in ("module.py", "readme.txt", "not-a-name.py", f"fast{importlib.machinery.EXTENSION_SUFFIXES[0]}"):
        (classes / name).touch()
    assert ImportSpace("/a", [str(classes)]).top_level == {"package", "module", "fast"}


def test_a_directory_that_is_not_there_has_none(tmp_path):
    assert ImportSpace("/a", [str(tmp_path / "none")]).top_level == frozenset()


def test_names_of_the_standard_library_and_yielded_ones_are_not_claimed(classes):
    for name in ("json.py", "shop.py", "lib.py"):
        (classes / name).touch()
    space = ImportSpace("/a", [str(classes)])
    space.yielded.add("lib")
    assert space.claimed == {"shop"}


@pytest.mark.parametrize(("name", "owned"), [("classes/a.py", True), ("classes", True), ("classesx/a.py", False)])
def test_files_below_the_roots_are_its_own(tmp_path, classes, name, owned):
    assert ImportSpace("/a", [str(classes)]).owns_file(str(tmp_path / name)) is owned


def test_modules_are_owned_by_their_file_or_their_path(classes):
    space = ImportSpace("/a", [str(classes)])
    module, namespace = ModuleType("a"), ModuleType("b")
    module.__file__ = str(classes / "a.py")
    namespace.__path__ = [str(classes / "b")]
    assert space.owns_module(module)
    assert space.owns_module(namespace)
    assert not space.owns_module(sys)


def test_compiled_modules_in_a_package_are_seen(classes):
    (classes / "pure").mkdir()
    (classes / "mixed/deep").mkdir(parents=True)
    (classes / f"mixed/deep/fast{importlib.machinery.EXTENSION_SUFFIXES[-1]}").touch()
    space = ImportSpace("/a", [str(classes)])
    assert space.has_compiled("mixed")
    assert not space.has_compiled("pure")
