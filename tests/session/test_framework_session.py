"""The core under the frameworks' adapters."""

from __future__ import annotations

import contextvars
import threading

import pytest

from catalina.errors import InvalidSessionError, NotReplicableError
from catalina.realm.generic_principal import GenericPrincipal
from catalina.session import framework_session
from catalina.session.framework_session import CURRENT_SESSION, FrameworkSession, LocalSource, local_manager
from catalina.session.session_facade import COOKIE_MAX_AGE, OneSession, SessionFacade
from catalina.webapp import current_session
from tests.support.stand_in import stand_in


def new_session() -> FrameworkSession:
    return FrameworkSession(LocalSource())


def test_the_current_session_follows_the_context_and_is_refused_elsewhere() -> None:
    with pytest.raises(InvalidSessionError, match="no request of the container is served"):
        current_session()
    facade = SessionFacade(LocalSource())
    token = CURRENT_SESSION.set(facade)
    try:
        assert current_session() is facade
        found: list[object] = []
        for run in (contextvars.copy_context().run, lambda function: function()):
            thread = threading.Thread(target=run, args=(lambda: found.append(CURRENT_SESSION.get()),))
            thread.start()
            thread.join()
        assert found == [facade, None]
    finally:
        CURRENT_SESSION.reset(token)


def test_use_is_noted() -> None:
    session = new_session()
    assert (session.accessed, session.modified) == (False, False)
    assert "a" not in session
    assert (session.accessed, session.modified) == (True, False)
    session["a"] = 1
    assert session.modified
    session = FrameworkSession(session.source)
    del session["a"]
    assert session.modified
    with pytest.raises(KeyError):
        del session["a"]


def test_the_containers_own_attributes_are_not_shown() -> None:
    session = new_session()
    session["a"] = 1
    session["org.apache.catalina.filters.CSRF_NONCE"] = ["x"]
    assert (list(session), len(session), dict(session)) == (["a"], 1, {"a": 1})
    session.clear()
    assert not session
    assert not session.is_emptied  # the container would lose what it keeps
    del session["org.apache.catalina.filters.CSRF_NONCE"]
    session.cookie_max_age = 60
    assert session.is_emptied
    found = session.source.get_session(False)
    assert found is not None
    found.principal = stand_in(GenericPrincipal, name="anna", roles=())
    assert not session.is_emptied  # whoever has logged in with the container stays logged in
    found.principal = None
    assert SessionFacade(session.source)[COOKIE_MAX_AGE] == 60


def test_a_life_time_is_set_and_taken_back() -> None:
    session = new_session()
    session.set_lifetime(60)  # without a session it is nobody's
    assert session.max_inactive_interval is None
    session["a"] = 1
    session.set_lifetime(60)
    assert session.max_inactive_interval == 60
    session.set_lifetime(None)
    assert session.max_inactive_interval == local_manager().default_max_inactive_interval


def test_a_local_session_is_found_by_its_id_refuses_what_cannot_travel_and_says_which_cookie_is_sent() -> None:
    source = LocalSource()
    session = FrameworkSession(source)
    with pytest.raises(NotReplicableError, match="bad"):
        session["bad"] = threading.Lock()
    session["a"] = [1]
    first = source.end()
    assert first == session.id
    source = LocalSource(first)
    session = FrameworkSession(source)
    session["a"].append(2)
    assert source.end() is None
    changed = session.change_id()
    assert source.end() == changed != first
    assert FrameworkSession(LocalSource(first)).get("a") is None
    assert FrameworkSession(LocalSource(changed)).get("a") == [1, 2]
    session.invalidate()
    session.delete_cookie()
    assert source.end() == ""
    assert FrameworkSession(LocalSource(changed)).get("a") is None
    with pytest.raises(InvalidSessionError):
        LocalSource("unknown").change_session_id()


def test_the_manager_of_the_process_says_once_that_there_is_no_container(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(framework_session, "_local", framework_session._Local())
    assert local_manager() is local_manager()
    assert [record.message for record in caplog.records] == [
        "No Catalina container serves this process: sessions are kept in its memory, "
        "for this process alone and as long as it runs"
    ]


def test_a_request_outside_of_the_container_can_switch_to_another_session() -> None:
    other, source = new_session(), LocalSource()
    other["a"] = 1
    session = FrameworkSession(source)
    session["b"] = 2
    source.switch_session(str(other.id))
    assert dict(session) == {"a": 1}
    assert source.end() == other.id
    with pytest.raises(InvalidSessionError, match="bound to the session"):
        OneSession(source.get_session()).switch_session("x")  # type: ignore[arg-type]  # there is one
