"""The Loader of a context."""

from __future__ import annotations

import os
import pkgutil
import sys
import types

import pytest

from catalina.errors import DeploymentError, LifecycleError
from catalina.loader.webapp_loader import WebappLoader, code_of, modules_named
from catalina.webresources.dir_resource_set import DirResourceSet
from tests.core.node import Node, web_xml
from tests.loader.applications import FakeContext, new_loader, running, write_application
from tests.support.narrowing import of_type

FILES = {
    "tilly/__init__.py": "class Outer:\n    class Inner:\n        NAME = 'inner'\n",
    "tilly/web.py": "application = 'app'\n",
    "tilly/broken.py": "import no_such_module_at_all\n",
    "single.py": "def application(): ...\n",
}


@pytest.fixture
def loader(tmp_path):
    with running(new_loader(write_application(tmp_path / "a", FILES))) as (loader,):
        yield loader


@pytest.mark.parametrize(
    ("name", "expected"),
    [("tilly.web:application", "app"), ("tilly.web.application", "app"), ("tilly:Outer.Inner.NAME", "inner"),
     ("tilly.Outer.Inner.NAME", "inner"), (" tilly.web:application ", "app")],
)  # fmt: skip
def test_objects_are_loaded_by_either_form_of_name(loader, name, expected):
    assert loader.load(name) == expected


@pytest.mark.parametrize(
    ("name", "says"),
    [("tilly.web:nothing", "has no attribute 'nothing'"), ("tilly.nothing.at", "tilly has no 'nothing'"),
     ("nothing:app", "No module named 'nothing'"), ("tilly.broken:app", "No module named 'no_such_module_at_all'"),
     ("tilly.broken.app", "No module named 'no_such_module_at_all'")],
)  # fmt: skip
def test_what_cannot_be_loaded_is_one_line_with_the_reason(loader, name, says):
    with pytest.raises(DeploymentError) as error:
        loader.load(name)
    assert says in str(error.value)
    assert str(error.value).startswith("[/a]: ")


@pytest.mark.parametrize(
    ("name", "own"),
    [("tilly", True), ("tilly.web", True), ("tilly.nothing", False), ("single", True), ("json", False), ("lxml", False),
     ("", False), ("tilly.web.deep", False)],
)  # fmt: skip
def test_application_modules_are_told_by_their_files_without_importing(loader, name, own):
    assert loader.is_application_module(name) is own
    assert "tilly.web" not in sys.modules


def test_classes_of_the_application_are_told_by_their_modules(loader):
    assert loader.allows_class("tilly.web.Cart")
    assert loader.allows_class("tilly.Outer.Inner")
    assert not loader.allows_class("json.JSONDecoder")
    assert not loader.allows_class("Cart")


LAZY = {
    "lazy_shop/__init__.py": "def application():\n    from lazy_shop import models\n    return models.Cart()\n"
    "def other():\n    from .orders.line import Line\n    import lazy_shop.fails\n    return Line()\n",
    "lazy_shop/models.py": "class Cart: ...\n",
    "lazy_shop/orders/__init__.py": "",
    "lazy_shop/orders/line.py": "class Line: ...\n",
    "lazy_shop/maintenance.py": "raise SystemExit('it ran')\n",
    "lazy_shop/fails.py": "1 / 0\n",
    "uploads/photo.py": "raise SystemExit('it ran')\n",
}


@pytest.fixture
def lazy(tmp_path):
    with running(new_loader(write_application(tmp_path / "a", LAZY))) as (loader,):
        loader.load("lazy_shop:application")
        yield loader


def test_a_module_that_the_application_would_import_is_loaded_for_a_value(lazy):
    assert "lazy_shop.models" not in sys.modules
    assert lazy.load_imported("lazy_shop.models")
    assert "lazy_shop.models" in sys.modules
    assert lazy.load_imported("lazy_shop.orders.line")
    assert lazy.load_imported("lazy_shop.orders.line"), "it is loaded already"


@pytest.mark.parametrize("name", ["lazy_shop.maintenance", "uploads.photo", "this", "no.such", "", "lazy_shop.Cart"])
def test_a_module_that_only_a_message_names_is_not_loaded(lazy, name):
    sys.modules.pop("this", None)
    assert not lazy.load_imported(name)
    assert name not in sys.modules


def test_a_module_that_fails_is_told_and_tried_once(lazy, caplog):
    assert not lazy.load_imported("lazy_shop.fails")
    assert not lazy.load_imported("lazy_shop.fails")
    assert caplog.text.count("cannot load the module [lazy_shop.fails]") == 1
    assert "ZeroDivisionError" in caplog.text


def test_a_change_of_code_is_noticed(tmp_path, loader):
    assert not loader.modified()
    (tmp_path / "a/WEB-INF/classes/new.py").write_text("")
    assert loader.modified()


def test_caches_are_no_change(tmp_path, loader):
    loader.load("single")
    assert os.path.isdir(tmp_path / "a/WEB-INF/classes/__pycache__") or sys.dont_write_bytecode
    assert not loader.modified()


@pytest.mark.parametrize(("context", "own", "reloads"), [(True, None, 1), (False, None, 0), (False, True, 1)])
def test_a_reloadable_context_is_reloaded_on_change(tmp_path, loader, context, own, reloads):
    loader.context.reloadable = context
    loader.reloadable = own
    loader.background_process()
    assert loader.context.reloads == 0
    (tmp_path / "a/WEB-INF/classes/single.py").write_text("changed = 1\n")
    loader.background_process()
    assert loader.context.reloads == reloads


def test_stopped_and_started_it_loads_the_new_code(tmp_path, loader):
    assert loader.load("tilly.web:application") == "app"
    (tmp_path / "a/WEB-INF/classes/tilly/web.py").write_text("application = 'a newer app'\n")
    loader.stop()
    assert "tilly" not in sys.modules
    loader.start()
    assert loader.load("tilly.web:application") == "a newer app"


def test_without_a_context_it_does_not_start():
    with pytest.raises(LifecycleError, match="has no context"):
        WebappLoader().start()


USES = """
import shared_code

def application(environ, start_response):
    start_response("200 OK", [])
    return [shared_code.FILE.encode()]
"""
SERVLET = (
    "<servlet><servlet-name>s</servlet-name><servlet-class>wsgi:application</servlet-class></servlet>"
    "<servlet-mapping><servlet-name>s</servlet-name><url-pattern>/s</url-pattern></servlet-mapping>"
)


def test_two_applications_import_one_directory_each_for_itself(tmp_path):
    node = Node(tmp_path)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "shared_code.py").write_text("FILE = __file__\n")
    for name in ("one", "two"):
        context = node.add(name, {"WEB-INF/classes/wsgi.py": USES, "WEB-INF/web.xml": web_xml(SERVLET)})
        resource_set = DirResourceSet(base=str(tmp_path / "shared"), web_app_mount="/WEB-INF/classes")
        context.resources.add(context.resources.post, resource_set)
    with node:
        answers = [node.ask(f"/{name}/s") for name in ("one", "two")]
    assert [answer.status for answer in answers] == [200, 200]
    assert len({answer.body for answer in answers}) == 2
    assert {os.path.realpath(answer.body) for answer in answers} == {os.fsencode(tmp_path / "shared/shared_code.py")}


def test_an_application_uses_what_it_brings_and_what_its_code_names_and_nothing_else(tmp_path):
    source = "import brought\n\ndef late():\n    from wsgiref.util import setup_testing_defaults\n"
    loader = new_loader(write_application(tmp_path / "a", {"brought.py": "", "ours.py": source}))
    with running(loader):
        assert not loader.uses("brought")  # the module is not loaded yet
        loader.load("ours")
        assert loader.uses("brought")
        __import__("wsgiref.util")
        __import__("json.tool")
        assert loader.uses("wsgiref.util")
        assert not loader.uses("json.tool")  # another application may have loaded it
    assert not loader.uses("brought")


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("import a", {"a"}),
        ("import a.b.c as d", {"a", "a.b", "a.b.c"}),
        ("import a, b", {"a", "b"}),
        ("from a.b import c, d", {"a", "a.b", "a.b.c", "a.b.d"}),
        ("from a import *", {"a"}),
        ("from . import c", {"shop", "shop.web", "shop.web.c"}),
        ("from ..models import Cart", {"shop", "shop.models", "shop.models.Cart"}),
        ("from .... import beyond", set()),
        ("def f():\n    def g():\n        import a\n    return lambda: __import__('b')", {"a"}),
        ("class C:\n    def f(self):\n        from a import b", {"a", "a.b"}),
        ("x = 1, 2\nprint('import a', x)", set()),
        ("import a if x else b" if False else "if x:\n    import a\nelse:\n    import b", {"a", "b"}),
    ],
)
def test_every_statement_is_found_wherever_it_stands(source: str, named: set[str]) -> None:
    assert modules_named(compile(source, "<test>", "exec"), "shop.web") == named


def test_what_has_no_code_has_none() -> None:
    assert code_of(sys) is None
    assert code_of(types.ModuleType("made_by_hand")) is None
    found = code_of(types)
    assert found is not None
    assert found.co_filename.endswith("types.py")


def test_an_application_alone_in_its_process_is_on_the_path_of_everybody_in_it(tmp_path):
    before = list(sys.path)
    loader = new_loader(write_application(tmp_path / "a", {"tilly_alone.py": ""}))
    of_type(FakeContext, loader.context).runs_alone = True
    with running(loader):
        assert sys.path == [*before, str(tmp_path / "a" / "WEB-INF" / "classes")]
        assert "tilly_alone" in [found.name for found in pkgutil.iter_modules()]
    assert sys.path == before
