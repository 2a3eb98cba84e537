from __future__ import annotations

from typing import Any

import pytest

from catalina.ha import request_deliveries
from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.tcp.replication_valve import ReplicationValve
from tests.ha.support import Node, two_nodes


class FakeRequest:
    def __init__(self, node: Node, uri: str = "/app/x", session: Any = None) -> None:
        context: Any = node.context
        context.manager = node.manager
        self.context = context
        self.decoded_uri = uri
        self.session = session
        self.requested_session_id = session.id if session is not None else None
        self.attributes: dict[str, Any] = {}

    def get_session(self, create: bool = True) -> Any:
        if self.session is None and create:
            self.session = self.context.manager.create_session()
        return self.session


class FakeResponse:
    def __init__(self) -> None:
        self.held: list[Any] = []

    def hold(self, delivery: Any) -> None:
        self.held.append(delivery)


class Application:
    """The rest of the pipeline: what it does to the request is the test's."""

    def __init__(self, work: Any) -> None:
        self.work = work

    def invoke(self, request: Any, response: Any) -> None:
        self.work(request)


def serve(valve: ReplicationValve, request: FakeRequest, work: Any) -> FakeResponse:
    valve.next = Application(work)  # type: ignore[assignment]
    response = FakeResponse()
    valve.invoke(request, response)  # type: ignore[arg-type]
    return response


def count(request: Any) -> None:
    session = request.get_session()
    session.set_attribute("n", session.get_attribute("n", 0) + 1)


def test_what_the_request_changed_is_on_the_other_node_when_the_valve_returns() -> None:
    _, a, b = two_nodes()
    request = FakeRequest(a)
    serve(ReplicationValve(), request, count)
    assert b.manager.find_session(request.session.id).get_attribute("n") == 1


def test_a_synchronous_answer_is_held_for_every_message_of_the_request() -> None:
    network, a, b = two_nodes(channel_send_options=6)
    network.immediate = False

    def work(request: Any) -> None:
        count(request)
        old = request.session
        old.invalidate()
        request.session = None
        count(request)

    response = serve(ReplicationValve(), FakeRequest(a), work)
    assert len(response.held) == 5  # created, delta, expired; created, delta
    assert not any(delivery.done for delivery in response.held)
    network.deliver()
    assert all(delivery.done for delivery in response.held)
    assert b.manager.active_sessions == 1


def test_a_valve_inside_another_holds_the_answer_for_what_was_sent_inside() -> None:
    network, a, _ = two_nodes(channel_send_options=6)
    network.immediate = False
    inside: list[FakeResponse] = []

    def fails(request: Any) -> None:
        count(request)
        raise ValueError("mine")

    def work(request: Any) -> None:
        inside.append(serve(ReplicationValve(), FakeRequest(a), count))
        with pytest.raises(ValueError, match="mine"):
            serve(ReplicationValve(), FakeRequest(a), fails)
        count(request)

    outside = serve(ReplicationValve(), FakeRequest(a), work)
    assert (len(inside[0].held), len(outside.held)) == (2, 2)
    assert request_deliveries.current.noted.deliveries is None


def test_an_asynchronous_answer_is_not_held() -> None:
    network, a, _ = two_nodes(channel_send_options=8)
    network.immediate = False
    assert serve(ReplicationValve(), FakeRequest(a), count).held == []
    assert len(network.on_the_way) == 2


class Loop:
    """The runner of a loop, between the requests of a round and their answers."""

    in_runner = True

    def __init__(self) -> None:
        self.tasks: list[Any] = []

    def after_work(self, task: Any) -> None:
        self.tasks.append(task)

    def work(self) -> None:
        while self.tasks:
            self.tasks.pop(0)()


def in_a_loop(node: Node) -> tuple[ReplicationValve, Loop]:
    valve = ReplicationValve()
    valve.cluster = node.cluster
    loop = node.channel.reactor = Loop()  # type: ignore[assignment]
    return valve, loop


def test_in_the_loop_the_changes_of_a_round_are_sent_together_after_its_requests() -> None:
    _, a, b = two_nodes(channel_send_options=8)
    valve, loop = in_a_loop(a)
    requests = [FakeRequest(a), FakeRequest(a)]
    held = [serve(valve, request, count).held for request in requests]
    ids = [request.session.id for request in requests]
    assert [b.manager.find_session(each).attribute_names() for each in ids] == [[], []]
    assert len(loop.tasks) == 1
    loop.work()
    assert [b.manager.find_session(each).get_attribute("n") for each in ids] == [1, 1]
    assert held == [[], []]


def test_in_the_loop_a_synchronous_answer_is_held_until_its_own_changes_are_acknowledged() -> None:
    network, a, _ = two_nodes(channel_send_options=6)
    network.immediate = False
    valve, loop = in_a_loop(a)
    request = FakeRequest(a)
    changes, created = serve(valve, request, count).held
    assert not changes.done
    loop.work()
    network.deliver(1)
    assert (created.done, changes.done) == (True, False)
    network.deliver()
    assert changes.done


def test_in_the_loop_an_answer_without_changes_is_let_go_after_the_round() -> None:
    _, a, _ = two_nodes(channel_send_options=6)
    valve, loop = in_a_loop(a)
    request = FakeRequest(a)
    serve(valve, request, count)
    loop.work()
    (held,) = serve(valve, FakeRequest(a, session=request.session), lambda request: None).held
    assert not held.done
    loop.work()
    assert held.done


def test_in_the_loop_a_failure_to_replicate_costs_the_other_answers_nothing(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, a, b = two_nodes(channel_send_options=6)
    valve, loop = in_a_loop(a)
    bad, good = FakeRequest(a), FakeRequest(a)
    held = [serve(valve, request, count).held[0] for request in (bad, good)]
    take_actions = DeltaSession.take_actions
    monkeypatch.setattr(DeltaSession, "take_actions", lambda self: 1 / 0 if self is bad.session else take_actions(self))
    loop.work()
    assert all(each.done for each in held)
    assert "Unable to perform replication request." in caplog.text
    assert b.manager.find_session(good.session.id).get_attribute("n") == 1


def test_a_filtered_uri_replicates_nothing_until_another_request_does() -> None:
    _, a, b = two_nodes()
    valve = ReplicationValve()
    valve.set_attribute("filter", r".*\.gif|.*\.js")
    request = FakeRequest(a, "/app/x.gif")
    serve(valve, request, count)
    session_id = request.session.id
    assert b.manager.find_session(session_id).attribute_names() == []
    serve(valve, FakeRequest(a, "/app/gif", request.session), count)
    assert b.manager.find_session(session_id).get_attribute("n") == 2
    assert valve.nr_of_filter_requests == 1


def test_the_primary_indicator_tells_whether_this_node_is_primary() -> None:
    _, a, b = two_nodes()
    first = FakeRequest(a)
    serve(ReplicationValve(), first, count)
    copy = b.manager.find_session(first.session.id)
    valve = ReplicationValve(primary_indicator=True, primary_indicator_name="primary")
    seen: list[bool] = []
    for node, session in ((b, copy), (b, copy), (a, first.session)):
        serve(valve, FakeRequest(node, session=session), lambda request: seen.append(request.attributes["primary"]))
    assert seen == [False, True, False]


def test_a_failure_to_replicate_is_logged_and_the_answer_stands(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, a, _ = two_nodes()

    def fail(session: Any, request: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(a.manager, "request_completed", fail)
    serve(ReplicationValve(), FakeRequest(a), count)
    assert "Unable to perform replication request." in caplog.text


def test_what_the_application_raises_goes_up() -> None:
    _, a, _ = two_nodes()

    def fail(request: Any) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        serve(ReplicationValve(), FakeRequest(a), fail)


def test_the_statistics_count_and_are_logged_each_hundred_requests(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    _, a, _ = two_nodes()
    valve = ReplicationValve(statistics=True)
    request = FakeRequest(a)
    for _ in range(100):
        serve(valve, request, count)
    assert (valve.nr_of_requests, valve.nr_of_send_requests) == (100, 100)
    assert "for [100] requests, [100] send requests" in caplog.text
    valve.reset_statistics()
    assert valve.nr_of_requests == 0
