from __future__ import annotations

from catalina.session.session import Session
from catalina.session.standard_manager import StandardManager
from tests.session.support import FakeContext


def test_the_standard_session_is_a_session_as_the_container_knows_it() -> None:
    manager = StandardManager()
    manager.context = FakeContext()
    assert isinstance(manager.create_session(), Session)
