"""A request goes to where its session is, if its connection can."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from catalina.connector.connector import Connector
from catalina.connector.headers import Headers
from catalina.connector.parameters import parse_cookies
from catalina.connector.request import Request
from catalina.connector.response import Response
from catalina.core.context_attributes import Affinity
from catalina.core.standard_context import StandardContext
from catalina.reactor import Reactor
from catalina.valves.valve_base import ValveBase
from catalina.workers import worker_affinity_valve
from catalina.workers.away_manager import AwayManager
from catalina.workers.relay_connection import RELAYED
from catalina.workers.request_relay import RelayError
from catalina.workers.worker_affinity_valve import WorkerAffinityValve
from tests.support.stand_in import stand_in
from tests.support.waiting import wait_until
from tests.workers.small_node import SmallNode

MakeNode = Callable[..., SmallNode]


gone: set[int] = set()  # indexes of workers that do not run the application any more


def runs_in(context: object, worker: int) -> bool:
    return worker not in gone


class Moves:
    """Takes the connections that leave."""

    index = 0

    def __init__(self) -> None:
        self.may = True
        self.moved: list[tuple[int, int]] = []

    def may_move(self, peer: tuple[str, int]) -> bool:
        return self.may

    def move(self, worker: int, connector: int, handover: object) -> None:
        self.moved.append((worker, connector))


class Port(NamedTuple):
    """A connector."""

    has_own_port: bool


class Next(ValveBase):
    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []

    def invoke(self, request: Any, response: Any) -> None:
        self.requests.append(request)


class Visit:
    """One request through the valve of a worker."""

    def __init__(
        self,
        manager: Any,
        session_id: str | None,
        *,
        can_hand_over: bool = True,
        may: bool = True,
        own_port: bool = False,
    ) -> None:
        moves: Any = Moves()
        moves.may = may
        relay: Any = None
        valve = WorkerAffinityValve(moves, relay, lambda connector: 4, lambda context, key: len(key), runs_in)
        following = Next()
        valve.next = following
        request = stand_in(
            Request,
            requested_session_id=session_id,
            context=stand_in(StandardContext, manager=manager, affinity=None, user=None),
            connector=Port(own_port),
            remote_addr="192.0.2.7",
            remote_port=40_000,
        )  # fmt: skip
        response = stand_in(Response, can_hand_over=can_hand_over, hand_over=lambda take: take(None))
        valve.invoke(request, response)
        self.moved = moves.moved
        self.served = len(following.requests) == 1


def test_a_connection_goes_to_the_worker_that_has_the_session(make_node: MakeNode) -> None:
    node = make_node()
    session = node.workers[1].request(count=1)
    assert session is not None
    wait_until(lambda: session.id in node.keeper.manager.sessions, "the keeper has it")
    visit = Visit(node.workers[0].manager, session.id)
    assert visit.moved == [(1, 4)]
    assert not visit.served
    assert not node.workers[0].manager.sessions, "it has no copy"


def test_a_worker_that_has_the_session_and_no_longer_the_application_gets_nothing(
    make_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_node()
    session = node.workers[1].request(count=1)
    assert session is not None
    wait_until(lambda: session.id in node.keeper.manager.sessions, "the keeper has it")
    monkeypatch.setitem(globals(), "gone", {1})
    visit = Visit(node.workers[0].manager, session.id)
    assert visit.moved == []
    assert visit.served


def test_what_cannot_move_is_served_here(make_node: MakeNode) -> None:
    node = make_node()
    session = node.workers[1].request(count=1)
    assert session is not None
    wait_until(lambda: session.id in node.keeper.manager.sessions, "the keeper has it")
    for visit in (
        Visit(node.workers[0].manager, session.id, can_hand_over=False),
        Visit(node.workers[0].manager, session.id, may=False),
        Visit(node.workers[0].manager, session.id, own_port=True),
    ):
        assert visit.served
        assert visit.moved == []


def test_a_session_that_no_worker_has_is_served_here(make_node: MakeNode) -> None:
    node = make_node()
    session = node.workers[1].request(count=1)
    assert session is not None
    wait_until(lambda: session.id in node.keeper.manager.sessions, "the keeper has it")
    node.replace_worker(1)
    wait_until(lambda: len(node.keeper.copies) == 0, "nobody has it")
    assert Visit(node.workers[0].manager, session.id).served
    assert session.id in node.workers[0].manager.sessions


def test_a_request_without_a_session_or_with_an_unknown_one_is_served_here(make_node: MakeNode) -> None:
    manager = make_node().workers[0].manager
    assert Visit(manager, None).served
    assert Visit(manager, "A" * 32).served


def test_applications_of_other_managers_are_left_alone() -> None:
    assert Visit(object(), "A" * 32).served


class Relay:
    """Has no answer, with this error, or has one."""

    def __init__(self, error: RelayError | None = None) -> None:
        self.error = error
        self.relayed: list[tuple[int, int]] = []

    def relay(self, choose: Callable[[], int], connector: int, request: object, response: object) -> None:
        self.relayed.append((choose(), connector))
        if self.error is not None:
            raise self.error


class Passing:
    """One request that goes to worker 1."""

    def __init__(self, *, can_hand_over: bool, error: RelayError | None = None) -> None:
        moves: Any = Moves()
        relay: Any = Relay(error)
        valve = WorkerAffinityValve(moves, relay, lambda connector: 4, lambda context, key: len(key), runs_in)
        valve.next = Next()
        request = stand_in(
            Request,
            connector=Port(False), remote_addr="192.0.2.7", remote_port=40_000,
            request_uri="/shop", context=object(), wrapper=object(),
        )  # fmt: skip
        self.errors: list[int] = []
        response = stand_in(Response,
            can_hand_over=can_hand_over, hand_over=lambda take: take(None), send_error=self.errors.append,
            set_header=lambda name, value: None,
        )  # fmt: skip
        valve.pass_on(lambda: 1, request, response)
        self.moved, self.relayed, self.context = moves.moved, relay.relayed, request.context


def test_a_connection_moves_where_it_can() -> None:
    passing = Passing(can_hand_over=True)
    assert (passing.moved, passing.relayed) == ([(1, 4)], [])


def test_a_request_is_relayed_where_its_connection_cannot_move() -> None:
    passing = Passing(can_hand_over=False)
    assert (passing.moved, passing.relayed) == ([], [(1, 4)])


def test_a_request_without_an_answer_gets_the_hosts_error_page() -> None:
    passing = Passing(can_hand_over=False, error=RelayError(502, "worker [1] has ended"))
    assert (passing.errors, passing.context) == ([502], None)


class Away:
    """A request for an application that another worker runs.

    Args:
        maps: the managers that the application has here, one after the other.
    """

    def __init__(self, *maps: Any, was_relayed: bool = False, workers: tuple[int, ...] = (3,)) -> None:
        moves: Any = Moves()
        nothing: Any = None
        valve = WorkerAffinityValve(moves, nothing, lambda connector: 4, lambda context, key: None, runs_in)
        following = Next()
        valve.next = following
        manager = AwayManager("key", lambda: workers, lambda service, argument: None)
        managers = list(maps)
        reactor = stand_in(Reactor, blocking=contextlib.nullcontext)
        connector = stand_in(Connector, reactor=reactor, map_request=self._map, has_own_port=False)
        self._managers = managers
        request = stand_in(
            Request,
            notes={RELAYED: True} if was_relayed else {}, connector=connector, remote_addr="192.0.2.7",
            remote_port=40_000, request_uri="/shop",
            context=stand_in(StandardContext, manager=manager, affinity=None, user=None),
            wrapper=object(),
            requested_session_id=None,
        )  # fmt: skip
        self.errors: list[int] = []
        response = stand_in(Response,
            can_hand_over=True, hand_over=lambda take: take(None), send_error=self.errors.append,
            set_header=lambda name, value: None,
        )  # fmt: skip
        valve.invoke(request, response)
        self.moved, self.served = moves.moved, len(following.requests) == 1 and not self.errors

    def _map(self, request: Any, response: Any) -> bool:
        request.context = stand_in(StandardContext, manager=self._managers.pop(0), user=None)
        return True


def test_a_request_for_an_application_of_another_worker_goes_there() -> None:
    assert Away().moved == [(3, 4)]


def test_a_request_that_no_worker_can_answer_is_refused() -> None:
    assert Away(workers=()).errors == [503]


def test_a_request_that_was_sent_here_waits_for_the_application_to_come() -> None:
    still_away = AwayManager("key", lambda: (3,), lambda service, argument: None)
    away = Away(still_away, object(), was_relayed=True)
    assert (away.moved, away.served) == ([], True)


def test_a_request_that_was_sent_here_does_not_wait_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_affinity_valve, "AGREE_SECONDS", 0.0)
    assert Away(was_relayed=True).errors == [503]


class Keyed:
    """One request to an application with an affinity; a key belongs to the worker whose number is its length."""

    def __init__(self, affinity: Affinity, *, query: str = "", was_relayed: bool = False, **fields: str) -> None:
        moves: Any = Moves()
        relay: Any = Relay()
        valve = WorkerAffinityValve(moves, relay, lambda connector: 4, lambda context, key: len(key), runs_in)
        following = Next()
        valve.next = following
        headers = Headers([(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()])
        request = stand_in(
            Request,
            notes={RELAYED: True} if was_relayed else {}, connector=Port(False),
            remote_addr="192.0.2.7", remote_port=40_000, query_string=query or None, headers=headers,
            cookies=parse_cookies(headers, 10), requested_session_id=None,
            context=stand_in(StandardContext, affinity=affinity, manager=None, user=None),
        )  # fmt: skip
        response = stand_in(Response, can_hand_over=True, hand_over=lambda take: take(None))
        valve.invoke(request, response)
        self.worker = moves.moved[0][0] if moves.moved else None
        assert (self.worker is None) is bool(following.requests)


@pytest.mark.parametrize(
    ("keyed", "worker"),
    [
        (Keyed(Affinity("cookie", "tenant"), Cookie="tenant=abc; tenant=d"), 3),
        (Keyed(Affinity("header", "X-Tenant"), x_tenant="ab"), 2),
        (Keyed(Affinity("query", "tenant"), query="a=1&tenant=%C3%A9t%20e&tenant=x"), 4),
        (Keyed(Affinity("query", "tenant"), query="tenant="), None),
        (Keyed(Affinity("query", "tenant"), query="other=1"), None),
        (Keyed(Affinity("header", "X-Tenant")), None),
        (Keyed(Affinity("header", "X-Tenant"), x_tenant="ab", was_relayed=True), None),
    ],
    ids=["cookie", "header", "query", "own", "other query", "none", "relayed"],
)
def test_requests_with_one_key_go_to_one_worker(keyed: Keyed, worker: int | None) -> None:
    assert keyed.worker == worker
