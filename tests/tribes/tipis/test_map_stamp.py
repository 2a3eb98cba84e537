from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.tribes.io.java import ObjectInputStream, dumps
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_message import MSG_PROXY, MapMessage
from catalina.tribes.tipis.map_stamp import NO_STAMP, Stamp, VersionClock, is_same_life, stamp_key, unstamp_key

ME = Member(b"\x0a\0\0\x01", 4000)
OTHER = Member(b"\x0a\0\0\x02", 4000)
VERSIONS = st.binary(min_size=16, max_size=16).filter(any)


def test_versions_of_one_node_rise_whatever_its_clock_does() -> None:
    clock = VersionClock()
    made = [clock.tick(ME, now_us) for now_us in (5, 5, 1, 6)]
    assert made == sorted(set(made))


def test_a_version_is_later_than_all_that_was_heard() -> None:
    ahead, behind = VersionClock(), VersionClock()
    heard = ahead.tick(OTHER, 1000)
    assert behind.tick(ME, 1) < heard
    behind.heard(Stamp(heard))
    assert behind.tick(ME, 2) > heard


def test_two_nodes_never_make_the_same_version() -> None:
    assert VersionClock().tick(ME, 1) != VersionClock().tick(OTHER, 1)


def test_versions_tell_a_map_from_the_one_before_it_on_the_same_node() -> None:
    before, after = VersionClock(), VersionClock()
    first = before.tick(ME, 1)
    assert is_same_life(first, before.tick(ME, 1))
    assert not is_same_life(first, after.tick(ME, 2))


def test_versions_tell_a_map_that_was_stopped_from_what_it_is_when_started_again() -> None:
    clock = VersionClock()
    first = clock.tick(ME, 1)
    clock.end_life()
    second = clock.tick(ME, 2)
    assert second > first
    assert not is_same_life(first, second)


def test_what_says_to_come_from_the_end_of_time_does_not_stop_the_clock() -> None:
    clock = VersionClock()
    clock.heard(Stamp(b"\xff" * 16))
    assert clock.tick(ME, 1) != clock.tick(ME, 1)


@settings(max_examples=100)
@given(st.text(max_size=40), VERSIONS, VERSIONS, st.sampled_from([b"", b"c" * 16]), st.sampled_from([b"", b"b" * 16]))
def test_a_stamp_is_found_behind_the_key(key: str, birth: bytes, claim: bytes, content: bytes, base: bytes) -> None:
    stamp = Stamp(birth, claim, content, base)
    assert unstamp_key(stamp_key(dumps(key), stamp)) == (dumps(key), stamp, b"")


@pytest.mark.parametrize("key", ["", "k", "w2Pv" + "x" * 48, 7, b"bytes"])
def test_a_key_without_stamp_is_left_alone(key: object) -> None:
    assert stamp_key(dumps(key), NO_STAMP) == dumps(key)
    assert unstamp_key(dumps(key)) == (dumps(key), NO_STAMP, b"")


@settings(max_examples=100)
@given(st.binary(max_size=100))
def test_any_bytes_are_a_key_with_or_without_a_stamp(data: bytes) -> None:
    key, stamp, names = unstamp_key(data)
    assert data.startswith(key + names)
    assert (stamp == NO_STAMP) == (key + names == data) or stamp.birth == b""


def test_a_java_stream_reader_meets_the_key_and_then_block_data() -> None:
    stamp = Stamp(b"1" * 16, b"2" * 16, b"3" * 16)
    stream = ObjectInputStream(stamp_key(dumps("key"), stamp))
    assert stream.read_encoded().to_stream() == dumps("key")
    assert not stream.at_end


def test_a_message_brings_its_stamp() -> None:
    message = MapMessage(b"map", MSG_PROXY, dumps("k"), primary=ME, nodes=(OTHER,), stamp=Stamp(b"1" * 16, b"2" * 16))
    read = MapMessage.decode(message.encode())
    assert (read.key, read.stamp) == (message.key, message.stamp)
