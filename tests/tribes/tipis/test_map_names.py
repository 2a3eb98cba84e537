from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java import ObjectInputStream, dumps
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_message import MSG_PROXY, MapMessage
from catalina.tribes.tipis.map_names import MAX_NAMES, Names, decode_names
from catalina.tribes.tipis.map_stamp import NO_STAMP, Stamp, stamp_key, unstamp_key

ME = Member(b"\x0a\0\0\x01", 4000)
BORN = Names("X", "X.n1")


def bare(key: str) -> str:
    return key.partition(".")[0]


def version(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_a_route_is_presentation() -> None:
    names = BORN.renamed("X.n2", version(1), bare)
    assert (names.key, names.leads("X")) == ("X.n2", True)
    assert names.encode(bare, is_whole=False) == b""


def test_a_replaced_bare_name_leads_nowhere_and_the_entry_is_found_by_its_first() -> None:
    names = BORN.renamed("Y.n1", version(1), bare)
    assert (names.id, names.leads("X"), names.leads("Y")) == ("X", False, True)
    assert decode_names(names.encode(bare, is_whole=False), "Y.n1") == (Names("X", "Y.n1"), False)


def test_a_route_that_crosses_a_login_goes_behind_the_new_name() -> None:
    login, move = BORN.renamed("Y.n1", version(1), bare), BORN.renamed("X.n2", version(2), bare)
    assert login.merged(move, bare).key == "Y.n2"


def test_of_two_logins_that_cross_both_names_lead_to_the_entry() -> None:
    one, other = BORN.renamed("Y.n1", version(1), bare), BORN.renamed("Z.n2", version(2), bare)
    names = one.merged(other, bare)
    assert (names.key, names.leads("X"), names.leads("Y"), names.leads("Z")) == ("Z.n2", False, True, True)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["X.n1", "X.n2", "Y.n1", "Y.n3", "Z.n2", "W"]), min_size=1, max_size=4))
def test_who_has_heard_the_same_has_the_same_names(keys: list[str]) -> None:
    changes = [BORN.renamed(key, version(number + 1), bare) for number, key in enumerate(keys)]
    found = set()
    for order in itertools.permutations(changes):
        names = BORN
        for change in order:
            names = names.merged(change, bare)
        found.add((names.key, tuple(sorted(names.all.items()))))
    assert len(found) == 1


def test_the_names_of_an_entry_are_bounded_and_the_one_in_use_stays() -> None:
    names = BORN
    for number in range(MAX_NAMES + 5):
        names = names.renamed(f"N{number:02}.n1", version(number + 1), bare)
    assert len(names.all) == MAX_NAMES
    assert names.leads(f"N{MAX_NAMES + 4:02}")


NAMES = st.text(max_size=60)


@settings(max_examples=200)
@given(NAMES, st.dictionaries(NAMES, st.binary(min_size=16, max_size=16).filter(any), max_size=MAX_NAMES))
def test_whole_names_are_read_as_they_are_written(first: str, replaced: dict[str, bytes]) -> None:
    key = "shown.n1"
    names = Names(first, key, version(7), {**replaced, "shown": b""} if replaced else None)
    if len(names.all) <= MAX_NAMES:
        assert decode_names(names.encode(bare, is_whole=True), key) == (names, True)


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_other_bytes_are_names_or_refused(data: bytes) -> None:
    for head in (b"", b"\x77" + bytes([min(255, len(data) + 2)]) + b"Pn"):
        try:
            names, _ = decode_names(head + data, "Y.n1")
        except ProtocolError:
            continue
        assert names.key == "Y.n1"


@pytest.mark.parametrize(
    "stamp", [NO_STAMP, Stamp(b"1" * 16, b"2" * 16), Stamp(b"1" * 16, b"2" * 16, b"3" * 16, b"4" * 16)]
)
@pytest.mark.parametrize("count", [1, 3, MAX_NAMES - 1])
def test_names_stand_between_the_key_and_the_stamp(stamp: Stamp, count: int) -> None:
    names = BORN
    for number in range(count):
        names = names.renamed(f"{number:032}.n1", version(number + 1), bare)
    block = names.encode(bare, is_whole=True)
    data = stamp_key(dumps(names.key), stamp, block)
    assert unstamp_key(data) == (dumps(names.key), stamp, block)
    stream = ObjectInputStream(data)
    assert stream.read_encoded().to_stream() == dumps(names.key)  # as Java reads it


def test_a_message_brings_its_names() -> None:
    block = BORN.renamed("Y.n1", version(1), bare).encode(bare, is_whole=True)
    message = MapMessage(b"map", MSG_PROXY, dumps("Y.n1"), primary=ME, nodes=(), stamp=Stamp(b"1" * 16), names=block)
    read = MapMessage.decode(message.encode())
    assert (read.key, read.stamp, read.names) == (message.key, message.stamp, block)
