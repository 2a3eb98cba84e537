from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.http11.exchange import (
    CLOSED,
    EVENTS,
    HEAD,
    LEFT,
    LINGER,
    OWED,
    SENDING,
    SENT,
    SWALLOW,
    BadContentLength,
    Exchange,
    ResponseHeadTooLarge,
    State,
)
from catalina.coyote.http11.exchange_rules import ExchangeRules
from catalina.coyote.http11.http11_nio_protocol import Http11NioProtocol
from catalina.coyote.http_error import HttpError

GET = b"GET /get HTTP/1.1\r\nHost: a\r\n\r\n"
LENGTH = b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"PUT /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nDigest: x\r\nOther: y\r\n\r\n"
)
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
OLD = b"GET /old HTTP/1.0\r\n\r\n"
EXPECT = b"POST /expect HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"


@dataclass
class Given:
    """An answer."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body_allowed: bool = True
    reason: str = "Fine"


def rules(**attributes: str) -> ExchangeRules:
    handler = Http11NioProtocol()
    for name, text in {"allowedTrailerHeaders": "Digest", **attributes}.items():
        assert handler.set_attribute(name, text)
    return ExchangeRules(handler, lambda: 1_000_000_000.0)


class Server:
    """A connection without a socket: answers each request with its method, path and body.

    Args:
        reads: the application reads the bodies.
    """

    def __init__(self, reads: bool = True, **attributes: str) -> None:
        self.exchange = Exchange(rules(**attributes))
        self.reads = reads
        self.answers: list[str] = []
        self.trailers: list[tuple[str, str]] = []
        self._name = ""
        self._body = b""

    def receive(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange.state is HEAD:
            exchange.data += data
            self._advance()
        elif exchange.state is OWED:
            try:
                self._body += exchange.receive_body(data)
            except HttpError as refused:
                self._refuse(refused)
            else:
                if self._go_on():
                    self._advance()
        elif exchange.state is SWALLOW:
            if exchange.swallow(data) is HEAD:
                self._advance()
        elif exchange.state is LINGER:
            exchange.linger(data)

    def _advance(self) -> None:
        exchange = self.exchange
        while exchange.state is HEAD and exchange.data:
            try:
                head = exchange.next_head(ending=False)
                if head is None:
                    exchange.await_rest()
                    return
                self._name = f"{head.method} {head.path}"
                self._body = exchange.first_body()
            except HttpError as refused:
                self._refuse(refused)
                return
            if not self._go_on():
                return

    def _go_on(self) -> bool:
        if self.reads and not self.exchange.body.complete:
            return False
        self.trailers += self.exchange.allowed_trailers() if self.exchange.body.complete else []
        self._answer(200, f"{self._name} {self._body.decode(errors='replace') if self.reads else '-'}")
        return True

    def _refuse(self, refused: HttpError) -> None:
        self.exchange.refuse(http11=True)
        self._answer(refused.status, "refused")

    def _answer(self, status: int, text: str) -> None:
        head, body = self.exchange.begin_answer(Given(status), text.encode(), True, ending=False)
        closes = " close" if b"\r\nConnection: close\r\n" in head else ""
        self.answers.append(f"{head[9:12].decode()}{closes} {body.decode()}")
        self.exchange.next(ending=False)


# Every cutting


@pytest.mark.parametrize(
    ("stream", "answers", "state"),
    [
        (GET, ["200 GET /get "], HEAD),
        (b"\r\n" + GET, ["200 GET /get "], HEAD),
        (GET + LENGTH + CHUNKED + GET,
         ["200 GET /get ", "200 POST /length hello", "200 PUT /chunked hello world", "200 GET /get "], HEAD),
        (LENGTH + LAST, ["200 POST /length hello", "200 close GET /last "], CLOSED),
        (LAST + GET, ["200 close GET /last "], CLOSED),
        (OLD, ["200 close GET /old "], CLOSED),
        (GET + b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", ["200 GET /get ", "400 close refused"], LINGER),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ["400 close refused"], LINGER),
    ],
    ids=["get", "empty line", "pipelined", "close", "behind the last", "http 1.0", "no head", "no chunk"],
)  # fmt: skip
def test_answers_and_state_are_the_same_wherever_the_bytes_are_cut(stream, answers, state):
    whole = [[stream]]
    in_two = [[stream[:cut], stream[cut:]] for cut in range(1, len(stream))]
    for parts in [*whole, *in_two, [stream[at : at + 1] for at in range(len(stream))]]:
        server = Server()
        for part in parts:
            server.receive(part)
        assert (server.answers, server.exchange.state) == (answers, state), parts


@given(st.lists(st.integers(0, len(GET + CHUNKED + LENGTH) - 1), max_size=12))
def test_answers_are_the_same_in_any_pieces(cuts):
    stream = GET + CHUNKED + LENGTH
    marks = sorted({0, *cuts, len(stream)})
    server = Server()
    for start, end in itertools.pairwise(marks):
        server.receive(stream[start:end])
    assert server.answers == ["200 GET /get ", "200 PUT /chunked hello world", "200 POST /length hello"]
    assert server.trailers == [("digest", "x")]


@given(st.binary(max_size=300), st.sampled_from([b"", GET, CHUNKED[:80], LENGTH[:50]]), st.booleans())
def test_any_bytes_are_answered_or_wait_for_more(data, before, reads):
    server = Server(reads)
    for part in (before, data[: len(data) // 2], data[len(data) // 2 :]):
        server.receive(part)
    assert server.exchange.state in (HEAD, OWED, SWALLOW, LINGER, CLOSED)


@pytest.mark.parametrize("body", [LENGTH, CHUNKED], ids=["length", "chunked"])
def test_a_body_that_nobody_reads_is_swallowed_wherever_it_is_cut(body):
    name = body.split(b" HTTP")[0].decode()
    stream = body + GET
    for cut in range(1, len(stream)):
        server = Server(reads=False)
        server.receive(stream[:cut])
        server.receive(stream[cut:])
        assert server.answers == [f"200 {name} -", "200 GET /get -"], cut
        assert server.exchange.state is HEAD


def test_a_body_too_long_to_be_swallowed_ends_the_connection_which_the_answer_says():
    server = Server(reads=False, maxSwallowSize="4")
    server.receive(LENGTH[:-5])
    assert server.answers == ["200 close POST /length -"]
    assert server.exchange.state is LINGER
    server.receive(b"hell")
    assert server.exchange.state is LINGER
    server.receive(b"o")
    assert server.exchange.state is CLOSED


def test_a_chunked_body_shows_only_in_the_end_that_it_is_too_long_to_be_swallowed():
    server = Server(reads=False, maxSwallowSize="4")
    server.receive(CHUNKED[:-40])
    assert server.answers == ["200 PUT /chunked -"]
    server.receive(CHUNKED[-40:-20])
    assert server.exchange.state is LINGER


def test_a_body_that_turns_out_broken_while_it_is_swallowed_closes_the_connection():
    server = Server(reads=False)
    server.receive(CHUNKED[:70])
    assert server.exchange.state is SWALLOW
    server.receive(b"nonsense\r\n")
    assert server.exchange.state is CLOSED


# The table


def begun(head: bytes = GET, **attributes: str) -> Exchange:
    exchange = Exchange(rules(**attributes))
    exchange.data = head
    assert exchange.next_head(ending=False) is not None
    return exchange


def answered(exchange: Exchange, *fields: tuple[str, str], body: bytes = b"x", **given: Any) -> bytes:
    """The bytes of an answer of one piece."""
    return b"".join(exchange.begin_answer(Given(headers=list(fields), **given), body, True, ending=False))


def in_state(state: State) -> Exchange:
    if state is HEAD:
        return Exchange(rules())
    exchange = begun(CHUNKED[:70])
    exchange.first_body()
    if state is SENDING:
        exchange.begin_answer(Given(), b"", False, ending=False)
    elif state is LEFT:
        exchange.leave()
    elif state in (SENT, SWALLOW, LINGER, CLOSED):
        if state is CLOSED:
            exchange.receive_body(CHUNKED[70:])
        answered(exchange)
        if state in (LINGER, CLOSED):
            exchange.keep_alive = False
        if state is not SENT:
            exchange.next(ending=False)
    assert exchange.state is state
    return exchange


#: Each call, and the states in which it is possible.
CALLS: dict[str, tuple[Callable[[Exchange], Any], tuple[State, ...]]] = {
    "next_head": (lambda exchange: exchange.next_head(False), (HEAD,)),
    "refuse": (lambda exchange: exchange.refuse(True), (HEAD, OWED)),
    "receive_body": (lambda exchange: exchange.receive_body(b"1\r\n"), (OWED, SENDING)),
    "acknowledge": (lambda exchange: exchange.acknowledge(), (OWED,)),
    "leave": (lambda exchange: exchange.leave(), (HEAD, OWED)),
    "begin_answer": (lambda exchange: exchange.begin_answer(Given(), b"", False, False), (OWED,)),
    "whole answer": (lambda exchange: exchange.begin_answer(Given(), b"", True, False), (OWED,)),
    "fail_answer": (lambda exchange: exchange.fail_answer(True), (OWED,)),
    "more": (lambda exchange: exchange.more(b"x"), (SENDING,)),
    "more_of_file": (lambda exchange: exchange.more_of_file(1), (SENDING,)),
    "end_answer": (lambda exchange: exchange.end_answer(), (SENDING,)),
    "next": (lambda exchange: exchange.next(False), (SENT,)),
    "swallow": (lambda exchange: exchange.swallow(b"1\r\n"), (SWALLOW,)),
    "linger": (lambda exchange: exchange.linger(b"x"), (LINGER,)),
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


def test_every_state_can_be_reached_and_all_but_the_last_two_can_be_left():
    reached = {HEAD} | {target for event in EVENTS for target in event.values()}
    assert reached == set(State)
    left = {state for event in EVENTS for state, target in event.items() if target is not state}
    assert set(State) - left == {LEFT, CLOSED}


# Keeping the connection


def test_the_last_of_the_requests_that_a_connection_may_have_says_so():
    exchange = begun(GET + GET, maxKeepAliveRequests="2")
    assert b"Connection" not in answered(exchange)
    assert exchange.next(ending=False) is HEAD
    exchange.next_head(ending=False)
    assert b"Connection: close\r\n" in answered(exchange)
    assert exchange.next(ending=False) is CLOSED


def test_requests_that_another_process_has_answered_count():
    exchange = Exchange(rules(maxKeepAliveRequests="3"), served=2)
    exchange.data = GET
    exchange.next_head(ending=False)
    assert b"Connection: close\r\n" in answered(exchange)


def test_a_connector_that_ends_takes_no_further_request():
    exchange = begun()
    assert b"Connection: close" in b"".join(exchange.begin_answer(Given(), b"", True, ending=True))
    exchange = begun()
    answered(exchange)
    assert exchange.next(ending=True) is CLOSED


@pytest.mark.parametrize("status", [400, 408, 413, 414, 431, 500, 501, 503])
def test_some_answers_end_the_connection(status):
    exchange = begun()
    assert exchange.will_close(status, ending=False)
    assert b"Connection: close\r\n" in answered(exchange, status=status)
    assert exchange.next(ending=False) is CLOSED


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
         b"Keep-Alive: timeout=7\r\nConnection: keep-alive\r\n"),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         b"Connection: keep-alive\r\nKeep-Alive: timeout=7\r\n"),
    ],
)  # fmt: skip
def test_a_client_that_asks_to_keep_the_connection_is_told(head, said):
    exchange = begun(head, keepAliveTimeout="7000")
    assert said in answered(exchange)
    assert exchange.next(ending=False) is HEAD


def test_who_waited_for_100_continue_in_vain_may_or_may_not_send_the_body_so_the_connection_ends():
    exchange = begun(EXPECT)
    exchange.expect_continue()
    assert b"Connection: close\r\n" in answered(exchange)
    assert exchange.next(ending=False) is LINGER


def test_behind_100_continue_the_body_comes_and_the_connection_goes_on():
    exchange = begun(EXPECT)
    exchange.expect_continue()
    assert exchange.acknowledge() == b"HTTP/1.1 100 \r\n\r\n"
    assert exchange.receive_body(b"hello") == b"hello"
    assert b"Connection" not in answered(exchange)
    assert exchange.next(ending=False) is HEAD


# Answers


def test_a_whole_answer_has_its_length():
    assert answered(begun(), body=b"abc").endswith(
        b"Content-Length: 3\r\nDate: Sun, 09 Sep 2001 01:46:40 GMT\r\n\r\nabc"
    )
    assert b"Content-Length: 0\r\n" in answered(begun(), body=b"")


def streamed(exchange: Exchange, *parts: bytes, fields: tuple[tuple[str, str], ...] = ()) -> bytes:
    sent = b"".join(exchange.begin_answer(Given(headers=list(fields)), parts[0], False, ending=False))
    for part in parts[1:]:
        sent += b"".join(exchange.more(part))
    return sent + exchange.end_answer()


def test_an_answer_of_unknown_length_is_chunked_or_ends_with_the_connection():
    exchange = begun()
    assert streamed(exchange, b"ab", b"c").endswith(b"\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
    assert exchange.next(ending=False) is HEAD
    exchange = begun(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert streamed(exchange, b"ab", b"c").endswith(b"Connection: close\r\n\r\nabc")
    assert exchange.next(ending=False) is CLOSED


def test_a_stream_may_begin_with_nothing():
    assert streamed(begun(), b"", b"c").endswith(b"\r\n\r\n1\r\nc\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("length", "parts", "sent", "state"),
    [
        ("2", [b"abc"], b"ab", HEAD),
        ("2", [b"", b"abc"], b"ab", HEAD),
        ("5", [b"abc"], b"abc", CLOSED),
        ("5", [b"a", b"b", b"cde"], b"abcde", HEAD),
    ],
)
def test_the_promised_length_is_kept_or_the_connection_ends(length, parts, sent, state):
    exchange = begun()
    assert streamed(exchange, *parts, fields=(("Content-Length", length),)).endswith(b"\r\n\r\n" + sent)
    assert exchange.next(ending=False) is state


def test_a_whole_answer_that_is_too_short_ends_the_connection():
    exchange = begun()
    assert answered(exchange, ("Content-Length", "5"), body=b"abc").endswith(b"\r\n\r\nabc")
    assert exchange.next(ending=False) is CLOSED


def test_a_file_is_framed_like_other_data():
    exchange = begun()
    exchange.begin_answer(Given(), b"", False, ending=False)
    assert exchange.more_of_file(255) == (b"ff\r\n", 255, b"\r\n")
    assert exchange.more_of_file(0) == (b"", 0, b"")
    exchange = begun()
    exchange.begin_answer(Given(headers=[("Content-Length", "10")]), b"abc", False, ending=False)
    assert exchange.more_of_file(255) == (b"", 7, b"")


def test_an_answer_without_a_body_keeps_the_length_it_tells():
    exchange = begun(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
    sent = answered(exchange, ("Content-Length", "5"), body=b"", body_allowed=False)
    assert sent.endswith(b"\r\n\r\n")
    assert b"Content-Length: 5\r\n" in sent
    assert exchange.next(ending=False) is HEAD


def test_fields_of_the_connection_are_not_the_applications():
    fields = [("Transfer-Encoding", "gzip"), ("Keep-Alive", "x"), ("Upgrade", "x"), ("X", "1"), ("Connection", "X")]
    exchange = begun()
    sent = answered(exchange, *fields)
    assert b"X: 1\r\n" in sent
    assert not any(name in sent for name in (b"Transfer-Encoding", b"Keep-Alive", b"Upgrade", b"Connection"))
    assert exchange.next(ending=False) is HEAD
    assert b"Connection: close\r\n" in answered(begun(), ("Connection", "close"))


def test_date_and_server_are_the_applications_where_it_sets_them():
    own = ("Date", "today"), ("Server", "mine")
    sent = answered(begun(server="ours"), *own)
    assert b"Date: today\r\nServer: mine\r\n" in sent
    assert sent.count(b"Date: ") == sent.count(b"Server: ") == 1
    assert b"Server: ours\r\n" in answered(begun(server="ours", serverRemoveAppProvidedValues="true"), *own)


def test_the_reason_is_sent_where_the_connector_says_so():
    assert answered(begun()).startswith(b"HTTP/1.1 200 \r\n")
    assert answered(begun(sendReasonPhrase="true")).startswith(b"HTTP/1.1 200 Fine\r\n")


@pytest.mark.parametrize("values", [["abc"], ["-5"], ["5", "6"], ["\u0665"], ["1" * 30], [""]])
def test_a_content_length_that_is_none_is_given_back_before_anything_happens(values):
    exchange = begun()
    with pytest.raises(BadContentLength):
        answered(exchange, *(("Content-Length", value) for value in values))
    assert exchange.state is OWED


def test_a_head_beyond_the_limit_is_a_500_of_the_same_framing():
    exchange = begun(maxHttpResponseHeaderSize="200")
    with pytest.raises(ResponseHeadTooLarge) as caught:
        exchange.begin_answer(Given(headers=[("X", "y" * 300)]), b"", False, ending=False)
    assert caught.value.size > 300
    sent = exchange.fail_answer(complete=False)
    assert sent.startswith(b"HTTP/1.1 500 ")
    assert sent.endswith(b"\r\n\r\n")
    assert (exchange.more(b"dropped"), exchange.end_answer()) == ((), b"")
    assert exchange.next(ending=False) is CLOSED


# The part that another process would need


def test_everything_since_the_head_is_at_hand_until_the_request_reads_on():
    exchange = begun(CHUNKED[:80])
    exchange.first_body()
    exchange.receive_body(CHUNKED[80:] + GET)
    assert exchange.raw == CHUNKED + GET
    exchange = begun(EXPECT + GET)
    assert exchange.raw == EXPECT + GET
    exchange.expect_continue()
    exchange.acknowledge()
    assert exchange.raw is None
    exchange = begun(GET + LENGTH)
    answered(exchange)
    exchange.next(ending=False)
    assert exchange.raw is None
