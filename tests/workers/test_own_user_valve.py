"""A request for an application with a user of its own goes to its process, and its connection stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalina.connector.request import Request
from catalina.connector.response import Response
from catalina.errors import CatalinaError
from catalina.workers.away_manager import AwayManager
from catalina.workers.own_user_valve import OwnUserValve
from catalina.workers.relay_connection import RELAYED
from catalina.workers.request_relay import RelayError, RequestRelay
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request


class Visit:
    """One request.

    Args:
        fault: of the way to the process.
    """

    def __init__(self, fault: CatalinaError | None = None, *, relayed: bool = False) -> None:
        self.asked: list[tuple[int, int]] = []

        def relay(choose: Callable[[], int], connector: int, request: Request, response: Response) -> None:
            if fault is not None:
                raise fault
            self.asked.append((choose(), connector))
            response.handed_over = True

        manager = AwayManager("key", lambda: [512], lambda service, argument: None)
        passes: Any = stand_in(RequestRelay, relay=relay)
        valve = OwnUserValve(manager, passes, lambda connector: 4)
        self.request, self.response = make_request("/shop/")
        if relayed:
            self.request.notes[RELAYED] = True
        valve.invoke(self.request, self.response)


def test_the_process_answers_and_this_worker_logs_it() -> None:
    visit = Visit()
    assert visit.asked == [(512, 4)]
    assert not visit.response.handed_over


@pytest.mark.parametrize(
    ("fault", "status"), [(RelayError(503, "no room"), 503), (RelayError(502, "ended"), 502), (CatalinaError("?"), 503)]
)
def test_without_an_answer_the_client_is_told_so(fault: CatalinaError, status: int) -> None:
    visit = Visit(fault)
    assert (visit.response.status, visit.response.is_error) == (status, True)


def test_a_request_of_another_worker_is_not_sent_on() -> None:
    visit = Visit(relayed=True)
    assert (visit.response.status, visit.asked) == (503, [])
