"""Packages: the envelope of a message."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.io.channel_data import PackageDecoder, PackageEncoder, UniqueIds, encode_package, framed_size
from catalina.tribes.member import Member
from tests.support.work import assert_linear
from tests.tribes.wire import cases, member

SENDER = Member(bytes([10, 0, 0, 1]), 4000, alive_ms=5, unique_id=b"s" * 16)
MESSAGE = ChannelMessage(b"hello", 3, 1_700_000_000_000, b"u" * 16, SENDER)


def plain(message: ChannelMessage) -> tuple[object, ...]:
    return (message.data, message.options, message.timestamp_ms, message.unique_id, message.address)


@pytest.mark.parametrize("case", cases("frames"), ids=lambda case: case["name"])
def test_packages_of_tomcat_are_read_and_written_to_the_byte(case):
    wire = bytes.fromhex(case["wire"])
    message = PackageDecoder().decode(wire[11:-7])
    expected = ChannelMessage(
        bytes.fromhex(case["data"]),
        case["options"],
        case["timestamp_ms"],
        bytes.fromhex(case["unique_id"]),
        member(case["member"]),
    )
    assert plain(message) == plain(expected)
    assert PackageEncoder().frame(message) == wire
    assert framed_size(message) == len(wire)


def test_bytes_behind_the_message_are_ignored():
    assert plain(PackageDecoder().decode(encode_package(MESSAGE) + b"more")) == plain(MESSAGE)


def test_an_id_of_another_length_is_taken_as_java_does():
    odd = ChannelMessage(b"x", 0, 1, b"short", SENDER)
    assert PackageDecoder().decode(encode_package(odd)).unique_id == b"short"


def test_a_changed_record_of_the_sender_is_noticed():
    decoder, encoder = PackageDecoder(), PackageEncoder()
    for alive_ms in (5, 6):
        message = ChannelMessage(b"", 0, 0, bytes(16), SENDER.with_alive(alive_ms))
        assert decoder.decode(encoder.frame(message)[11:-7]).address.alive_ms == alive_ms


def test_a_repeated_record_is_the_same_member():
    decoder, package = PackageDecoder(), encode_package(MESSAGE)
    assert decoder.decode(package).address is decoder.decode(package).address


def test_an_envelope_without_a_member_is_refused():
    package = encode_package(MESSAGE)
    start = package.index(b"TRIBES-B")
    broken = package[: start - 4] + bytes(4) + (0).to_bytes(4, "big")
    with pytest.raises(ProtocolError, match="a member of 0"):
        PackageDecoder().decode(broken)


def test_ids_have_the_form_of_random_uuids_and_differ():
    ids = UniqueIds()
    made = {ids.next() for _ in range(1000)}
    assert len(made) == 1000
    assert {uuid.UUID(bytes=one).version for one in made} == {4}


@given(st.binary(max_size=80))
def test_any_bytes_give_a_message_or_the_documented_error(package):
    with contextlib.suppress(ProtocolError):
        assert PackageDecoder().decode(package).address.unique_id


@given(st.integers(0, len(encode_package(MESSAGE)) - 1), st.integers(0, 255))
def test_a_damaged_package_gives_a_message_or_the_documented_error(at, value):
    package = bytearray(encode_package(MESSAGE))
    package[at] = value
    with contextlib.suppress(ProtocolError):
        assert len(PackageDecoder().decode(bytes(package)).data) <= len(package)


@given(st.integers(0, len(encode_package(MESSAGE)) - 1))
def test_a_package_cut_short_is_refused(length):
    with pytest.raises(ProtocolError):
        PackageDecoder().decode(encode_package(MESSAGE)[:length])


def test_the_work_for_a_package_does_not_grow_with_its_message():
    def read(size: int) -> Callable[[], object]:
        package = encode_package(ChannelMessage(bytes(size), 3, 1, b"u" * 16, SENDER))
        return lambda: PackageDecoder().decode(package)

    assert_linear(read, 100_000)
