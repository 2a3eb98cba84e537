from __future__ import annotations

from collections.abc import Callable

from catalina.tribes.ledger.commands import TellEnded
from catalina.tribes.ledger.ledger import Ledger
from catalina.tribes.ledger.reconciler import (
    MAX_LISTED,
    GroupSums,
    Listing,
    Message,
    Reconciler,
    Reply,
    Settled,
    TopSums,
    Wanted,
)
from catalina.tribes.ledger.record import bucket_of
from tests.support.work import instructions
from tests.tribes.ledger.support import at, new_ledger, us, value


def filled(node: int, count: int, source: Ledger | None = None) -> Ledger:
    """A ledger with so many records, or with copies of another one's."""
    ledger = new_ledger(node)
    if source is not None:
        for record in source:
            ledger.heard_record("source", record.snapshot(), now=0)
        return ledger
    for number in range(count):
        ledger.change(ledger.create(f"S{number}.n1", us(number)), [("a", value("1"))], us(number))
    return ledger


class Exchange:
    """Two nodes that compare; what was said, and how many records went each way."""

    def __init__(self, one: Ledger, other: Ledger) -> None:
        self.ledgers = (one, other)
        self.nodes = (Reconciler(one), Reconciler(other))
        self.said: list[Message] = []
        self.sent = [0, 0]
        self.ended = [0, 0]

    def run(self, is_starting: bool = False) -> Exchange:
        messages: list[tuple[int, Message]] = [(1, self.nodes[0].begin(is_starting))]
        while messages:
            receiver, message = messages.pop(0)
            self.said.append(message)
            reply = self.nodes[receiver].heard("peer", message)
            self._deliver(receiver, reply)
            messages += [(1 - receiver, each) for each in reply.messages]
        return self

    def _deliver(self, sender: int, reply: Reply) -> None:
        receiver = self.ledgers[1 - sender]
        for record in reply.records:
            self.sent[sender] += 1
            for command in receiver.heard_record("peer", record.snapshot(), now=0):
                if isinstance(command, TellEnded):
                    self.ledgers[sender].heard_grave("peer", command.grave, now=0)
        for grave in reply.ended:
            self.ended[sender] += 1
            receiver.heard_grave("peer", grave, now=0)


def contents(ledger: Ledger) -> dict[str, object]:
    return {record.key: (record.id, record.values) for record in ledger}


def test_equal_nodes_say_so_after_one_question() -> None:
    one = filled(1, 100)
    exchange = Exchange(one, filled(2, 0, source=one)).run()
    assert [type(message) for message in exchange.said] == [TopSums, Settled]
    assert exchange.said[-1] == Settled(is_equal=True)


def test_only_what_differs_is_sent() -> None:
    one = filled(1, 500)
    other = filled(2, 0, source=one)
    for name in ("S1", "S2", "S3"):
        record = one.find(name)
        assert record is not None
        one.change(record, [("a", value("2"))], us(1000))
    other.create("NEW.n2", us(1000))
    exchange = Exchange(one, other).run()
    assert exchange.sent == [3, 1]
    assert contents(one) == contents(other)
    assert {type(message) for message in exchange.said} == {TopSums, GroupSums, Listing, Wanted, Settled}


def test_what_changed_on_both_sides_is_merged() -> None:
    one = filled(1, 1)
    other = filled(2, 0, source=one)
    for ledger, name in ((one, "left"), (other, "right")):
        record = ledger.find("S0")
        assert record is not None
        ledger.change(record, [(name, value("x"))], us(1000))
    for _ in range(2):
        Exchange(one, other).run()
    assert contents(one) == contents(other)
    record = one.find("S0")
    assert record is not None
    assert set(record.values) == {"a", "left", "right"}


def test_what_has_ended_on_one_side_ends_on_the_other() -> None:
    for who in (0, 1):
        one = filled(1, 10)
        other = filled(2, 0, source=one)
        ledger = (one, other)[who]
        record = ledger.find("S3")
        assert record is not None
        ledger.end(record, us(1000), now=0)
        Exchange(one, other).run()
        assert (one.find("S3"), other.find("S3")) == (None, None)


def test_a_node_that_starts_gets_everything_and_every_end() -> None:
    one = filled(1, 200)
    record = one.find("S3")
    assert record is not None
    one.end(record, us(1000), now=0)
    joiner = new_ledger(3)
    exchange = Exchange(joiner, one).run(is_starting=True)
    assert contents(joiner) == contents(one)
    assert joiner.grave_of("S3") is not None
    assert exchange.sent == [0, 199]


def test_a_background_look_does_so_much_at_a_time() -> None:
    one = filled(1, 100)
    reconciler = Reconciler(one)
    changed = len(one.changed_buckets)
    reconciler.refresh(most=10)
    assert len(one.changed_buckets) == changed - 10


def test_the_work_follows_the_difference_and_not_the_records() -> None:
    def compare(records: int) -> Callable[[], object]:
        one = filled(1, records)
        exchange = Exchange(one, filled(2, 0, source=one))
        for node in exchange.nodes:
            node.refresh()
        record = one.find("S0")
        assert record is not None
        one.change(record, [("a", value("2"))], us(10_000))
        return exchange.run

    assert instructions(compare(4000)) < 1.5 * instructions(compare(2000))


def test_a_long_listing_comes_in_parts_and_only_the_last_one_settles() -> None:
    one = filled(1, 1500)
    other = filled(2, 0, source=one)
    for record in one:
        one.change(record, [("a", value("2"))], us(10_000))
    exchange = Exchange(one, other).run()
    listings = [message for message in exchange.said if isinstance(message, Listing)]
    assert [listing.is_last for listing in listings] == [False] * (len(listings) - 1) + [True]
    assert max(sum(map(len, listing.buckets.values())) for listing in listings) < MAX_LISTED + 10
    wanted = [message for message in exchange.said if isinstance(message, Wanted)]
    assert exchange.said.count(Settled()) == 1 + len(wanted)  # each of them has its answer
    assert contents(one) == contents(other)


def test_a_node_that_has_nothing_is_given_everything_at_once() -> None:
    one = filled(1, 100)
    one.changed_buckets.add(0)
    exchange = Exchange(new_ledger(2), one).run(is_starting=True)
    assert [type(message) for message in exchange.said] == [TopSums, Settled]
    assert one.changed_buckets  # no digest was made for it


def test_a_listing_looks_only_at_the_ends_of_its_buckets() -> None:
    def listing(ended: int) -> Callable[[], object]:
        ledger = filled(1, ended)
        for record in list(ledger):
            if record.key != "S0":
                ledger.end(record, us(1000), now=0)
        reconciler = Reconciler(ledger)
        return lambda: reconciler.heard("peer", Listing({bucket_of("S0"): ()}))

    assert instructions(listing(4000)) < 1.5 * instructions(listing(1000))


def test_a_look_at_what_has_not_changed_costs_the_same_however_many_records_there_are() -> None:
    def look(records: int) -> Callable[[], object]:
        reconciler = Reconciler(filled(1, records))
        reconciler.refresh()
        return lambda: reconciler.heard("peer", reconciler.begin())

    assert instructions(look(4000)) < 1.1 * instructions(look(100))


def test_a_name_that_is_learned_without_anything_else_changes_the_sums() -> None:
    one, other = new_ledger(1), new_ledger(2)
    record = one.create("A.n1", us(1))
    other.heard_record("one", record.snapshot(), 0.0)
    reconciler = Reconciler(other)
    before = reconciler.begin()
    snapshot = record.snapshot()
    snapshot.names["B"] = at(2)  # a replaced id that this node has not heard of
    other.heard_record("one", snapshot, 0.0)
    assert reconciler.begin() != before
