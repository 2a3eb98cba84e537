"""From names to objects."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from catalina.errors import DeploymentError
from catalina.loader.object_names import call, configure, find_object, instantiate
from catalina.servlets.default_servlet import DefaultServlet

log = logging.getLogger(__name__)


class Loader:
    """Finds one thing."""

    asked = ""

    def load(self, name: str) -> Any:
        self.asked = name
        return Greeter


class Greeter:
    """A class as an application names it."""

    def __init__(self, greeting: str = "hello") -> None:
        if greeting == "fail":
            raise ValueError("no greeting")
        self.greeting = greeting


@pytest.mark.parametrize("name", ["shop:make", "shop:make()", "shop.make"])
def test_the_loader_gets_the_name_without_parentheses(name: str) -> None:
    loader = Loader()
    assert find_object(loader, name) is Greeter  # type: ignore[arg-type]  # it only loads
    assert loader.asked == name.removesuffix("()")


def test_the_containers_own_classes_are_found_by_class_name() -> None:
    assert find_object(Loader(), "org.apache.catalina.servlets.DefaultServlet") is DefaultServlet  # type: ignore[arg-type]  # not asked


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("org.apache.jasper.servlet.JspServlet", "there is no JSP compiler"),
        ("org.apache.catalina.servlets.NoSuchServlet", "no class of Catalina for Python answers"),
        ("org.springframework.web.servlet.DispatcherServlet", "is a Java class"),
        ("jakarta.faces.webapp.FacesServlet", "names a WSGI callable as module:attribute"),
    ],
)
def test_java_classes_say_what_is_expected_instead(name: str, complaint: str) -> None:
    with pytest.raises(DeploymentError, match=complaint):
        find_object(Loader(), name)  # type: ignore[arg-type]  # not asked


def test_a_class_and_a_factory_get_the_init_parameters() -> None:
    made = instantiate(Greeter, "m:Greeter", {"greeting": "hi"}, log)
    assert isinstance(made, Greeter)
    assert made.greeting == "hi"
    assert instantiate(lambda greeting: greeting, "m:make()", {"greeting": "hi"}, log) == "hi"


def test_anything_else_is_the_thing_itself() -> None:
    assert instantiate(len, "m:len", {}, log) is len


def test_what_a_factory_raises_is_said() -> None:
    with pytest.raises(DeploymentError, match=r"'m:Greeter' cannot be made: ValueError: no greeting"):
        call(Greeter, "m:Greeter", {"greeting": "fail"})
    with pytest.raises(DeploymentError, match="TypeError"):
        call(Greeter, "m:Greeter", {"unknown": "x"})


def test_attributes_of_own_components_come_from_init_parameters(caplog: pytest.LogCaptureFixture) -> None:
    servlet = DefaultServlet()
    configure(servlet, "default", {"listings": "true", "readonly": "maybe", "lstings": "x"}, log)
    assert (servlet.listings, servlet.readonly) == (True, True)
    assert "has no init parameter [lstings]" in caplog.text
    assert "readonly='maybe' ignored" in caplog.text
