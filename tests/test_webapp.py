"""The module that applications import."""

from __future__ import annotations

from types import ModuleType

import pytest

from catalina import webapp
from catalina.connector.request import Request
from catalina.core.standard_context import StandardContext
from catalina.session.framework_session import CURRENT_SESSION, local_manager
from catalina.session.session_facade import SessionFacade
from catalina.webapp import UnavailableError, distributable, is_distributable, send_error
from tests.support.stand_in import stand_in


def test_the_decorator_marks_and_gives_back_the_callable() -> None:
    def application() -> None: ...

    assert not is_distributable(application)
    assert distributable(application) is application
    assert is_distributable(application)


def test_a_module_may_carry_the_marker_but_the_imported_decorator_is_none() -> None:
    module = ModuleType("shop")
    vars(module)["distributable"] = True
    assert is_distributable(object(), module)
    vars(module)["distributable"] = distributable
    assert not is_distributable(object(), module)
    assert not is_distributable(object(), None)


def test_an_error_is_told_to_the_container_and_to_the_filters() -> None:
    told: list[object] = []
    environ = {"catalina.send_error": told.append}
    body = send_error(environ, lambda status, headers: told.append((status, headers)), 404, "gone")
    assert told == [(404, "gone"), ("404 Not Found", [])]
    assert list(body) == []
    send_error(environ, lambda status, headers: told.append(status), 599)
    assert told[-1] == "599 Error"


def test_the_type_of_sessions_can_be_imported() -> None:
    assert webapp.Session is SessionFacade
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = webapp.Nothing


def test_unavailable_says_for_how_long() -> None:
    assert (UnavailableError("x", 5).seconds, UnavailableError("x").seconds) == (5, None)


def test_outside_of_the_container_the_sessions_are_those_of_the_process() -> None:
    assert webapp.session_manager() is local_manager()


def test_the_session_manager_is_the_one_of_the_request_that_is_served() -> None:
    manager = object()
    source = stand_in(Request, context=stand_in(StandardContext, manager=manager))
    token = CURRENT_SESSION.set(SessionFacade(source))
    try:
        assert webapp.session_manager() is manager
    finally:
        CURRENT_SESSION.reset(token)
