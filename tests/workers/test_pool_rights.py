"""A process of a pool that says whatever it likes: it reaches its own application and nothing else."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.ha.session.delta_session import DeltaSession
from catalina.ha.session.session_message import EVT_GET_ALL_SESSIONS, EVT_SESSION_EXPIRED, SessionMessage
from catalina.tribes.ledger.wire import encode_question
from catalina.workers import services
from catalina.workers.frames import (
    Frame,
    FrameReader,
    Hello,
    Kind,
    encode_call,
    encode_forgotten,
    encode_frame,
    encode_hello,
    encode_keyed,
    encode_message,
    encode_messages,
)
from catalina.workers.peers import worker_member
from catalina.workers.pool_rights import PoolRights, RefusedFrameError
from catalina.workers.shared_parts import POOL_SEATS
from tests.support.narrowing import of_type, there
from tests.workers.small_node import KEY, SmallNode

MakeNode = Callable[..., SmallNode]

SEAT = POOL_SEATS.start
OWN = "Catalina/localhost//own"
OTHER = KEY.decode()


class Hostile:
    """A process in the pool of another application than that of the node's sessions."""

    def __init__(self, node: SmallNode, *, is_for_queries: bool = False) -> None:
        self._reader = FrameReader()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(15)
        self._socket.connect(node.listening.getsockname())
        self._socket.sendall(encode_hello(Hello(is_for_queries, SEAT, os.getpid())))
        if not is_for_queries:
            assert self.read().kind is Kind.READY

    def read(self) -> Frame:
        while True:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionResetError
            for frame in self._reader.feed(data):
                return frame

    def say(self, frame: bytes) -> None:
        self._socket.sendall(frame)

    def ask(self, frame: bytes) -> Frame:
        self.say(frame)
        return self.read()

    def call(self, service: str, argument: object) -> str:
        """The error of a call; empty for one that was done."""
        answer = self.ask(encode_frame(Kind.CALL, encode_call(service, argument), 7))
        assert (answer.kind, answer.number) == (Kind.RESULT, 7)
        error: str = json.loads(answer.payload).get("error", "")
        return error

    def close(self) -> None:
        self._socket.close()


@contextmanager
def hostile(node: SmallNode, *, is_for_queries: bool = False) -> Iterator[Hostile]:
    node.keeper.links.rights = PoolRights({SEAT: OWN}.get)
    made = Hostile(node, is_for_queries=is_for_queries)
    try:
        yield made
    finally:
        made.close()


def session_of(node: SmallNode) -> DeltaSession:
    """A session of the node's application, with a secret."""
    session = there(node.workers[0].request(cart="secret"))
    node.keeper.read_all()
    return of_type(DeltaSession, node.keeper.manager.sessions[session.id])


@pytest.mark.parametrize("is_for_queries", [True, False])
def test_a_session_of_another_application_is_not_told(
    make_node: MakeNode, caplog: pytest.LogCaptureFixture, is_for_queries: bool
) -> None:
    node = make_node(workers=1)
    session = session_of(node)
    with hostile(node, is_for_queries=is_for_queries) as process:
        answer = process.ask(encode_frame(Kind.ASK, encode_keyed(KEY, encode_question(session.id))))
    assert (answer.kind, answer.payload, answer.number) == (Kind.ANSWER, b"", 0)
    assert f"worker [p0] of the pool of [{OWN}] has no right to [ASK] for [{OTHER}]" in caplog.text


def test_a_session_of_another_application_is_not_ended_or_dropped(make_node: MakeNode) -> None:
    node = make_node(workers=1)
    session = session_of(node)
    end = encode_message(EVT_SESSION_EXPIRED, None, b"", session.id, None, 0)
    with hostile(node) as process:
        process.say(encode_frame(Kind.POST, encode_messages(KEY, [end])))
        process.say(encode_frame(Kind.FORGET, encode_forgotten(KEY, [(session.id, 2**31)])))
        assert process.call(services.DRAIN, None).startswith("no service"), "everything before it was read"
    node.keeper.read_all()
    assert session.is_valid
    assert len(node.keeper.copies) == 1
    assert there(node.workers[0].manager.find_session(session.id)).get_attribute("cart") == "secret"


def test_the_log_of_refused_frames_is_bounded(make_node: MakeNode, caplog: pytest.LogCaptureFixture) -> None:
    node = make_node(workers=1)
    with hostile(node) as process:
        for _ in range(50):
            assert process.call("may-make-session", OTHER)
    assert 1 <= caplog.text.count("Refused:") <= 5


@pytest.mark.parametrize(
    ("service", "argument"),
    [
        (services.MAY_MAKE_SESSION, OTHER),
        (services.MAY_MAKE_SESSION, [OWN]),
        (services.SESSION_LISTENERS, OTHER),
        (services.MAY_FORGET, [OTHER, ["A"]]),
        (services.MAY_TELL_END, [OTHER, "A"]),
        (services.MAY_TELL_END, {}),
        (services.DISTRIBUTABLE, {"key": OTHER, "distributable": True}),
        (services.DISTRIBUTABLE, None),
        (services.RELOAD, {"key": OTHER, "serial": 1, "by_command": True}),
        (services.JOINED, {OTHER: "it fails"}),
        (services.CONTAINER_REQUEST, {"key": OTHER, "servlet": "Manager", "body": "/etc/shadow"}),
        (services.STATE, ["Permits", f"{OTHER}#SemaphoreValve0", "acquire", []]),
        (services.STATE, ["Permits", f"{OWN}##2#SemaphoreValve0", "acquire", []]),
        (services.STATE, ["Permits", "Catalina/other.example#LockOutRealm /realm0", "acquire", []]),
        (services.STATE, ["Permits"]),
        ("no-such-service", OWN),
    ],
)  # fmt: skip
def test_a_call_that_concerns_another_application_is_refused(
    make_node: MakeNode, service: str, argument: object
) -> None:
    node = make_node(workers=1)
    called: list[object] = []
    node.keeper.links.services.add(service, lambda worker, asked: called.append(asked), is_quick=True)
    with hostile(node) as process:
        assert "has no right to call" in process.call(service, argument)
    assert not called


@pytest.mark.parametrize(
    ("service", "argument"),
    [
        (services.SESSION_LISTENERS, OWN),
        (services.MAY_FORGET, [OWN, ["A"]]),
        (services.RELOAD, {"key": OWN, "serial": 1, "by_command": False}),
        (services.JOINED, {OWN: "it fails"}),
        (services.JOINED, {}),
        (services.JOIN, None),
        (services.STATE, ["Permits", f"{OWN}#SemaphoreValve0", "acquire", []]),
        (services.STATE, ["FailedLogins", "Catalina#LockOutRealm /realm0", "acquire", []]),
        (services.STATE, ["FailedLogins", "Catalina/localhost#LockOutRealm /realm0", "acquire", []]),
    ],
)
def test_a_call_for_its_own_application_is_done(make_node: MakeNode, service: str, argument: object) -> None:
    node = make_node(workers=1)
    called: list[object] = []
    node.keeper.links.services.add(service, lambda worker, asked: called.append(asked), is_quick=True)
    with hostile(node) as process:
        assert process.call(service, argument) == ""
    assert called == [argument]


def test_a_worker_without_an_application_may_say_nothing(make_node: MakeNode) -> None:
    node = make_node(workers=1)
    with hostile(node) as process:
        node.keeper.links.rights = PoolRights(lambda _: None)
        assert "has no right to call" in process.call(services.JOIN, None)


def test_a_worker_whose_seat_was_given_up_goes_on_for_its_application() -> None:
    seats: dict[int, str] = {SEAT: OWN}
    rights = PoolRights(seats.get)
    old, new = worker_member(SEAT, 100), worker_member(SEAT, 200)
    assert rights.runs(old, OWN)
    seats[SEAT] = OTHER
    assert rights.runs(old, OWN)
    assert not rights.runs(old, OTHER)
    assert rights.runs(new, OTHER)
    rights.forget(old)
    assert not rights.runs(old, OWN)


def test_what_waits_for_a_listener_goes_to_no_other_applications_process(make_node: MakeNode) -> None:
    node = make_node(workers=1)
    with hostile(node):
        assert len(node.keeper.links.members) == 2
        assert [member.port - 1 for member in node.keeper.links.members_for(KEY)] == [0]


def test_an_event_that_only_nodes_have_does_not_go_on_to_the_group(make_node: MakeNode) -> None:
    node = make_node(workers=1)
    sent: list[Sequence[tuple[bytes, str]]] = []
    copies = node.keeper.copies
    worker = worker_member(SEAT, 1)

    class Group:
        members = (worker_member(99, 1),)

        def post_all(self, messages: Sequence[tuple[bytes, str]], to: object) -> None:
            sent.append(messages)

    node.keeper.manager.cluster = Group()
    with pytest.raises(ProtocolError, match="expected an event of a session, got"):
        copies.posted(worker, [SessionMessage(EVT_GET_ALL_SESSIONS, None, None, "GET-ALL", None, 0)])
    assert not sent
    copies.posted(worker, [SessionMessage(EVT_SESSION_EXPIRED, "localhost#/admin", None, "A", None, 0)])
    ((data, _),) = sent[0]
    assert SessionMessage.decode(data).context_name == node.keeper.manager.name, "whatever name it gives"


@given(st.sampled_from(list(Kind)), st.binary(max_size=200))
def test_any_frame_is_granted_refused_or_broken(kind: Kind, payload: bytes) -> None:
    rights = PoolRights({SEAT: OWN}.get)
    worker = worker_member(SEAT, 1)
    try:
        rights.check(worker, Frame(kind, 0, payload))
    except (RefusedFrameError, ProtocolError):
        return
    if kind in (Kind.POST, Kind.ASK, Kind.FORGET, Kind.CALL):
        assert OWN.encode() in payload or kind is Kind.CALL


def test_deep_json_is_no_call() -> None:
    deep = encode_keyed(b"join", b"[" * 100_000)
    with pytest.raises(ProtocolError):
        PoolRights({SEAT: OWN}.get).check(worker_member(SEAT, 1), Frame(Kind.CALL, 1, deep))
