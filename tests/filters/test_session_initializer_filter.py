"""A session for every request."""

from typing import Any

from catalina.filters.session_initializer_filter import SessionInitializerFilter
from tests.filters.middleware import Session, Stand
from tests.support.narrowing import there


def test_a_session_is_made_and_left_empty():
    session = there(Stand(SessionInitializerFilter()).ask().seen)["catalina.session"]
    assert session.id == "S1"
    assert dict(session) == {}


def test_a_session_that_is_there_is_left_alone():
    session = Session()
    session["a"] = 1
    environ: dict[str, Any] = {"catalina.session": session}
    seen = there(Stand(SessionInitializerFilter()).ask(**environ).seen)
    assert dict(seen["catalina.session"]) == {"a": 1}
