from __future__ import annotations

from collections.abc import MutableMapping

import pytest

from catalina.errors import InvalidSessionError
from catalina.session.session_facade import SessionFacade
from catalina.session.standard_manager import StandardManager
from catalina.session.standard_session import StandardSession
from tests.session.support import FakeClock, FakeContext


class FakeRequest:
    """Makes a session when told to, as a request does."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.manager = StandardManager(clock=self.clock)
        self.manager.context = FakeContext()
        self.manager.start()
        self.session: StandardSession | None = None
        self.committed = False

    def get_session(self, create: bool = True) -> StandardSession | None:
        if self.session is not None and not self.session.is_valid:
            self.session = None
        if self.session is None and create and not self.committed:
            self.session = self.manager.create_session()
        return self.session

    def change_session_id(self) -> str:
        assert self.session is not None
        return self.manager.change_session_id(self.session)

    def send_session_cookie(self) -> None: ...

    def switch_session(self, session_id: str) -> None:
        self.session = self.manager.find_session(session_id)

    def delete_session_cookie(self) -> None: ...

    def prefer_session_cookie(self, secure: bool, same_site: str | None, partitioned: bool) -> None: ...


@pytest.fixture
def request_() -> FakeRequest:
    return FakeRequest()


@pytest.fixture
def facade(request_: FakeRequest) -> SessionFacade:
    return SessionFacade(request_)


def test_reading_makes_no_session(request_: FakeRequest, facade: SessionFacade) -> None:
    assert facade.get("x") is None
    assert facade.get("x", 5) == 5
    assert "x" not in facade
    assert list(facade) == []
    assert len(facade) == 0
    assert not facade
    with pytest.raises(KeyError):
        facade["x"]
    with pytest.raises(KeyError):
        del facade["x"]
    facade.invalidate()
    assert (facade.id, facade.creation_time, facade.last_accessed_time, facade.max_inactive_interval) == (None,) * 4
    assert facade.principal is None
    assert facade.is_new
    assert request_.session is None


def test_setting_makes_one(request_: FakeRequest, facade: SessionFacade) -> None:
    facade["x"] = 1
    assert request_.session is not None
    assert facade.id == request_.session.id
    assert facade["x"] == 1
    assert facade.creation_time == request_.clock.now


def test_it_is_a_mutable_mapping(facade: SessionFacade) -> None:
    assert isinstance(facade, MutableMapping)
    facade.update(a=1, b=2)
    assert facade.setdefault("c", []) == []
    assert facade.pop("a") == 1
    assert dict(facade) == {"b": 2, "c": []}
    del facade["b"]
    assert list(facade.items()) == [("c", [])]
    assert "c" in facade
    facade.clear()
    assert len(facade) == 0


def test_none_is_a_value_like_any_other(facade: SessionFacade) -> None:
    facade["x"] = None
    assert "x" in facade
    assert facade["x"] is None


def test_after_invalidation_setting_makes_another_session(facade: SessionFacade) -> None:
    facade["x"] = 1
    first = facade.id
    facade.invalidate()
    assert facade.id is None
    assert facade.get("x") is None
    facade["y"] = 2
    assert facade.id not in (None, first)


def test_the_id_can_be_changed(facade: SessionFacade) -> None:
    facade["x"] = 1
    old = facade.id
    new = facade.change_id()
    assert facade.id == new != old
    assert facade["x"] == 1


def test_changing_the_id_of_no_session_is_refused(facade: SessionFacade) -> None:
    with pytest.raises(InvalidSessionError, match="no session"):
        facade.change_id()


def test_the_interval_can_be_set_before_there_is_a_session(facade: SessionFacade) -> None:
    facade.max_inactive_interval = 5
    assert facade.max_inactive_interval == 5


def test_a_request_that_cannot_have_a_session_says_so(request_: FakeRequest, facade: SessionFacade) -> None:
    request_.committed = True
    with pytest.raises(InvalidSessionError, match="committed"):
        facade["x"] = 1
