"""The sessions of an application that runs in other workers."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.errors import CatalinaError
from catalina.workers.away_manager import AwayManager
from catalina.workers.services import HOLDER, KNOWS_SESSION

KEY = "Catalina/localhost//shop"


class Keeper:
    """Knows one session, which worker 4 has."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def call(self, service: str, argument: Any) -> Any:
        self.calls.append((service, argument))
        is_known = argument == [KEY, "AB"]
        return {HOLDER: 4 if is_known else None, KNOWS_SESSION: is_known}[service]


def test_a_request_goes_to_the_worker_that_has_its_session() -> None:
    keeper = Keeper()
    manager = AwayManager(KEY, lambda: (3, 4), keeper.call)
    assert manager.worker_for("AB") == 4


def test_requests_without_a_session_go_to_each_in_its_turn() -> None:
    keeper = Keeper()
    manager = AwayManager(KEY, lambda: (3, 4), keeper.call)
    assert {manager.worker_for(None) for _ in range(2)} == {manager.worker_for("CD") for _ in range(2)} == {3, 4}


def test_a_worker_that_has_gone_is_not_chosen() -> None:
    assert AwayManager(KEY, lambda: (2, 3), Keeper().call).worker_for("AB") in (2, 3)


def test_a_lone_worker_is_chosen_without_a_question() -> None:
    keeper = Keeper()
    assert AwayManager(KEY, lambda: (3,), keeper.call).worker_for("AB") == 3
    assert keeper.calls == []


def test_without_workers_there_is_nobody_to_answer() -> None:
    with pytest.raises(CatalinaError, match="no worker runs the application"):
        AwayManager(KEY, lambda: (), Keeper().call).worker_for(None)


def test_sessions_are_known_by_their_ids_alone() -> None:
    manager = AwayManager(KEY, lambda: (3,), Keeper().call)
    session = manager.find_session("AB")
    assert session is not None
    assert session.is_valid
    assert manager.find_session("CD") is None
    assert manager.find_sessions() == []
