"""Two owners of one name, side by side: every way in which Python code reaches a module by its name."""

from __future__ import annotations

import ctypes
import dataclasses
import importlib
import importlib.metadata
import pickle
import socket
import sys
import types
import typing
from pathlib import Path
from types import ModuleType

import pytest

from catalina.errors import DeploymentError
from catalina.loader.application_imports import ApplicationFinder, ApplicationModules, imports, version_of
from catalina.loader.asker import Asker
from catalina.loader.import_space import ImportSpace
from tests.loader.applications import new_loader, running, write_application

SHOP = {
    "tillshop/__init__.py": "from tillshop import names\nfrom .names import NAME\n",
    "tillshop/names.py": "NAME = {name!r}\n",
    "tillshop/late.py": "WHO = {name!r}\n",
    "tillshop/web.py": """
import importlib, sys, pickle, typing, dataclasses
from tillshop.names import NAME

@dataclasses.dataclass
class Cart:
    owner: 'Owner'

class Owner:
    pass

def by_statement():
    from tillshop.late import WHO
    return WHO

def by_dotted_statement():
    import tillshop.late
    return tillshop.late.WHO

def by_string():
    return importlib.import_module('tillshop.late').WHO

def by_builtin():
    return __import__('tillshop.late', fromlist=['WHO']).WHO

def by_sys_modules():
    return sys.modules[__name__].NAME

def hints():
    return typing.get_type_hints(Cart)['owner'] is Owner

def pickled():
    return type(pickle.loads(pickle.dumps(Owner()))) is Owner

def call(function, *arguments):
    return function(*arguments)
""",
}


def shop(root: Path, name: str) -> Path:
    return write_application(root / name, {file: text.replace("{name!r}", repr(name)) for file, text in SHOP.items()})


@pytest.fixture
def two(tmp_path: Path) -> typing.Iterator[tuple[types.ModuleType, types.ModuleType]]:
    first, second = new_loader(shop(tmp_path, "first")), new_loader(shop(tmp_path, "second"))
    with running(first, second):
        yield first.load("tillshop.web"), second.load("tillshop.web")


WAYS = ["by_statement", "by_dotted_statement", "by_string", "by_builtin", "by_sys_modules"]


@pytest.mark.parametrize("way", WAYS)
def test_each_application_reaches_its_own_module(two, way):
    assert [getattr(module, way)() for module in two] == ["first", "second"]


@pytest.mark.parametrize("way", WAYS)
def test_an_application_loaded_before_the_clash_keeps_its_modules(tmp_path, way):
    first, second = new_loader(shop(tmp_path, "first")), new_loader(shop(tmp_path, "second"))
    with running(first):
        web = first.load("tillshop.web")
        assert sys.modules["tillshop.web"] is web
        with running(second):
            assert second.load("tillshop:NAME") == "second"
            assert getattr(web, way)() == "first"
        assert getattr(web, way)() == "first"
        assert sys.modules["tillshop.web"] is web


def test_string_annotations_are_resolved_in_the_own_module(two):
    assert [module.hints() for module in two] == [True, True]


def test_an_own_class_survives_pickling_in_its_application(two):
    assert [module.pickled() for module in two] == [True, True]


def test_a_library_that_imports_a_string_does_so_for_its_caller(two):
    def import_string(name: str) -> object:
        return __import__(name, fromlist=["x"])

    first, second = two
    assert first.call(import_string, "tillshop.late").WHO == "first"
    assert second.call(import_string, "tillshop.late").WHO == "second"


def test_compiled_code_that_imports_does_so_for_its_caller(two):
    by_c = ctypes.pythonapi.PyImport_ImportModule
    by_c.restype, by_c.argtypes = ctypes.py_object, [ctypes.c_char_p]
    first, second = two
    for _ in range(2):
        assert first.call(by_c, b"tillshop.late").WHO == "first"
        assert second.call(by_c, b"tillshop.late").WHO == "second"
        assert second.by_statement() == "second"


def test_nobody_else_sees_a_clashing_name(two):
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("tillshop")
    assert "tillshop" not in sys.modules


def test_a_partly_loaded_submodule_is_found_by_its_siblings(tmp_path):
    files = {
        "ring/__init__.py": "from . import a\n",
        "ring/a.py": "from . import b\nA = 1\n",
        "ring/b.py": "from . import a\nimport ring.a as again\nassert again is a\nB = 2\n",
    }
    first, second = write_application(tmp_path / "a", files), write_application(tmp_path / "b", files)
    with running(new_loader(first), new_loader(second)) as loaders:
        assert [loader.load("ring.b:B") for loader in loaders] == [2, 2]
        assert loaders[0].load("ring.a:b") is not loaders[1].load("ring.a:b")


def test_a_failed_import_leaves_nothing_and_can_be_repeated(tmp_path):
    files = {"frail/__init__.py": "", "frail/part.py": "1/0\n"}
    first, second = write_application(tmp_path / "a", files), write_application(tmp_path / "b", files)
    with running(new_loader(first), new_loader(second)) as (one, _):
        package = one.load("frail")
        for _ in range(2):
            with pytest.raises(Exception, match="ZeroDivisionError"):
                one.load("frail.part")
        assert not hasattr(package, "part")


def test_names_that_do_not_clash_are_plain_imports(tmp_path):
    plain, importer = sys.modules, __import__
    one = new_loader(write_application(tmp_path / "one", {"lonely_one.py": "import lonely_two_not\n"}))
    two = new_loader(write_application(tmp_path / "two", {"lonely_two.py": "X = 1\n"}))
    with running(one, two):
        module = two.load("lonely_two")
        assert sys.modules is plain
        assert __import__ is importer
        assert type(plain) is dict
        assert plain["lonely_two"] is module


def test_after_the_last_clash_the_interpreter_has_its_own_dict_again(tmp_path):
    plain = sys.modules
    first, second = new_loader(shop(tmp_path, "first")), new_loader(shop(tmp_path, "second"))
    with running(first):
        with running(second):
            assert sys.modules is not plain
        assert sys.modules is plain
        assert first.load("tillshop.late:WHO") == "first"
    assert not [name for name in sys.modules if name.startswith("tillshop")]
    assert not imports.clashes
    assert imports.finder not in sys.meta_path


def test_an_application_that_brings_a_package_of_the_environment_gets_its_own(tmp_path):
    import packaging.version

    own = new_loader(
        write_application(tmp_path / "own", {"packaging/__init__.py": "OWN = True\n", "see.py": "import packaging\n"})
    )
    other = new_loader(write_application(tmp_path / "other", {"look.py": "import packaging\n"}))
    with running(own, other):
        assert own.load("see:packaging.OWN")
        assert not hasattr(other.load("look:packaging"), "OWN")
        assert importlib.import_module("packaging.version") is packaging.version
        from packaging.specifiers import SpecifierSet

        assert SpecifierSet(">1").contains("2")
    assert sys.modules["packaging.version"] is packaging.version


def test_with_delegate_the_environment_comes_first(tmp_path):
    import packaging

    own = write_application(tmp_path / "own", {"packaging/__init__.py": "OWN = True\n", "see.py": "import packaging\n"})
    with running(new_loader(own, delegate=True)) as (loader,):
        assert loader.load("see:packaging").__file__ == packaging.__file__


def test_a_module_named_as_the_standard_library_is_hidden_and_said(tmp_path, caplog):
    own = write_application(tmp_path / "own", {"colorsys.py": "OWN = True\n", "see.py": "import colorsys\n"})
    with running(new_loader(own)) as (loader,):
        assert not hasattr(loader.load("see:colorsys"), "OWN")
    assert "brings a module [colorsys], which the standard library hides" in caplog.text


def test_a_dataclass_with_postponed_annotations_works_under_a_clash(tmp_path):
    files = {"model.py": "from __future__ import annotations\nimport dataclasses, typing\n"
             "@dataclasses.dataclass\nclass A:\n    x: typing.ClassVar[int] = 1\n    y: int = 2\n"}  # fmt: skip
    first, second = write_application(tmp_path / "a", files), write_application(tmp_path / "b", files)
    with running(new_loader(first), new_loader(second)) as loaders:
        for loader in loaders:
            assert [field.name for field in dataclasses.fields(loader.load("model:A"))] == ["y"]


def test_metadata_of_an_own_distribution_is_found_by_its_application_alone(tmp_path):
    for name, version in (("a", "1.0"), ("b", "2.0")):
        write_application(tmp_path / name, {
            f"tillshop-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: tillshop\nVersion: {version}\n",
            "tillshop.py": "from importlib.metadata import version\nVERSION = version('tillshop')\n",
        })  # fmt: skip
    with running(new_loader(tmp_path / "a"), new_loader(tmp_path / "b")) as loaders:
        assert [loader.load("tillshop:VERSION") for loader in loaders] == ["1.0", "2.0"]
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("tillshop")


def test_a_thread_works_for_the_application_that_started_it(two):
    from concurrent.futures import ThreadPoolExecutor

    def submit(pool: ThreadPoolExecutor) -> object:
        return pool.submit(importlib.import_module, "tillshop.late").result().WHO

    for module, name in zip(two, ("first", "second"), strict=True):
        with ThreadPoolExecutor(1) as pool:
            assert module.call(submit, pool) == name


def test_pickle_of_an_own_class_is_refused_elsewhere(two):
    dumped = two[0].call(pickle.dumps, two[0].Owner())
    with pytest.raises((ModuleNotFoundError, pickle.PicklingError)):
        pickle.loads(dumped)


def compiled_package(root: Path, version: str) -> Path:
    """An application with a copy of markupsafe, which has a compiled module and is in the environment, too."""
    import shutil

    import markupsafe

    source = Path(markupsafe.__file__).parent
    shutil.copytree(source, root / "WEB-INF/classes/markupsafe", ignore=shutil.ignore_patterns("__pycache__"))
    return write_application(root, {
        f"markupsafe-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: markupsafe\nVersion: {version}\n",
        f"markupsafe-{version}.dist-info/top_level.txt": "markupsafe\n",
        "see.py": "import markupsafe\nfrom markupsafe import _speedups, escape\nTEXT = str(escape('<'))\n",
    })  # fmt: skip


def test_a_compiled_package_of_the_same_version_is_the_environments(tmp_path, caplog):
    import markupsafe

    caplog.set_level("INFO")
    version = importlib.metadata.version("markupsafe")
    with running(new_loader(compiled_package(tmp_path / "a", version))) as (loader,):
        assert loader.load("see:markupsafe") is markupsafe
    assert f"uses package [markupsafe] {version} of the container's environment" in caplog.text


def test_compiled_packages_of_other_versions_are_loaded_beside_it(tmp_path, caplog):
    import markupsafe

    caplog.set_level("INFO")
    loaders = [new_loader(compiled_package(tmp_path / name, version)) for name, version in (("a", "0.1"), ("b", "0.2"))]
    with running(*loaders):
        found = [loader.load("see:markupsafe") for loader in loaders]
        assert [loader.load("see:TEXT") for loader in loaders] == ["&lt;", "&lt;"]
        assert len({id(module._escape_inner) for module in (*found, markupsafe)}) == 3
        assert [loader.load("see:_speedups").__file__.startswith(str(tmp_path)) for loader in loaders] == [True, True]
    assert "brings package [markupsafe] 0.1 with compiled modules beside" in caplog.text
    assert markupsafe.escape("<") == "&lt;"


#: Two applications, each with a framework of its own under one name, and what uses the adapter of it.
FRAMEWORK = {
    "flask/__init__.py": "class Flask: pass\n",
    "flask/sessions.py": "class SessionInterface: WHO = {name!r}\nclass SessionMixin: pass\n"
    "class SecureCookieSessionInterface(SessionInterface): pass\n",
    "uses{name}.py": """
import importlib, sys
from catalina.contrib.flask import CatalinaSessionInterface
from catalina.contrib import flask as adapter

def by_statement():
    from catalina.contrib.flask import CatalinaSessionInterface as late
    return late.WHO

def by_package():
    from catalina.contrib import flask
    return flask.CatalinaSessionInterface.WHO

def by_dotted_statement():
    import catalina.contrib.flask
    return catalina.contrib.flask.CatalinaSessionInterface.WHO

def by_string():
    return importlib.import_module("catalina.contrib.flask").CatalinaSessionInterface.WHO

def by_loaded():
    return adapter.CatalinaSessionInterface.WHO
""",
}


def framework(root: Path, name: str) -> Path:
    files = {file.format(name=name): text.replace("{name!r}", repr(name)) for file, text in FRAMEWORK.items()}
    return write_application(root / name, files)


@pytest.mark.parametrize("way", ["by_statement", "by_package", "by_dotted_statement", "by_string", "by_loaded"])
def test_each_application_has_the_adapter_of_its_own_framework(tmp_path, way):
    before = imports.modules.plain.get("catalina.contrib.flask")
    first, second = (new_loader(framework(tmp_path, name)) for name in ("first", "second"))
    with running(first):
        one = first.load("usesfirst")
        with running(second):
            two = second.load("usessecond")
            assert [getattr(module, way)() for module in (one, two, one)] == ["first", "second", "first"]
        assert getattr(one, way)() == "first"
    assert imports.modules.plain.get("catalina.contrib.flask") is before


def test_the_adapter_of_an_application_that_is_alone_goes_with_it(tmp_path):
    before = imports.modules.plain.get("catalina.contrib.flask")
    first = new_loader(framework(tmp_path, "first"))
    with running(first):
        assert first.load("usesfirst").by_package() == "first"
    assert imports.modules.plain.get("catalina.contrib.flask") is before


@pytest.mark.parametrize(
    ("metadata", "record"),
    [({"top_level.txt": "tilly\nother\n"}, ""), ({}, "tilly/__init__.py,,\n"), ({}, "tilly.py,,\n")],
)
def test_the_version_is_that_of_the_distribution_that_brings_the_module(tmp_path, metadata, record):
    info = tmp_path / "some_name-7.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-name\nVersion: 7.1\n")
    (info / "RECORD").write_text(record)
    for name, text in metadata.items():
        (info / name).write_text(text)
    assert version_of("tilly", [str(tmp_path)]) == "7.1"
    assert version_of("nothing", [str(tmp_path)]) is None


def test_the_environment_is_asked_the_same_way():
    from lxml import etree

    assert version_of("lxml", sys.path) == etree.__version__


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


@pytest.fixture
def table():
    asker = Asker()
    modules = ApplicationModules({"plain": ModuleType("plain")}, asker)
    modules.clashes.add("shop")
    return modules


@pytest.fixture
def space(tmp_path):
    (tmp_path / "shop.py").touch()
    return ImportSpace("/a", [str(tmp_path)])


def test_plain_names_are_the_interpreters(table):
    extra = ModuleType("extra")
    table["extra"] = extra
    assert table.plain["extra"] is table["extra"] is table.get("extra") is extra
    del table["extra"]
    assert "extra" not in table


def test_a_clashing_name_is_that_of_who_asks(table, space):
    own, environments = ModuleType("shop"), ModuleType("shop")
    table["shop"] = environments
    with table.asker.bound_to(space):
        assert "shop" not in table
        table["shop"] = own
        assert table["shop"] is own
    assert table["shop"] is environments
    assert "shop" not in table.plain


def test_a_submodule_is_bound_to_its_package_at_once_and_unbound_when_it_fails(table, space):
    package, child = ModuleType("shop"), ModuleType("shop.child")
    with table.asker.bound_to(space):
        table["shop"] = package
        table["shop.child"] = child
        assert package.child is child
        del table["shop.child"]
        assert not hasattr(package, "child")


def test_what_a_compiled_module_entered_by_itself_is_moved(table, space):
    module = ModuleType("shop")
    table.plain["shop"] = module
    with table.asker.bound_to(space):
        table["shop"] = module
    assert "shop" not in table.plain


def test_pop_setdefault_and_update_work_as_on_any_dict(table, space):
    module = ModuleType("shop")
    with table.asker.bound_to(space):
        table.update({"shop": module})
        assert table.setdefault("shop") is module
        assert table.pop("shop") is module
        assert table.pop("shop", None) is None
        with pytest.raises(KeyError):
            table.pop("shop")


def test_what_is_listed_is_what_the_asker_sees(table, space):
    with table.asker.bound_to(space):
        table["shop"] = ModuleType("shop")
        assert set(table) == set(table.keys()) == {"plain", "shop"} == set(table.copy())
        assert len(table) == len(table.items()) == len(table.values()) == 2
    assert set(table) == {"plain"}


def test_it_cannot_be_emptied(table):
    for call in (table.clear, table.popitem):
        with pytest.raises(TypeError, match="shared by all applications"):
            call()


def test_it_is_a_dict_and_true(table):
    assert isinstance(table, dict)
    assert table


PATCHING_PACKAGES = {
    "tillgreen/__init__.py": "",
    "gevent/__init__.py": "",
    "gevent/monkey.py": "import socket\nkept = socket.socket\ndef patch_all():\n    socket.socket = None\n",
    "eventlet/__init__.py": "from eventlet import patcher\nmonkey_patch = patcher.monkey_patch\n",
    "eventlet/patcher.py": "import socket\ndef monkey_patch():\n    socket.socket = None\n",
}


@pytest.mark.parametrize(
    "call",
    [
        "from gevent import monkey; monkey.patch_all()",
        "from gevent.monkey import patch_all; patch_all()",
        "import eventlet; eventlet.monkey_patch()",
    ],
)
def test_an_application_that_would_replace_the_servers_sockets_is_refused(tmp_path, call):
    files = {**PATCHING_PACKAGES, "tillgreen/web.py": call}
    with running(new_loader(write_application(tmp_path / "green", files))) as (loader,):
        plain = socket.socket
        with pytest.raises(DeploymentError, match=r"\(\) is refused: it replaces sockets, locks and threads"):
            loader.load("tillgreen.web")
        assert socket.socket is plain


def test_the_rest_of_a_patching_package_works(tmp_path):
    files = {**PATCHING_PACKAGES, "tillgreen/web.py": "from gevent import monkey\nkept = monkey.kept"}
    with running(new_loader(write_application(tmp_path / "green", files))) as (loader,):
        assert loader.load("tillgreen.web:kept") is socket.socket
