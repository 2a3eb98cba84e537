"""A session for every request."""

from catalina.filters.session_initializer_filter import SessionInitializerFilter
from tests.filters.middleware import Session, Stand


def test_a_session_is_made_and_left_empty():
    session = Stand(SessionInitializerFilter()).ask().seen["catalina.session"]
    assert session.id == "S1"
    assert dict(session) == {}


def test_a_session_that_is_there_is_left_alone():
    session = Session()
    session["a"] = 1
    assert dict(Stand(SessionInitializerFilter()).ask(**{"catalina.session": session}).seen["catalina.session"]) == {
        "a": 1
    }
