"""One AJP/1.3 connection as packets and states (Tomcat: coyote/ajp/AjpProcessor.java).

Bytes of a web server go in, requests and bodies come out; answers go in, their packets come out. It has no socket, no
thread and no clock.

    state    what may happen                                            the state then
    REQUEST  a ping, or a body packet that nobody waits for any more    REQUEST
             a request; a packet that looks like one                    OWED
    OWED     the body is asked for, and comes; a refusal                OWED
             the answer begins; all of it leaves                        SENDING; SENT
    SENDING  the body; more of the answer, or a flush; its end          SENDING; SENDING; SENT
    SENT     the connection takes the next request, or does not         REQUEST; CLOSED
    CLOSED   nothing

The first packet of a body of known length comes unasked, every other one when it is asked for. A request that is
answered without reading its body leaves at most that one packet behind.
"""

from __future__ import annotations

from enum import IntEnum, auto
from http import HTTPStatus

from catalina.coyote.ajp.forward_request import FORWARD_REQUEST, ForwardRequest, decode_forward_request
from catalina.coyote.ajp.packets import AjpReader, PacketDecoder
from catalina.coyote.ajp.response_packets import FLUSH, body_packets, end_response, get_body_chunk, response_head
from catalina.coyote.exchange import Answer, Event
from catalina.errors import ProtocolError

__all__ = ["CLOSED", "OWED", "REQUEST", "SENDING", "SENT", "AjpExchange", "State"]

#: Packets of a web server besides the forward request.
SHUTDOWN, PING, CPING = 7, 8, 10
#: Methods whose requests have no body unless they announce one; with others the application may ask for a body.
WITHOUT_BODY = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "DELETE"))
#: Fields that the web server sets for the connection to its own client.
CONNECTION_FIELDS = frozenset(("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"))


class State(IntEnum):
    """The state of an exchange."""

    REQUEST = auto()
    OWED = auto()
    SENDING = auto()
    SENT = auto()
    CLOSED = auto()


#: Module constants, because looking up a member in its class costs ten times as much in this Python.
REQUEST, OWED, SENDING, SENT, CLOSED = State

PACKET_CAME = Event("a packet between two requests", {REQUEST: REQUEST})
REQUEST_CAME = Event("a request", {REQUEST: OWED})
REFUSED = Event("the refusal of a request", {OWED: OWED})
BODY = Event("the body of a request", {OWED: OWED, SENDING: SENDING})
ANSWER = Event("the head of an answer", {OWED: SENDING})
WHOLE_ANSWER = Event("a whole answer", {OWED: SENT})
MORE = Event("more of an answer", {SENDING: SENDING})
ANSWER_ENDS = Event("the end of an answer", {SENDING: SENT})
KEPT = Event("the wait for the next request", {SENT: REQUEST})
OVER = Event("the last answer", {SENT: CLOSED})

#: All events: the table above, for the tests that walk it.
EVENTS = (PACKET_CAME, REQUEST_CAME, REFUSED, BODY, ANSWER, WHOLE_ANSWER, MORE, ANSWER_ENDS, KEPT, OVER)


class AjpExchange:
    """The requests and answers of one connection, one after another.

    Args:
        packet_size: the longest packet of either side (packetSize).
        max_header_count: header fields of a request; negative: no limit.
    """

    __slots__ = (
        "_body_asked",
        "_body_left",
        "_max_header_count",
        "_packet_size",
        "_packets",
        "body_ended",
        "requests",
        "reuse",
        "state",
    )

    def __init__(self, packet_size: int, max_header_count: int) -> None:
        self._packet_size = packet_size
        self._max_header_count = max_header_count
        self._packets = PacketDecoder(packet_size)
        self.state = REQUEST
        #: Requests that have come and were accepted.
        self.requests = 0
        #: True while the connection may take another request after this answer. Any code may forbid that.
        self.reuse = True
        #: True when the request in progress has no body, or all of it has come.
        self.body_ended = True
        self._body_left = 0  # bytes of a body of known length that are still to come
        self._body_asked = False  # a body packet is on its way

    def receive(self, data: bytes) -> None:
        """Append bytes of the stream, in any state."""
        self._packets.receive(data)

    @property
    def is_between(self) -> bool:
        """True when no packet has begun."""
        return self._packets.is_empty

    # Requests

    def next_packet(self) -> bytes | None:
        """The next packet that is a request (:meth:`begin`) or a ping (:meth:`is_ping`); None when more must come.

        Raises:
            ProtocolError: the stream is not AJP, or the packet is of another kind; close the connection.
        """
        self.state = PACKET_CAME[self.state]
        while True:
            payload = self._packets.next_packet()
            if payload is None:
                return None
            if self._body_asked:
                self._body_asked = False  # left from a request that was answered without reading it
            elif payload:  # an empty one is the end of a body that nobody waits for
                kind = payload[0]
                if kind not in (FORWARD_REQUEST, CPING):
                    what = "a shutdown" if kind == SHUTDOWN else "a ping" if kind == PING else f"packet type {kind}"
                    raise ProtocolError(f"{what} is not accepted here")
                return payload

    @staticmethod
    def is_ping(payload: bytes) -> bool:
        """True for a packet that only wants CPONG."""
        return payload[0] == CPING

    def begin(self, payload: bytes, ending: bool) -> ForwardRequest:
        """Read a request packet.

        Args:
            ending: the connection takes no further request after this one.

        Raises:
            ProtocolError: the packet is malformed; call :meth:`refuse`.
        """
        self.state = REQUEST_CAME[self.state]
        told = decode_forward_request(payload, self._max_header_count)
        length = told.content_length
        self.reuse = not ending
        self.body_ended = length == 0 or (
            length < 0
            and told.method in WITHOUT_BODY
            and not any(name.lower() == b"transfer-encoding" for name, _ in told.fields)
        )
        self._body_left = max(0, length)
        self._body_asked = length > 0  # the first packet comes unasked
        self.requests += 1
        return told

    def refuse(self) -> None:
        """Refuse the request: only an answer can follow, because the next bytes may be a body."""
        self.state = REFUSED[self.state]
        self.reuse = False
        self.body_ended, self._body_asked = True, False

    def next_body(self) -> bytes | None:
        """The next part of the body, empty at its end; None when more must come, for which :meth:`ask_for_body` asks.

        Raises:
            ProtocolError: the packet is invalid, or the body is longer than its Content-Length.
        """
        self.state = BODY[self.state]
        payload = None if self.body_ended else self._packets.next_packet()
        if payload is None:
            return b"" if self.body_ended else None
        self._body_asked = False
        size = AjpReader(payload).short() if len(payload) >= 2 else 0
        if size == 0:
            self.body_ended = True
            return b""
        data = AjpReader(payload[2:]).rest(size)
        if self._body_left:
            if size > self._body_left:
                raise ProtocolError(f"a body packet of {size} bytes, Content-Length leaves {self._body_left}")
            self._body_left -= size
            self.body_ended = not self._body_left
        return data

    def ask_for_body(self) -> bytes:
        """The packet that asks for more of the body; empty when that is on its way."""
        self.state = BODY[self.state]
        if self._body_asked:
            return b""
        self._body_asked = True
        return get_body_chunk(self._packet_size)

    # Answers

    def begin_answer(self, answer: Answer, body: bytes, complete: bool) -> list[bytes]:
        """The packets of head and body. When ``complete`` the body is all of it.

        Raises:
            LimitError: the head is longer than a packet; nothing has happened, and :meth:`fail_answer` says so instead.
        """
        has_length = False
        fields = []
        for name, value in answer.headers:
            lower = name.lower()
            if lower not in CONNECTION_FIELDS:
                has_length = has_length or lower == "content-length"
                fields.append((name, value))
        if complete and answer.body_allowed and not has_length:
            fields.append(("Content-Length", str(len(body))))
        parts = [response_head(answer.status, _reason(answer.status), fields, self._packet_size)]
        self.state = (WHOLE_ANSWER if complete else ANSWER)[self.state]
        if answer.body_allowed:
            parts.extend(body_packets(body, self._packet_size))
        if complete:
            parts.append(end_response(self.reuse))
        return parts

    def fail_answer(self, complete: bool) -> list[bytes]:
        """The packets of an answer without a body, replacing one whose head is too large."""
        self.state = (WHOLE_ANSWER if complete else ANSWER)[self.state]
        self.reuse = False
        parts = [response_head(500, _reason(500), (("Content-Length", "0"),), self._packet_size)]
        if complete:
            parts.append(end_response(False))
        return parts

    def more(self, data: bytes) -> list[bytes]:
        """The packets of more of the body."""
        self.state = MORE[self.state]
        return list(body_packets(data, self._packet_size))

    def flush(self) -> bytes:
        """The packet that makes the web server pass on everything that it has."""
        self.state = MORE[self.state]
        return FLUSH

    def end_answer(self) -> bytes:
        """The end of an answer that was sent in parts."""
        self.state = ANSWER_ENDS[self.state]
        return end_response(self.reuse)

    def next(self, ending: bool) -> State:
        """Decide what becomes of the connection behind an answer: REQUEST or CLOSED.

        Args:
            ending: take no further request.
        """
        self.state = (KEPT if self.reuse and not ending else OVER)[self.state]
        return self.state


def _reason(status: int) -> str:
    """The reason, which web servers copy into the status line; without one Tomcat sends the code itself."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return str(status)
