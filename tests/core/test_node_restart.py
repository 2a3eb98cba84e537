"""When a new process takes the place of a second start in this one."""

from __future__ import annotations

import shutil
import sys
from types import ModuleType, SimpleNamespace

import pytest

from catalina.core.node_restart import restart_instead
from catalina.core.standard_server import StandardServer
from catalina.loader.application_imports import imports
from tests.deploy.archives import hello
from tests.loader.applications import compiled_module
from tests.startup.hosts import Base, running


class Restarter:
    """Notes what it is asked for."""

    def __init__(self, server: StandardServer, grants: bool = True) -> None:
        self.asked: list[bool] = []
        self.grants = grants
        server.restarter = self

    def __call__(self, limited: bool) -> bool:
        self.asked.append(limited)
        return self.grants


def test_without_compiled_modules_nothing_is_restarted():
    server = StandardServer(port=-1)
    restarter = Restarter(server)
    assert not restart_instead(server, "/shop", [])
    assert restarter.asked == []


def test_the_reason_names_the_application_and_a_few_modules(caplog):
    server = StandardServer(port=-1)
    Restarter(server)
    assert restart_instead(server, "/shop", ["a", "b", "c", "d", "e"])
    assert server.restart_reason == (
        "Application [/shop] has modules that one process can load only once (a, b, c and 2 more)"
    )
    assert caplog.messages == [f"{server.restart_reason}: the node ends in order and is started again"]
    assert server.is_ending


@pytest.mark.parametrize("has_one", [True, False])
def test_a_process_that_nobody_starts_again_goes_on_and_says_so(caplog, has_one):
    server = StandardServer(port=-1)
    if has_one:
        Restarter(server, grants=False)
    assert not restart_instead(server, "/shop", ["a"])
    assert "This process goes on nevertheless" in caplog.text
    assert not server.is_ending


def test_a_second_wish_while_the_node_ends_is_granted_without_asking(caplog):
    server = StandardServer(port=-1)
    restarter = Restarter(server)
    assert restart_instead(server, "/shop", ["a"])
    assert restart_instead(server, "/other", ["b"])
    assert len(restarter.asked) == 1
    assert len(caplog.messages) == 1


# -- what leads to it ------------------------------------------------------------------------------------------------


def uses() -> str:
    return f"import fast.{compiled_module().name.partition('.')[0]}\n"


@pytest.fixture
def base(tmp_path):
    base = Base(tmp_path, auto_deploy=False)
    (tmp_path / "conf" / "context.xml").write_text(
        '<Context isolation="shared"/>'
    )  # processes of its own need no reason
    package = base.webapps / "shop" / "fast"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.copy(compiled_module(), package)
    (package.parent / "wsgi.py").write_text(uses() + hello("one"))
    with running(base):
        yield base


def test_a_reload_leaves_the_application_running_until_the_node_ends(base):
    restarter = Restarter(base.server)
    assert base.context("/shop").reload() is False
    assert base.context("/shop").reload(by_command=True) is False
    assert base.ask("/shop") == "one"
    assert restarter.asked == [True]


def test_a_command_does_not_count_against_the_limit(base):
    restarter = Restarter(base.server)
    base.context("/shop").reload(by_command=True)
    assert restarter.asked == [False]


def test_an_application_that_has_failed_after_it_had_loaded_them_is_tried_again_in_a_new_process(base):
    (base.webapps / "shop" / "wsgi.py").write_text(uses() + "1/0\n")
    base.context("/shop").reload()  # nobody would start this process again
    assert not base.runs("/shop")
    restarter = Restarter(base.server)
    (base.webapps / "shop" / "wsgi.py").write_text(uses() + hello("repaired"))
    assert base.context("/shop").reload() is False
    assert restarter.asked == [True]


def test_what_was_undeployed_is_deployed_again_by_a_new_process(base, tmp_path):
    shutil.copytree(base.webapps / "shop", tmp_path / "kept")
    base.config.undeploy("/shop")
    restarter = Restarter(base.server)
    shutil.copytree(tmp_path / "kept", base.webapps / "shop")
    base.config.check_now("/shop")
    assert restarter.asked == [True]
    assert not base.runs("/shop")
    assert "/shop" in base.server.restart_reason


def test_another_application_with_the_same_package_is_no_reason(base):
    Restarter(base.server)
    shutil.copytree(base.webapps / "shop", base.webapps / "other")
    base.config.check_now("/other")
    assert base.ask("/other") == "one"
    assert base.server.restart_reason == ""


def test_what_was_brought_but_never_imported_is_no_reason(base):
    (base.webapps / "shop" / "wsgi.py").write_text(hello("without"))
    base.context("/shop").reload()
    assert base.ask("/shop") == "without"
    restarter = Restarter(base.server)
    (base.webapps / "plain").mkdir()
    (base.webapps / "plain" / "wsgi.py").write_text(hello("plain"))
    shutil.copytree(base.webapps / "shop" / "fast", base.webapps / "plain" / "fast")
    base.config.check_now("/plain")
    assert base.context("/plain").reload() is True
    assert restarter.asked == []


# -- a library of the environment with the state of one application --------------------------------------------------

PROJECT = "from django.conf import settings\n"


@pytest.fixture
def django(monkeypatch):
    """A Django of the environment, whose settings a project has made."""
    package, conf = ModuleType("django"), ModuleType("django.conf")
    package.__path__ = []
    vars(conf)["settings"] = SimpleNamespace(configured=True)
    monkeypatch.setitem(sys.modules, "django", package)
    monkeypatch.setitem(sys.modules, "django.conf", conf)
    monkeypatch.setattr(imports, "_kept_for", {})
    return conf


def deploy(base: Base, name: str, source: str) -> None:
    directory = base.webapps / name
    directory.mkdir(parents=True)
    (directory / "wsgi.py").write_text(source)
    base.config.check_now(f"/{name}")


@pytest.fixture
def empty(tmp_path):
    base = Base(tmp_path, auto_deploy=False)
    with running(base):
        yield base


def test_a_reload_of_a_project_of_the_environments_django_takes_a_new_process(empty, django):
    deploy(empty, "shop", PROJECT + hello("one"))
    restarter = Restarter(empty.server)
    assert empty.context("/shop").reload(by_command=True) is False
    assert restarter.asked == [False]
    assert empty.server.restart_reason == (
        "Application [/shop] has modules that one process can load only once (django of the server's environment)"
    )


def test_a_second_project_does_not_answer_with_the_pages_of_the_first(empty, django):
    deploy(empty, "shop", PROJECT + hello("one"))
    deploy(empty, "other", PROJECT + hello("two"))
    assert empty.ask("/shop") == "one"
    assert not empty.runs("/other")
    assert empty.context("/other").failure.endswith(
        "Django has one application in a process, and that of the server's environment has [/shop]: "
        "[/other] needs a Django of its own, in its directory, in WEB-INF/lib or from its requirements"
    )


def test_a_project_in_the_place_of_one_that_was_undeployed_takes_a_new_process(empty, django):
    deploy(empty, "shop", PROJECT + hello("one"))
    empty.config.undeploy("/shop")
    restarter = Restarter(empty.server)
    deploy(empty, "other", PROJECT + hello("two"))
    assert restarter.asked == [True]
    assert not empty.runs("/other")


@pytest.mark.parametrize("source", ["from django.utils.text import slugify\n", ""])
def test_an_application_that_is_no_project_shares_the_environments_django(empty, django, monkeypatch, source):
    text = ModuleType("django.utils.text")
    vars(text)["slugify"] = str
    monkeypatch.setitem(sys.modules, "django.utils", ModuleType("django.utils"))
    monkeypatch.setitem(sys.modules, "django.utils.text", text)
    deploy(empty, "shop", PROJECT + hello("one"))
    deploy(empty, "other", source + hello("two"))
    assert empty.ask("/other") == "two"
    assert empty.context("/other").reload(by_command=True) is True
