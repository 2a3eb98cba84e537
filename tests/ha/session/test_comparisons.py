"""Nodes that lost sight of each other, or missed messages, have the same sessions again."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest

from catalina.ha.session import comparisons
from catalina.tribes.channel import SEND_OPTIONS_USE_ACK
from catalina.tribes.ledger.record import BUCKETS, bucket_of
from tests.ha.cut import bytes_after_a_cut
from tests.ha.session.test_delta_manager import messages_of, shared_session
from tests.ha.support import FakeNetwork, Node, two_nodes
from tests.support.waiting import wait_until


def lose_everything(network: FakeNetwork) -> None:
    network.on_the_way.clear()
    network.immediate = True


def compare(a: Node, b: Node) -> None:
    a.manager.comparisons.due(b.channel.local_member)


def both(session_id: str, *nodes: Node) -> list[Any]:
    return [node.manager.find_session(session_id) for node in nodes]


def test_changes_on_both_sides_of_a_cut_are_merged_by_attribute() -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b, n=0)
    network.immediate = False
    session.set_attribute("left", 1)
    a.request(session)
    copy.set_attribute("right", 2)
    b.request(copy)
    lose_everything(network)
    compare(a, b)
    for each in both(session.id, a, b):
        assert (each.get_attribute("left"), each.get_attribute("right")) == (1, 2)


def test_of_two_changes_of_one_attribute_the_later_one_is_on_both_nodes() -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b, n=0)
    network.immediate = False
    session.set_attribute("n", "earlier")
    a.request(session)
    network.clock.advance(1)
    copy.set_attribute("n", "later")
    b.request(copy)
    lose_everything(network)
    compare(a, b)
    assert [each.get_attribute("n") for each in both(session.id, a, b)] == ["later", "later"]


def test_a_mere_read_on_the_stale_side_takes_nothing_from_the_other() -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b, cart=["apple"])
    network.immediate = False
    session.get_attribute("cart").append("pear")
    a.request(session)
    network.clock.advance(5)
    copy.get_attribute("cart")
    b.request(copy)
    lose_everything(network)
    compare(a, b)
    assert [each.get_attribute("cart") for each in both(session.id, a, b)] == [["apple", "pear"]] * 2


def test_a_logout_that_was_not_heard_is_heard_afterwards() -> None:
    network, a, b = two_nodes()
    session, _ = shared_session(a, b, n=0)
    network.immediate = False
    session.invalidate()
    lose_everything(network)
    compare(b, a)
    assert both(session.id, a, b) == [None, None]


def test_a_stale_copy_that_idles_out_does_not_end_the_session_that_is_in_use() -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b, n=0)
    network.immediate = False
    for _ in range(4):  # the clients have gone to b, which renames the session; a hears nothing of it
        network.clock.advance(600)
        b.manager.change_session_id(copy, f"{session.id.partition('.')[0]}.node2")
        copy.set_attribute("n", 1)
        b.request(copy)
    lose_everything(network)
    assert not session.is_valid
    assert [node.manager.active_sessions for node in (a, b)] == [1, 1]
    assert a.manager.find_session(copy.id).get_attribute("n") == 1


def test_one_session_that_got_two_routes_is_one_session() -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b, n=0)
    bare = session.id.partition(".")[0]
    network.immediate = False
    b.manager.change_session_id(copy, f"{bare}.node2")
    lose_everything(network)
    compare(a, b)
    assert [list(node.manager.sessions) for node in (a, b)] == [[f"{bare}.node2"]] * 2


def test_a_session_that_was_made_while_a_node_was_not_seen_reaches_it() -> None:
    network, a, b = two_nodes()
    network.immediate = False
    made = a.manager.create_session()
    made.set_attribute("n", 1)
    a.request(made)
    lose_everything(network)
    made.set_attribute("n", 2)
    a.request(made)  # b does not know the session: it asks for it
    assert b.manager.find_session(made.id).get_attribute("n") == 2


def test_a_comparison_without_an_answer_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b, n=0)
    network.immediate = False
    session.set_attribute("n", 1)
    a.request(session)
    compare(a, b)
    lose_everything(network)
    assert copy.get_attribute("n") == 0
    monkeypatch.setattr(comparisons, "AGAIN_SECONDS", 0.0)
    compare(a, b)
    assert copy.get_attribute("n") == 1


def test_a_message_of_a_comparison_that_is_lost_is_noticed() -> None:
    network, a, b = two_nodes()
    session, _ = shared_session(a, b, n=0)
    network.immediate = False
    session.set_attribute("n", 1)
    a.request(session)
    lose_everything(network)
    for node in (a, b):
        node.channel.sent.clear()
    compare(a, b)
    options = [each for node in (a, b) for _, each in node.channel.sent]
    assert len(options) > 4
    assert all(each & SEND_OPTIONS_USE_ACK for each in options)


def test_who_is_given_a_session_asks_the_others_if_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    network = FakeNetwork()
    a, b, c = nodes = [Node(network) for _ in range(3)]
    for node in nodes:
        node.start_manager()
    b.alive = False
    session, copy = shared_session(a, c, n=0)
    network.immediate = False
    copy.expire()
    lose_everything(network)
    b.alive = True
    b.manager.comparisons.clear()
    monkeypatch.setattr(comparisons, "AGAIN_SECONDS", 0.0)
    compare(a, b)
    assert None not in both(session.id, a, b)
    b.manager.comparisons.tick()
    assert both(session.id, b, c) == [None, None]


def test_nobody_is_asked_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "AGAIN_SECONDS", 0.0)
    network, a, b = two_nodes()
    network.immediate = False
    before = len(messages_of(a))
    compare(a, b)
    for _ in range(20):
        a.manager.comparisons.tick()
    assert len(messages_of(a)) - before <= comparisons.MAX_TRIES + 1


def test_each_member_is_compared_with_in_turn_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b, n=0)
    network.immediate = False
    session.set_attribute("n", 1)
    a.request(session)
    lose_everything(network)
    a.manager.comparisons.every_seconds = 0.0
    a.manager.background_process()
    assert copy.get_attribute("n") == 1


def test_an_idle_copy_asks_before_it_goes() -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b, n=0)
    network.immediate = False
    network.clock.advance(1000)
    a.request(session)  # the news of its use is lost
    lose_everything(network)
    network.clock.advance(1000)
    a.request(session)
    network.on_the_way.clear()
    network.clock.advance(900)
    copy.is_primary = False
    assert copy.is_valid
    network.clock.advance(900)
    assert b.manager.find_session(session.id) is not None


def test_a_node_that_was_not_run_for_a_while_compares_with_the_others_and_tells_when_it_is_through() -> None:
    network, a, b = two_nodes()
    session, copy = shared_session(a, b, n=0)
    network.immediate = False
    session.set_attribute("n", 1)
    a.request(session)
    network.on_the_way.clear()  # b was passed over
    is_through = b.manager.stood_still()
    assert is_through is not None
    assert not is_through()
    network.deliver()
    assert is_through()
    assert copy.get_attribute("n") == 1


def test_a_node_that_is_alone_has_nothing_to_catch_up_with() -> None:
    a = Node(FakeNetwork())
    a.start_manager()
    is_through = a.manager.stood_still()
    assert is_through is None or is_through()


def test_the_cluster_has_caught_up_when_every_manager_has() -> None:
    network, _, b = two_nodes()
    network.immediate = False
    is_through = b.cluster._stood_still()
    assert is_through is not None
    assert not is_through()
    network.deliver()
    assert is_through()


def test_a_state_is_not_left_out_for_a_member_that_is_silent() -> None:
    _, a, b = two_nodes()
    a.cluster.missed.silent[b.channel.local_member] = None
    a.manager.post_ledger(b"", b.channel.local_member, 6)
    assert a.channel.sent[-1][1] == 6


def test_after_a_cut_with_one_percent_changed_a_fiftieth_of_the_state_is_sent() -> None:
    """As with 100,000 sessions, of which a bucket has 24: a changed one costs its record and the listing of its bucket.

    So fewer sessions say the same, if they share as many buckets less. The part that does not depend on their number
    (the sums) weighs more here than there.
    """
    count = 3000
    ids = (f"S{number}" for number in itertools.count())
    dense = itertools.islice((each for each in ids if bucket_of(each) < BUCKETS * count // 100_000), count)
    compared, whole = bytes_after_a_cut(list(dense), 1024, count // 100)
    assert whole > count * 1024
    assert compared <= 0.02 * whole


def test_a_look_at_many_changed_records_is_no_step_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "MAX_FRESHENED", 5)
    network, a, b = two_nodes()
    network.immediate = False
    for _ in range(50):
        a.manager.create_session()
    looked: list[str] = []
    refresh = a.manager.reconciler.refresh

    def look(most: int | None = None) -> bool:
        before = len(a.manager.ledger.changed_buckets)
        is_fresh: bool = refresh(most)
        if before - len(a.manager.ledger.changed_buckets) > 5:
            looked.append(threading.current_thread().name)
        return is_fresh

    monkeypatch.setattr(a.manager.reconciler, "refresh", look)
    network.on_the_way.clear()
    compare(a, b)
    wait_until(lambda: network.on_the_way, "the comparison begins")
    assert looked
    assert {name.partition("[")[0] for name in looked} == {"DeltaManager-state"}
