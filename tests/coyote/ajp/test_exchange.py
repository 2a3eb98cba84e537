from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.ajp.exchange import CLOSED, EVENTS, OWED, REQUEST, SENDING, SENT, AjpExchange, State
from catalina.coyote.ajp.response_packets import FLUSH
from catalina.errors import LimitError, ProtocolError
from tests.coyote.ajp.web_server import CPING, body, decode, forward_request, packet

GET = packet(forward_request("GET", "/get"))
SIZED = packet(forward_request("POST", "/sized", [(0xA008, "11")]))
CHUNKED = packet(forward_request("POST", "/chunked", [("transfer-encoding", "chunked")]))
NOTHING = body(b"")


@dataclass
class Given:
    """An answer."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body_allowed: bool = True
    reason: str = "Fine"


def items(data: bytes) -> list[Any]:
    """Decode the packets of a container."""
    found = []
    while data:
        size = int.from_bytes(data[2:4], "big")
        found.append(decode(data[4 : 4 + size]))
        data = data[4 + size :]
    return found


class Server:
    """A connection without a socket: answers each request with its method, path and body.

    Args:
        reads: the application reads the bodies.
    """

    def __init__(self, reads: bool = True) -> None:
        self.exchange = AjpExchange(8192, 100)
        self.reads = reads
        self.answers: list[str] = []
        self.pings = self.asked = 0
        self._name = ""
        self._body = b""

    def receive(self, data: bytes) -> None:
        self.exchange.receive(data)
        if self.exchange.state is OWED:
            self._read()
        while self.exchange.state is REQUEST:
            payload = self.exchange.next_packet()
            if payload is None:
                return
            if self.exchange.is_ping(payload):
                self.pings += 1
                continue
            told = self.exchange.begin(payload, ending=False)
            self._name, self._body = f"{told.method} {told.uri}", b""
            self._read()

    def _read(self) -> None:
        while self.reads and not self.exchange.body_ended:
            part = self.exchange.next_body()
            if part is None:
                self.asked += bool(self.exchange.ask_for_body())
                return
            self._body += part
        text = f"{self._name} {self._body.decode(errors='replace') if self.reads else '-'}"
        sent = b"".join(self.exchange.begin_answer(Given(), text.encode(), True))
        ((_, status, _), (_, data), (_, reuse)) = items(sent)
        self.answers.append(f"{status} {data.decode()}{'' if reuse else ' close'}")
        self.exchange.next(ending=False)


STREAM = GET + CPING + SIZED + body(b"hello ") + body(b"world") + CHUNKED + body(b"abc") + NOTHING + GET
ANSWERS = ["200 GET /get ", "200 POST /sized hello world", "200 POST /chunked abc", "200 GET /get "]


def test_answers_are_the_same_wherever_the_bytes_are_cut():
    whole = [[STREAM], [STREAM[at : at + 1] for at in range(len(STREAM))]]
    for parts in [*whole, *([STREAM[:cut], STREAM[cut:]] for cut in range(1, len(STREAM)))]:
        server = Server()
        for part in parts:
            server.receive(part)
        assert (server.answers, server.pings, server.exchange.state) == (ANSWERS, 1, REQUEST), parts
        assert server.exchange.is_between


@given(st.lists(st.integers(0, len(STREAM) - 1), max_size=12))
def test_answers_are_the_same_in_any_pieces(cuts):
    marks = sorted({0, *cuts, len(STREAM)})
    server = Server()
    for start, end in itertools.pairwise(marks):
        server.receive(STREAM[start:end])
    assert server.answers == ANSWERS


@given(st.binary(max_size=200), st.sampled_from([b"", GET, SIZED, CHUNKED + body(b"abc")]), st.booleans())
def test_any_bytes_are_answered_wait_for_more_or_are_refused(data, before, reads):
    server = Server(reads)
    try:
        server.receive(before)
        server.receive(data)
    except ProtocolError:
        return
    assert server.exchange.state in (REQUEST, OWED)


def test_a_body_packet_comes_once_unasked_and_then_when_it_is_asked_for():
    server = Server()
    server.receive(SIZED)
    assert server.asked == 0
    server.receive(body(b"hello "))
    assert server.asked == 1
    server.receive(body(b"wo"))
    assert server.asked == 2
    server.receive(body(b"rld"))
    assert server.answers == ["200 POST /sized hello world"]
    server.receive(CHUNKED)
    assert server.asked == 3


def test_the_packet_of_a_body_that_nobody_reads_does_not_pose_as_a_request():
    for cut in range(1, len(SIZED) + 20):
        server = Server(reads=False)
        stream = SIZED + body(b"hello world") + GET
        server.receive(stream[:cut])
        server.receive(stream[cut:])
        assert server.answers == ["200 POST /sized -", "200 GET /get -"], cut


# The table


def begun(request: bytes = GET, size: int = 8192) -> AjpExchange:
    exchange = AjpExchange(size, 100)
    exchange.receive(request)
    payload = exchange.next_packet()
    assert payload is not None
    exchange.begin(payload, ending=False)
    return exchange


def in_state(state: State) -> AjpExchange:
    if state is REQUEST:
        return AjpExchange(8192, 100)
    exchange = begun(CHUNKED)
    if state is SENDING:
        exchange.begin_answer(Given(), b"", False)
    elif state in (SENT, CLOSED):
        exchange.begin_answer(Given(), b"", True)
    if state is CLOSED:
        exchange.next(ending=True)
    assert exchange.state is state
    return exchange


#: Each call, and the states in which it is possible.
CALLS: dict[str, tuple[Callable[[AjpExchange], Any], tuple[State, ...]]] = {
    "next_packet": (lambda exchange: exchange.next_packet(), (REQUEST,)),
    "begin": (lambda exchange: exchange.begin(forward_request("GET", "/"), False), (REQUEST,)),
    "refuse": (lambda exchange: exchange.refuse(), (OWED,)),
    "next_body": (lambda exchange: exchange.next_body(), (OWED, SENDING)),
    "ask_for_body": (lambda exchange: exchange.ask_for_body(), (OWED, SENDING)),
    "begin_answer": (lambda exchange: exchange.begin_answer(Given(), b"", False), (OWED,)),
    "whole answer": (lambda exchange: exchange.begin_answer(Given(), b"", True), (OWED,)),
    "fail_answer": (lambda exchange: exchange.fail_answer(True), (OWED,)),
    "more": (lambda exchange: exchange.more(b"x"), (SENDING,)),
    "flush": (lambda exchange: exchange.flush(), (SENDING,)),
    "end_answer": (lambda exchange: exchange.end_answer(), (SENDING,)),
    "next": (lambda exchange: exchange.next(False), (SENT,)),
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("name", CALLS)
def test_each_call_is_possible_in_its_states_and_refused_in_all_others(state, name):
    call, possible = CALLS[name]
    exchange = in_state(state)
    if state in possible:
        call(exchange)
    else:
        with pytest.raises(RuntimeError, match=rf"in state {state.name}, expected"):
            call(exchange)
        assert exchange.state is state


def test_every_state_can_be_reached_and_all_but_the_last_can_be_left():
    assert {REQUEST} | {target for event in EVENTS for target in event.values()} == set(State)
    left = {state for event in EVENTS for state, target in event.items() if target is not state}
    assert set(State) - left == {CLOSED}


# Requests


@pytest.mark.parametrize(
    ("method", "fields", "ended"),
    [
        ("GET", [], True),
        ("GET", [(0xA008, "5")], False),
        ("GET", [("transfer-encoding", "chunked")], False),
        ("POST", [(0xA008, "0")], True),
        ("POST", [], False),
    ],
)
def test_a_request_has_a_body_when_it_says_so_or_its_method_may_have_one(method, fields, ended):
    assert begun(packet(forward_request(method, "/", fields))).body_ended is ended


@pytest.mark.parametrize("kind", [7, 8, 99])
def test_other_packets_than_requests_and_pings_are_not_accepted(kind):
    exchange = AjpExchange(8192, 100)
    exchange.receive(packet(bytes((kind,))))
    with pytest.raises(ProtocolError, match="is not accepted here"):
        exchange.next_packet()


def test_a_body_longer_than_its_length_is_refused():
    exchange = begun(SIZED)
    exchange.receive(body(b"hello world!"))
    with pytest.raises(ProtocolError, match="Content-Length leaves 11"):
        exchange.next_body()


# Answers


def test_an_answer_in_pieces_ends_with_a_packet_of_its_own():
    exchange = begun()
    sent = b"".join(exchange.begin_answer(Given(), b"", False)) + b"".join(exchange.more(b"abc"))
    sent += exchange.end_answer()
    assert [item[0] for item in items(sent)] == ["headers", "body", "end"]
    assert exchange.next(ending=False) is REQUEST


def test_data_larger_than_a_packet_leaves_in_several():
    exchange = begun()
    sent = items(b"".join(exchange.begin_answer(Given(), b"x" * 20_000, True)))
    assert [len(item[1]) for item in sent if item[0] == "body"] == [8184, 8184, 3632]


def test_fields_of_the_web_servers_connection_are_not_the_applications():
    fields = [("Connection", "close"), ("X", "1"), ("Transfer-Encoding", "chunked"), ("Content-Length", "0")]
    ((_, _, told), _) = items(b"".join(begun().begin_answer(Given(headers=fields), b"", True)))
    assert dict(told) == {"X": "1", "Content-Length": "0"}


def test_a_head_longer_than_a_packet_is_a_500_and_the_last_answer():
    exchange = begun(size=1000)
    with pytest.raises(LimitError):
        exchange.begin_answer(Given(headers=[("X", "y" * 1000)]), b"", True)
    ((_, status, _), (_, reuse)) = items(b"".join(exchange.fail_answer(True)))
    assert (status, reuse) == (500, False)
    assert exchange.next(ending=False) is CLOSED


def test_a_refused_request_is_the_last_of_its_connection():
    exchange = begun(SIZED)
    exchange.refuse()
    ((_, status, _), (_, reuse)) = items(b"".join(exchange.begin_answer(Given(403), b"", True)))
    assert (status, reuse) == (403, False)
    assert exchange.next(ending=False) is CLOSED


def test_a_flush_is_a_body_packet_without_data():
    exchange = begun()
    exchange.begin_answer(Given(), b"", False)
    assert exchange.flush() == FLUSH
