"""One HTTP/1.1 connection as bytes and states (RFC 9112; Tomcat: coyote/http11/Http11Processor.java).

Bytes of the client go in, heads and bodies come out; answers go in, their bytes come out; and after each answer the
exchange decides about the connection. It has no socket, no thread and no clock; its caller has them.

    state     what input is       what may happen                         the state then
    HEAD      a request's head    a head came; what came is none          OWED
    OWED      the request's body  more body; 100 Continue; a refusal      OWED
                                  the answer begins; all of it leaves     SENDING; SENT
    SENDING   the request's body  more body; more of the answer; its end  SENDING; SENDING; SENT
    SENT      the request's body  what is left of it is nothing           HEAD, or CLOSED
                                  ... is little; is too much              SWALLOW; LINGER
    SWALLOW   the rest of a body  more; its end; too much; nonsense       SWALLOW; HEAD; LINGER; CLOSED
    LINGER    not wanted          more; too much                          LINGER; CLOSED
    LEFT      somebody else's     nothing: another protocol or process has the connection, from HEAD or OWED
    CLOSED    none                nothing

A client that still sends while the connection is closed gets a reset, which can overtake the last answer: hence LINGER.
A call that is not possible in a state raises RuntimeError: it is a fault of the caller, never of the client.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from enum import IntEnum, auto

from catalina.coyote.exchange import LENGTH_DIGITS, Answer, Event
from catalina.coyote.http11.exchange_rules import ExchangeRules
from catalina.coyote.http11.request_body import BodyDecoder, ChunkedDecoder, LengthDecoder
from catalina.coyote.http11.request_head import RequestHead
from catalina.coyote.http11.response_head import CONTINUE, LAST_CHUNK, chunk, encode_head, with_reason
from catalina.coyote.http_error import HttpError

__all__ = [
    "CLOSED", "HEAD", "LEFT", "LINGER", "OWED", "SENDING", "SENT", "SWALLOW",
    "BadContentLength", "Exchange", "ResponseHeadTooLarge", "State",
]  # fmt: skip

log = logging.getLogger("org.apache.coyote.http11.Http11Processor")

#: After an answer with one of these, the connection is closed (Tomcat: Http11Processor.statusDropsConnection).
CLOSING_STATUS = frozenset((400, 408, 411, 413, 414, 417, 431, 500, 501, 503, 505))
#: Fields that the connection itself controls; the application's are dropped, or interpreted here.
CONNECTION_FIELDS = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "date", "server")
)
#: Kinds of fields of an answer: Content-Length; those above; all others, which is false.
OTHER, LENGTH, CONTROLLED = range(3)
#: Names whose kind is remembered; applications use few, but could invent more.
REMEMBERED_NAMES = 1024
#: The body of a request without one.
NO_BODY: BodyDecoder = LengthDecoder(0)


class State(IntEnum):
    """The state of an exchange."""

    HEAD = auto()
    OWED = auto()
    SENDING = auto()
    SENT = auto()
    SWALLOW = auto()
    LINGER = auto()
    LEFT = auto()
    CLOSED = auto()


#: Module constants, because looking up a member in its class costs ten times as much in this Python.
HEAD, OWED, SENDING, SENT, SWALLOW, LINGER, LEFT, CLOSED = State


HEAD_CAME = Event("the head of a request", {HEAD: OWED})
REFUSED = Event("the refusal of a request", {HEAD: OWED, OWED: OWED})
BODY_CAME = Event("a part of a request's body", {OWED: OWED, SENDING: SENDING})
INTERIM = Event("100 Continue", {OWED: OWED})
ANSWER = Event("the head of an answer", {OWED: SENDING})
WHOLE_ANSWER = Event("a whole answer", {OWED: SENT})
MORE = Event("more of an answer", {SENDING: SENDING})
ANSWER_ENDS = Event("the end of an answer", {SENDING: SENT})
KEPT = Event("the wait for the next request", {SENT: HEAD})
LEFT_OVER = Event("a body that nobody wants", {SENT: SWALLOW})
LAST = Event("the last answer before more input", {SENT: LINGER})
OVER = Event("the last answer", {SENT: CLOSED})
SWALLOWED = Event("more of a body that nobody wants", {SWALLOW: SWALLOW})
SWALLOW_ENDS = Event("the end of a body that nobody wants", {SWALLOW: HEAD})
TOO_MUCH = Event("more than is read away", {SWALLOW: LINGER, LINGER: CLOSED})
BROKEN = Event("nonsense in a body that nobody wants", {SWALLOW: CLOSED})
LINGERED = Event("input behind the last answer", {LINGER: LINGER})
LEAVES = Event("the change to another protocol or process", {HEAD: LEFT, OWED: LEFT})

#: All events: the table above, for the tests that walk it.
EVENTS = (
    HEAD_CAME, REFUSED, BODY_CAME, INTERIM, ANSWER, WHOLE_ANSWER, MORE, ANSWER_ENDS, KEPT, LEFT_OVER, LAST, OVER,
    SWALLOWED, SWALLOW_ENDS, TOO_MUCH, BROKEN, LINGERED, LEAVES,
)  # fmt: skip


class BadContentLength(ValueError):
    """The Content-Length of an answer is invalid, or there are several: the caller must settle it first."""


class ResponseHeadTooLarge(ValueError):
    """The head of an answer is beyond maxHttpResponseHeaderSize; call :meth:`Exchange.fail_answer`."""

    def __init__(self, size: int) -> None:
        super().__init__(f"a response head of {size} bytes")
        self.size = size


class _Unfinished:
    """The body of a message whose end cannot be found."""

    complete = False
    unused = b""

    def receive(self, data: bytes) -> bytes:
        return b""


class _Kinds(dict[str, int]):
    """How the connection treats a field, by its name in the spelling of the application."""

    def __missing__(self, name: str) -> int:
        lower = name.lower()
        kind = LENGTH if lower == "content-length" else CONTROLLED if lower in CONNECTION_FIELDS else OTHER
        if len(self) < REMEMBERED_NAMES:
            self[name] = kind
        return kind


_KINDS = _Kinds()


def _scan(fields: Sequence[tuple[str, str]]) -> tuple[str | None, bool]:
    """The Content-Length, None when there is none; and True if there are fields that the connection controls."""
    length: str | None = None
    special = False
    kinds = _KINDS
    for name, value in fields:
        kind = kinds[name]
        if not kind:
            continue
        if kind == CONTROLLED:
            special = True
            continue
        # is_length, without the call
        if length is not None or not (value.isdecimal() and value.isascii() and len(value) < LENGTH_DIGITS):
            raise BadContentLength(value)
        length = value
    return length, special


class Exchange:
    """The requests and answers of one connection, one after another.

    Args:
        rules: the rules of its connector.
        served: requests that were answered on this connection before, by another process.
    """

    # Slots: there is one exchange per connection, and each request touches most of its attributes.
    __slots__ = (
        "_acknowledged",
        "_asked_keep_alive",
        "_chunked",
        "_remaining",
        "_swallowed",
        "body",
        "data",
        "http11",
        "keep_alive",
        "raw",
        "requests",
        "rules",
        "seen",
        "state",
    )

    def __init__(self, rules: ExchangeRules, served: int = 0) -> None:
        self.rules = rules
        self.state = HEAD
        #: Requests whose heads have come.
        self.requests = served
        #: Bytes that were received and belong to the next message.
        self.data = b""
        #: Bytes of them that are known to contain no whole head.
        self.seen = 0
        #: The bytes that were received since the head of the request in progress began, with that head; None when they
        #: are not all: the request has read more itself, or 100 Continue has left.
        self.raw: bytes | bytearray | None = None
        #: True while the connection may take another request after this answer. Any code may forbid that.
        self.keep_alive = True
        #: False for a client of HTTP/1.0.
        self.http11 = True
        #: True when the client has sent ``Connection: keep-alive``, and expects that in the answer.
        self._asked_keep_alive = False
        #: False while the client waits for 100 Continue.
        self._acknowledged = True
        #: The body of the request in progress; ``complete`` when it has none, or all of it has come.
        self.body: BodyDecoder = NO_BODY
        self._chunked = False  # true while the answer in progress is chunked
        #: Bytes that the Content-Length of the answer in progress still promises; -1 when it promises nothing.
        self._remaining = -1
        self._swallowed = 0

    # Requests

    def next_head(self, ending: bool) -> RequestHead | None:
        """The next request in :attr:`data`; None when more of its head must come.

        Args:
            ending: the connection takes no further request after this one.

        Raises:
            HttpError: the bytes are no request; call :meth:`refuse`.
        """
        state = HEAD_CAME[self.state]
        data, rules = self.data, self.rules
        head = rules.parser.parse(data, self.seen)
        if head is None:
            return None
        # Unpacked at once, because a field of a named tuple costs a call each.
        _, _, _, http11, _, length, chunked, keep_alive, asks_keep_alive, _, _, _, size, _ = head
        self.state = state
        self.data = data[size:]
        self.raw = data
        self.seen = 0
        self.requests = requests = self.requests + 1
        self.http11 = http11
        self.keep_alive = keep_alive and requests != rules.max_requests and not ending
        self._asked_keep_alive = asks_keep_alive
        self._acknowledged = True
        if chunked:
            self.body = ChunkedDecoder(rules.max_extension, rules.max_trailer)
        else:
            self.body = LengthDecoder(length) if length > 0 else NO_BODY
        return head

    def await_rest(self) -> bool:
        """Note that all of :attr:`data` is a part of a head; returns True when the head has just begun."""
        begins = self.seen == 0
        self.seen = len(self.data)
        return begins

    def refuse(self, http11: bool) -> None:
        """Refuse an invalid request, or an unreadable body: only an answer can follow, and nothing after it."""
        self.state = REFUSED[self.state]
        self.http11 = http11
        self.keep_alive = False
        self.body = _Unfinished()
        self.raw = None

    def first_body(self) -> bytes:
        """The part of the body that came with the head.

        Raises:
            HttpError: it is malformed.
        """
        self.state = BODY_CAME[self.state]
        data, self.data = self.data, b""
        return self._decode(data) if data else b""

    def receive_body(self, data: bytes) -> bytes:
        """The next part of the body. A caller that does not need it kept for another process sets :attr:`raw` to None
        first.

        Raises:
            HttpError: it is malformed.
        """
        self.state = BODY_CAME[self.state]
        raw = self.raw
        if raw is not None:
            if type(raw) is bytes:
                self.raw = raw = bytearray(raw)
            raw += data
        return self._decode(data)

    def _decode(self, data: bytes) -> bytes:
        body = self.body
        part = body.receive(data)
        if body.complete:
            self.data = body.unused
        return part

    def allowed_trailers(self) -> list[tuple[str, str]]:
        """The fields behind a body that may become fields of the request, once the body is complete."""
        allowed, body = self.rules.trailers, self.body
        if not allowed or not isinstance(body, ChunkedDecoder):
            return []
        return [pair for pair in body.trailers if pair[0] in allowed]

    def expect_continue(self) -> None:
        """The client sends its body only after 100 Continue; without it, it is unknown if the body comes."""
        self._acknowledged = False

    def acknowledge(self) -> bytes:
        """100 Continue."""
        self.state = INTERIM[self.state]
        self._acknowledged = True
        self.raw = None
        return CONTINUE

    def leave(self) -> None:
        """Let another protocol continue behind :attr:`data`, or another process with all of :attr:`raw`."""
        self.state = LEAVES[self.state]

    # Answers

    def begin_answer(self, answer: Answer, body: bytes, complete: bool, ending: bool) -> tuple[bytes, bytes]:
        """The bytes of head and body. With ``complete``, ``body`` is all of it.

        Args:
            ending: the connection ends with this answer, for reasons of its own.

        Raises:
            BadContentLength, ResponseHeadTooLarge: nothing has happened.
        """
        rules, fields = self.rules, answer.headers
        length, special = _scan(fields)
        tail = rules.common_lines()
        if special:
            fields, tail = self._without_connection_fields(fields)
        has_body = answer.body_allowed
        chunked = False
        if length is None and has_body:
            if complete:
                tail = f"Content-Length: {len(body)}\r\n{tail}"
            elif self.http11:
                chunked = True
                tail = f"Transfer-Encoding: chunked\r\n{tail}"
            else:
                self.keep_alive = False
        # will_close, without the call
        if answer.status in CLOSING_STATUS or ending or not (self.body.complete or self._body_is_swallowed()):
            self.keep_alive = False
        if self._asked_keep_alive or not self.keep_alive:
            tail += self._connection_lines()
        head = encode_head(answer.status, fields, tail)
        if rules.sends_reason:
            head = with_reason(head, answer.reason)
        if len(head) > rules.response_head_size:
            raise ResponseHeadTooLarge(len(head))
        self.state = (WHOLE_ANSWER if complete else ANSWER)[self.state]
        self._chunked = chunked
        if not has_body:
            self._remaining = 0
            return head, b""
        if length is None:
            self._remaining = -1
            return head, chunk(body) if chunked and body else body
        self._remaining = int(length)
        if self._remaining != len(body):
            body = self._within_length(body)
            if complete and self._remaining:
                self.keep_alive = False  # the client waits for bytes that do not exist
        else:
            self._remaining = 0
        return head, body

    def fail_answer(self, complete: bool) -> bytes:
        """An answer without a body, replacing one whose head is too large; the rest of that answer is dropped."""
        self.state = (WHOLE_ANSWER if complete else ANSWER)[self.state]
        self.keep_alive = self._chunked = False
        self._remaining = 0
        return encode_head(500, (), f"Content-Length: 0\r\n{self.rules.date_line()}Connection: close\r\n")

    def will_close(self, status: int, ending: bool) -> bool:
        """True when the connection ends with this answer, as far as that is known before sending."""
        return (
            not self.keep_alive
            or status in CLOSING_STATUS
            or ending
            or not (self.body.complete or self._body_is_swallowed())
        )

    def more(self, data: bytes) -> tuple[bytes, ...]:
        """The pieces to send for more of the body; none when the answer is as long as it announced."""
        self.state = MORE[self.state]
        if self._remaining >= 0:
            data = self._within_length(data)
        if not data:
            return ()
        return (b"%x\r\n" % len(data), data, b"\r\n") if self._chunked else (data,)

    def more_of_file(self, count: int) -> tuple[bytes, int, bytes]:
        """Frame ``count`` bytes of a file: bytes to send before it, how many of it, bytes to send behind it."""
        self.state = MORE[self.state]
        if self._remaining >= 0:
            count = min(count, self._remaining)
            self._remaining -= count
        return (b"%x\r\n" % count, count, b"\r\n") if self._chunked and count else (b"", count, b"")

    def end_answer(self) -> bytes:
        """The end of a body that was sent in parts."""
        self.state = ANSWER_ENDS[self.state]
        if self._chunked:
            return LAST_CHUNK
        if self._remaining > 0:
            self.keep_alive = False
        return b""

    def _within_length(self, data: bytes) -> bytes:
        """At most as many bytes as Content-Length promised, because more would be read as the next answer."""
        if len(data) > self._remaining:
            log.debug("A response is %d bytes longer than its Content-Length", len(data) - self._remaining)
            data = data[: self._remaining]
        self._remaining -= len(data)
        return data

    def _connection_lines(self) -> str:
        if not self.keep_alive:
            return "Connection: close\r\n"
        line = self.rules.keep_alive_line
        if not self.http11:
            return f"Connection: keep-alive\r\n{line}"
        return f"{line}Connection: keep-alive\r\n" if line else ""

    def _without_connection_fields(self, fields: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], str]:
        """The fields without those of the connection; and the tail, with the application's Date and Server if it has
        set them.
        """
        kept = []
        date, server = self.rules.date_line(), self.rules.server_line
        for name, value in fields:
            lower = name.lower()
            if lower == "date":
                date = ""
            elif lower == "server":
                if self.rules.remove_server:
                    continue
                server = ""
            elif lower in CONNECTION_FIELDS:
                if lower == "connection" and "close" in value.lower():
                    self.keep_alive = False
                continue
            kept.append((name, value))
        return kept, date + server

    # After an answer

    def next(self, ending: bool) -> State:
        """Decide what becomes of the connection: HEAD, SWALLOW, LINGER or CLOSED.

        Args:
            ending: take no further request.
        """
        self.raw = None
        if self.body.complete:
            state = (KEPT if self.keep_alive and not ending else OVER)[self.state]
        elif self.keep_alive and not ending and self._body_is_swallowed():
            self._swallowed = 0
            state = LEFT_OVER[self.state]
        else:
            self._swallowed = 0
            state = LAST[self.state]
        self.state = state
        return state

    def swallow(self, data: bytes) -> State:
        """Drop a part of a body that nobody reads; returns the state after it."""
        state = SWALLOWED[self.state]
        body, limit = self.body, self.rules.max_swallow
        try:
            self._swallowed += len(body.receive(data))
        except HttpError:
            state = BROKEN[self.state]
        else:
            if body.complete:
                self.data = body.unused
                state = SWALLOW_ENDS[self.state]
            elif 0 <= limit < self._swallowed:
                self._swallowed = 0
                state = TOO_MUCH[self.state]
        self.state = state
        return state

    def linger(self, data: bytes) -> State:
        """Drop input behind the last answer; returns the state after it."""
        state = LINGERED[self.state]
        self._swallowed += len(data)
        if 0 <= self.rules.max_swallow < self._swallowed:
            state = TOO_MUCH[self.state]
        self.state = state
        return state

    def _body_is_swallowed(self) -> bool:
        """True when the rest of an unread body will come, and is not known to be too long to be dropped."""
        limit, body = self.rules.max_swallow, self.body
        return self._acknowledged and (limit < 0 or not isinstance(body, LengthDecoder) or body.remaining <= limit)
