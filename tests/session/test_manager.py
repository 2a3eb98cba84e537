from __future__ import annotations

from catalina.session.manager import Manager
from catalina.session.persistent_manager import PersistentManager
from catalina.session.standard_manager import StandardManager


def test_the_managers_are_managers_as_the_container_knows_them() -> None:
    assert isinstance(StandardManager(), Manager)
    assert isinstance(PersistentManager(), Manager)
