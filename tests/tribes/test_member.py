"""The member record."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.member import BEGIN, END, MAX_RECORD, SHUTDOWN_COMMAND, Member
from tests.support.work import assert_linear
from tests.tribes.wire import cases, member

HOST = bytes([127, 0, 0, 1])
PLAIN = Member(HOST, 4000)

ports = st.integers(-1, 65535)
members = st.builds(
    Member,
    host=st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16)),
    port=st.integers(1, 65535),
    secure_port=ports,
    udp_port=ports,
    alive_ms=st.integers(-(2**63), 2**63 - 1),
    unique_id=st.binary(min_size=16, max_size=16),
    command=st.binary(max_size=40),
    domain=st.binary(max_size=40),
    payload=st.binary(max_size=300),
)


def fields(of: Member) -> tuple[object, ...]:
    return (
        of.host,
        of.port,
        of.secure_port,
        of.udp_port,
        of.alive_ms,
        of.unique_id,
        of.command,
        of.domain,
        of.payload,
    )


#: Java writes a host of any length; nobody can be reached at one that is no address.
UNREACHABLE = ("host 0", "host 127")
CASES = [case for case in cases("members") if not case["name"].startswith(UNREACHABLE)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_records_of_tomcat_are_read_and_written_to_the_byte(case):
    wire = bytes.fromhex(case["wire"])
    decoded = Member.decode(wire)
    assert fields(decoded) == fields(member(case["member"]))
    assert decoded.encode() == wire
    assert decoded.record_size == len(wire)


def test_hosts_that_java_writes_and_nobody_can_reach_are_refused():
    odd = [case for case in cases("members") if case["name"].startswith(UNREACHABLE)]
    assert odd
    for case in odd:
        with pytest.raises(ProtocolError, match="member host of"):
            Member.decode(bytes.fromhex(case["wire"]))


def test_bytes_behind_the_record_are_ignored():
    assert Member.decode(PLAIN.encode() + b"rest") == PLAIN


def test_a_record_is_read_at_an_offset():
    assert Member.decode(b"abc" + PLAIN.encode(), 3) == PLAIN


def test_the_smallest_record_has_77_bytes():
    assert len(PLAIN.encode()) == PLAIN.record_size == 77


def test_identity_is_host_port_and_unique_id():
    same = Member(HOST, 4000, alive_ms=7, domain=b"d", payload=b"p", command=b"c")
    assert same == PLAIN
    assert hash(same) == hash(PLAIN)
    assert Member(HOST, 4001) != PLAIN
    assert Member(HOST, 4000, unique_id=b"x" * 16) != PLAIN
    assert PLAIN != "tcp://127.0.0.1:4000"


def test_names_are_written_as_tomcat_does():
    assert PLAIN.name == "tcp://127.0.0.1:4000"
    assert PLAIN.address == "127.0.0.1"
    assert Member(bytes(15) + b"\1", 4000).name == "tcp://[::1]:4000"
    assert Member(b"\1\2\3", 1).address == "010203"


def test_the_farewell_command_is_recognised():
    assert Member(HOST, 1, command=SHUTDOWN_COMMAND).is_leaving
    assert not PLAIN.is_leaving


def test_a_record_that_does_not_fit_into_a_datagram_is_refused():
    with pytest.raises(ValueError, match="limit 65535"):
        Member(HOST, 1, payload=bytes(MAX_RECORD)).encode()


@pytest.mark.parametrize("broken", [Member(b"hosts", 1), Member(HOST, 1, unique_id=b"short")])
def test_a_member_without_a_form_on_the_wire_is_refused(broken):
    with pytest.raises(ValueError, match="host of 4 or 16 bytes and a unique id of 16"):
        broken.encode()


@pytest.mark.parametrize("size", [0, 1, 5, 15, 17, 127, 255])
def test_a_host_that_is_no_address_is_refused(size):
    """It would be looked up as a name, in the thread that serves everybody."""
    fixed = struct.pack(">qiiiB", 0, 4000, -1, -1, size) + b"a" * size
    body = fixed + bytes(8) + bytes(16) + bytes(4)
    record = BEGIN + struct.pack(">i", len(body)) + body + END
    with pytest.raises(ProtocolError, match=f"member host of {size} bytes, expected an IP address of 4 or 16"):
        Member.decode(record)


@pytest.mark.parametrize("ports", [(0, -1, -1), (-1, -1, -1), (70_000, -1, -1), (1, 65_536, -1), (1, -1, -2)])
def test_ports_that_are_none_are_refused(ports):
    port, secure, udp = ports
    with pytest.raises(ProtocolError, match=f"member with port {port}, securePort {secure} and udpPort {udp}"):
        Member.decode(Member(HOST, port, secure_port=secure, udp_port=udp).encode())


def test_a_port_of_0_that_java_announces_for_none_is_taken():
    assert Member.decode(Member(HOST, 4000, secure_port=0, udp_port=0).encode()) == PLAIN


def test_the_work_for_a_record_does_not_grow_with_its_fields():
    def read(size: int) -> Callable[[], object]:
        record = Member(HOST, 1, domain=bytes(size), payload=bytes(size)).encode()
        return lambda: Member.decode(record)

    assert_linear(read, 8000)


@pytest.mark.parametrize("size", [-1, 0, 2**31 - 1, 10_000])
def test_inner_lengths_beyond_the_record_are_refused(size):
    record = bytearray(PLAIN.encode())
    record[39:43] = size.to_bytes(4, "big", signed=True)  # length of the command
    if size:
        with pytest.raises(ProtocolError, match="member field"):
            Member.decode(bytes(record))
    else:
        assert Member.decode(bytes(record)) == PLAIN


@given(members)
def test_every_member_comes_back(one):
    assert fields(Member.decode(one.encode())) == fields(one)


@given(members, st.data())
def test_a_damaged_record_is_a_member_or_the_documented_error(one, data):
    wire = bytearray(one.encode())
    at = data.draw(st.integers(0, len(wire) - 1))
    wire[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(wire)))
    for attempt in (bytes(wire), bytes(wire[:cut])):
        with contextlib.suppress(ProtocolError):
            assert len(Member.decode(attempt).unique_id) == 16
