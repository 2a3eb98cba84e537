from __future__ import annotations

from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import given

from catalina.errors import ProtocolError
from catalina.tribes.ledger import wire
from catalina.tribes.ledger.graves import Grave
from catalina.tribes.ledger.reconciler import GroupSums, Listed, Listing, Message, Settled, TopSums, Wanted
from catalina.tribes.ledger.record import Record, Snapshot
from catalina.tribes.ledger.version import NO_VERSION
from tests.support.work import assert_linear
from tests.tribes.ledger.support import at, value


def a_record(number: int = 1) -> Record:
    record = Record(f"X{number}.n1", at(0))
    record.take("cart", value("apple"), at(1))
    record.take("gone", None, at(2))
    record.take((1, ""), value("joe"), at(1))
    record.rename(record.id, f"Y{number}.n2", at(3))
    return record


def copies(count: int) -> list[wire.Copy[Snapshot]]:
    return [wire.Copy(a_record(number).snapshot(), 1_700_000_000_000, 1500, True) for number in range(count)]


MESSAGES: list[Message] = [
    TopSums(tuple(range(64))),
    TopSums(tuple(range(64)), is_starting=True),
    GroupSums({3: tuple(range(64)), 63: tuple(range(64))}),
    Listing({7: (Listed(1, 2, 3), Listed(4, 5, 2**64 - 1)), 4095: ()}),
    Listing({7: ()}, is_last=False),
    Wanted({7: (1, 2**64 - 1)}),
    Settled(),
    Settled(is_equal=True),
]
GRAVES = [Grave("X", at(1), None, {"X": at(2), "Y": NO_VERSION}), Grave("Z", at(1), at(2), {"Z": NO_VERSION})]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_of_a_comparison_comes_back(message: Message) -> None:
    assert wire.decode(wire.encode(message))[0] == message


def test_the_groups_say_how_many_records_there_are() -> None:
    assert wire.decode(wire.encode(GroupSums({}), 300_000))[1] == 300_000


def test_whole_records_come_back() -> None:
    sent = copies(3)
    assert wire.decode(wire.encode_copies(sent))[0] == wire.Copies(tuple(sent))


def test_ends_come_back() -> None:
    assert wire.decode(wire.encode_ends(GRAVES))[0] == wire.Ends(tuple(GRAVES))


def test_a_question_comes_back() -> None:
    assert wire.decode(wire.encode_question("X\udc80.n1"))[0] == wire.Question("X\udc80.n1")


def test_the_first_message_of_a_start_is_known() -> None:
    assert wire.is_start(wire.encode(MESSAGES[1]))
    assert not wire.is_start(wire.encode(MESSAGES[0]))
    assert not wire.is_start(b"")


def test_an_idle_time_that_is_too_long_is_the_longest() -> None:
    sent = wire.Copy(a_record().snapshot(), 0, 2**40)
    (copy,) = wire.decode(wire.encode_copies([sent]))[0].copies  # type: ignore[union-attr]
    assert copy.idle_ms == wire.MAX_IDLE_MS


VALID = [wire.encode(message) for message in MESSAGES]
VALID += [wire.encode_copies(copies(2)), wire.encode_ends(GRAVES), wire.encode_question("X")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "expected a message of the ledger, got nothing"),
        (b"\x63", "expected a message of the ledger, got 63"),
        (wire.encode(Settled()) + b"\x00", "1 bytes behind the message"),
        (b"\x06\x00\x00\x00\x00\xff\xff\xff\xff", "4294967295 entries cannot be in 0 bytes"),
        (b"\x03\x00\x00\x01\x10\x00\x00\x00\x00\x00", "expected a bucket below 4096, got 4096"),
        (b"\x08\x00\x00\x00\x01\xff", "expected UTF-8"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, why: str) -> None:
    with pytest.raises(ProtocolError, match=why):
        wire.decode(data)


def test_a_value_that_is_no_value_is_refused() -> None:
    data = wire.encode_copies(copies(1))
    broken = data.replace(value("apple").data, b"\x7f" * len(value("apple").data))
    with pytest.raises(ProtocolError):
        wire.decode(broken)


@given(st.binary(max_size=200) | st.sampled_from(VALID).flatmap(lambda data: st.binary(max_size=4).map(data.__add__)))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    try:
        wire.decode(data)
    except ProtocolError:
        pass


@given(st.sampled_from(VALID), st.data())
def test_any_change_of_a_message_is_a_message_or_an_error(data: bytes, draw: st.DataObject) -> None:
    changed = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 4))):
        changed[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    try:
        wire.decode(bytes(changed))
    except ProtocolError:
        pass


def test_reading_costs_what_there_is_to_read() -> None:
    def reading(count: int) -> Callable[[], object]:
        data = wire.encode_copies(copies(count))
        return lambda: wire.decode(data)

    assert_linear(reading, 100)
