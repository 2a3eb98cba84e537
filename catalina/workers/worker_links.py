"""The keeper's end of the links to its workers."""

from __future__ import annotations

import base64
import logging
import os
import socket
import struct
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from catalina.errors import CatalinaError, ProtocolError
from catalina.reactor import READ, Reactor
from catalina.tribes.member import Member
from catalina.workers.frames import (
    MAX_PAYLOAD,
    CallError,
    Frame,
    Hello,
    Kind,
    decode_forgotten,
    decode_hello,
    decode_keyed,
    decode_messages,
    encode_call,
    encode_frame,
    encode_keyed,
    encode_messages,
    encode_result,
)
from catalina.workers.link import Link
from catalina.workers.link_poll import LinkPoll
from catalina.workers.peers import worker_member
from catalina.workers.pool_rights import PoolRights, RefusedFrameError
from catalina.workers.services import (
    HOLDER,
    MAY_FORGET,
    MAY_MAKE_SESSION,
    MAY_TELL_END,
    SESSION_LISTENERS,
    Calls,
    Services,
)
from catalina.workers.session_copies import SessionCopies
from catalina.workers.session_tellers import TELL_ENDS
from catalina.workers.shared_parts import POOL_SEATS

if TYPE_CHECKING:
    from catalina.ha.session.delta_manager import DeltaManager

__all__ = ["WorkerLinks"]

log = logging.getLogger("org.apache.catalina.workers.WorkerLinks")

#: Seconds that a new connection has to say whose it is.
HELLO_SECONDS = 10.0
#: Seconds that a keeper waits for the sessions of its workers.
SETTLE_SECONDS = 5.0
#: Bytes of a post that must not wait: a few of them fill the socket, and then answers wait.
LARGE = 64 * 1024
#: Number of connections that the keeper accepts in a row.
ACCEPTS = 64
#: Connections that have not said whose they are, while processes of another user are let in.
MAX_UNKNOWN = 64
#: Limits of a process with a user of its own: connections for questions, bytes of a frame on one and on its link.
MAX_ASKING = 64
MAX_QUESTION = 2**20
MAX_POST = 32 * 2**20
#: Bytes of the first frame.
MAX_HELLO = 256

#: The copies of one manager's sessions, of whatever kind.
_Copies = TypeVar("_Copies", bound=SessionCopies)

_CREDENTIALS = struct.Struct("3i")  # process, user, group


class WorkerLinks:
    """Accepts workers, and hands their messages to the :class:`SessionCopies` of the managers.

    A keeper that follows another one *settles* first: until every worker has given its sessions, or the time is over,
    it acknowledges nothing and answers no question. Otherwise it would say that a session does not exist, although a
    worker has it.

    Args:
        listening: a Unix socket that the arbiter has bound; it listens already, and outlives this process.
        awaited: how many workers have sessions that this keeper does not know; 0 for the first keeper.
    """

    def __init__(self, listening: socket.socket, reactor: Reactor, awaited: int = 0) -> None:
        self._listening = listening
        self._reactor = reactor
        #: The services that the keeper offers a worker.
        self.services = Services(reactor)
        self.services.add(MAY_MAKE_SESSION, self._may_make, is_quick=True)
        self.services.add(MAY_FORGET, self._may_forget, is_quick=True)
        self.services.add(MAY_TELL_END, self._may_tell_end, is_quick=True)
        self.services.add(SESSION_LISTENERS, self._listens, is_quick=True)
        self.services.add(HOLDER, self._holder, is_quick=True)
        #: The rights of pools' workers; without the keeper's table of applications nothing.
        self.rights = PoolRights(lambda _: None)
        self._copies: dict[bytes, SessionCopies] = {}
        self._links: dict[Member, _WorkerLink] = {}
        #: Connections that have not said yet whose they are, and those for queries.
        self._unknown: set[_WorkerLink] = set()
        self._asking: set[_WorkerLink] = set()
        self._poll: LinkPoll | None = None  # none yet
        #: Workers are let in.
        self.is_open = False
        self._awaited = awaited
        self._given: set[Member] = set()
        #: Calls that wait until the keeper has settled; None when the keeper has settled.
        self._deferred: list[Callable[[], None]] | None = [] if awaited else None
        #: Called in the runner with the index of a worker that has gone.
        self.on_lost: list[Callable[[int], None]] = []
        #: Called in the runner when a worker has come or gone.
        self.on_change: Callable[[], None] = lambda: None

    @property
    def members(self) -> list[Member]:
        """The workers that are there."""
        return list(self._links)

    def members_for(self, key: bytes) -> list[Member]:
        """See :class:`Workers`."""
        name = key.decode()
        return [member for member in self._links if self.rights.runs(member, name)]

    def _may_forget(self, worker: int | None, argument: tuple[str, list[str]]) -> list[str]:
        key, names = argument
        copies = self._copies.get(key.encode())
        return [] if copies is None or worker is None else copies.may_forget(worker + 1, names)

    def _may_tell_end(self, worker: int | None, argument: tuple[str, str]) -> bool:
        key, session_id = argument
        copies = self._copies.get(key.encode())
        return copies is None or worker is None or copies.may_tell_end(worker + 1, session_id)

    def _listens(self, worker: int | None, key: str) -> None:
        copies = self._copies.get(key.encode())
        if copies is not None and worker is not None:
            copies.listens()

    def _holder(self, _: int | None, argument: tuple[str, str]) -> int | None:
        key, session_id = argument
        copies = self._copies.get(key.encode())
        return None if copies is None else copies.holder(session_id)

    def _may_make(self, worker: int | None, key: str) -> bool:
        """A worker wants to make a session. In the runner."""
        copies = self._copies.get(key.encode())
        if copies is None or worker is None:
            return False
        if copies.may_make(worker + 1, self.members):
            return True
        copies.rejected()
        return False

    def add(self, key: bytes, manager: DeltaManager) -> SessionCopies:
        """Workers may post to a manager from now on."""
        return self.add_copies(SessionCopies(manager, key, self))

    def add_copies(self, copies: _Copies) -> _Copies:
        """Workers may post to a manager from now on."""
        self._copies[copies.key] = copies
        return copies

    def remove(self, key: bytes) -> None:
        """The manager stops."""
        self._copies.pop(key, None)

    def open(self) -> None:
        """Everything is deployed: let workers in."""
        self._listening.setblocking(False)
        self._poll = LinkPoll(self._reactor)
        self.is_open = True
        self._reactor.register(self._listening, READ, self._on_connection, first=True)
        if self._deferred is not None:
            self._reactor.call_later(SETTLE_SECONDS, self._settle)

    def close(self) -> None:
        """Close all links. The listening socket stays open for the next keeper."""
        if self.is_open:
            self.is_open = False
            self._reactor.unregister(self._listening)
        for link in (*self._links.values(), *self._unknown, *self._asking):
            link.link.close()
        self._links.clear()
        self._unknown.clear()
        self._asking.clear()
        if self._poll is not None:
            self._poll.close()
            self._poll = None

    def call(self, member: Member, service: str, argument: object) -> Future[Any]:
        """Call a service of a worker. In the runner.

        Returns:
            The future of the result; it raises :class:`CallError` when the worker has gone or could not do it.
        """
        link = self._links.get(member)
        if link is None:
            gone: Future[Any] = Future()
            gone.set_exception(CallError("the worker has gone"))
            return gone
        return link.call(service, argument)

    def call_all(self, service: str, argument: object, seconds: float, only: int | None = None) -> dict[int, Any]:
        """Call a service of all workers, or of one, and wait for the results. Any thread.

        A worker that has a user of its own is not asked: nothing that it says about the node is believed.

        Returns:
            The results by the workers' indexes; in place of one that failed, or took longer, the CatalinaError.
        """
        if not self._links:
            return {}
        begun: Future[dict[int, Future[Any]]] = Future()

        def begin() -> None:
            members = [
                member
                for member in self.members
                if (only is None or member.port - 1 == only) and not self.rights.has_user(member)
            ]
            begun.set_result({member.port - 1: self.call(member, service, argument) for member in members})

        if self._reactor.in_runner:
            begin()
            with self._reactor.blocking():
                return _results(begun.result(), seconds)
        self._reactor.call_soon(begin)
        return _results(begun.result(seconds), seconds)

    def stop_workers(self) -> None:
        """The node stops: the workers shall end in order."""
        for link in tuple(self._links.values()):
            link.link.send(encode_frame(Kind.STOP))

    def _settle(self) -> None:
        deferred, self._deferred = self._deferred, None
        if deferred is None:
            return
        log.info("The sessions of [%d] of [%d] workers are here", len(self._given), self._awaited)
        for each in deferred:
            each()

    def _when_settled(self, task: Callable[[], None]) -> None:
        if self._deferred is None:
            task()
        else:
            self._deferred.append(task)

    # -- for SessionCopies ---------------------------------------------------------------------------------------

    def show(self, member: Member, key: bytes, messages: Sequence[bytes], *, tells: bool = False) -> None:
        """See :class:`Workers`."""
        link = self._links.get(member)
        if link is not None:
            link.link.send(encode_frame(Kind.SHOW, encode_messages(key, messages), int(tells)))

    def tell_ends(self, members: Sequence[Member], key: bytes, messages: Sequence[bytes]) -> None:
        """See :class:`Workers`."""
        argument = [key.decode(), [base64.b64encode(message).decode() for message in messages]]

        def done(call: Future[Any]) -> None:
            fault = call.exception()
            if fault is not None and len(members) > 1:
                self.tell_ends(members[1:], key, messages)
            elif fault is not None:
                log.debug("No worker runs [%s], whose listeners are to hear of sessions: %s", key.decode(), fault)
                copies = self._copies.get(key)
                if copies is not None:
                    copies.tellers.wait(*messages)

        self.call(members[0], TELL_ENDS, argument).add_done_callback(done)

    def share(self, member: Member, key: bytes, name: str) -> None:
        """See :class:`Workers`."""
        self._tell(member, Kind.SHARED, key, name)

    def outdate(self, member: Member, key: bytes, name: str) -> None:
        """See :class:`Workers`."""
        self._tell(member, Kind.OUTDATED, key, name)

    def _tell(self, member: Member, kind: Kind, key: bytes, name: str) -> None:
        link = self._links.get(member)
        if link is not None:
            link.link.send(encode_frame(kind, encode_keyed(key, name.encode("utf-8", "surrogatepass"))))

    def catch_up(self, member: Member) -> None:
        """See :class:`Workers`."""
        link = self._links.get(member)
        if link is not None:
            link.link.catch_up()

    def at_round_end(self, task: Callable[[], None]) -> None:
        """See :class:`Workers`."""
        self._reactor.at_round_end(task)

    # -- connections ---------------------------------------------------------------------------------------------

    def _on_connection(self, _: int) -> None:
        for _ in range(ACCEPTS):
            try:
                sock, _address = self._listening.accept()
            except BlockingIOError:
                return
            except OSError as error:
                log.warning("A worker could not be accepted: %s", error)
                return
            process, user, _ = _CREDENTIALS.unpack(
                sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            )
            if user != os.geteuid() and not (self.rights.knows(user) and len(self._unknown) < MAX_UNKNOWN):
                log.warning("A process of user [%d] wanted to be a worker of this node, which runs as [%d]",
                            user, os.geteuid())  # fmt: skip
                sock.close()
                continue
            link = _WorkerLink(self, sock, self._reactor, process, user)
            self._unknown.add(link)
            self._reactor.call_later(HELLO_SECONDS, partial(self._expire, link))
            link.link.open()

    def _expire(self, link: _WorkerLink) -> None:
        if link in self._unknown:
            self._unknown.discard(link)
            link.link.close()

    def greeted(self, link: _WorkerLink, hello: Hello) -> None:
        """A connection has said whose it is. Raises ProtocolError: it is not."""
        self._unknown.discard(link)
        link.has_user = bool(hello.token) or link.user != os.geteuid()
        if link.has_user:
            member = worker_member(hello.worker, link.process)  # as the kernel says
            if not self.rights.admit(member, link.user, hello.token):
                raise ProtocolError(
                    f"process [{link.process}] of user [{link.user}] says it is worker [{hello.worker}], and is not"
                )
            asks = sum(each.member == member for each in self._asking)
            if hello.is_for_queries and asks >= MAX_ASKING:
                raise ProtocolError(f"worker [{hello.worker}] asks over more than [{MAX_ASKING}] connections")
            link.member = member
            link.link.limit(MAX_QUESTION if hello.is_for_queries else MAX_POST)
        else:
            link.member = worker_member(hello.worker, hello.pid)
            link.link.limit(MAX_PAYLOAD)
        if hello.is_for_queries:
            self._asking.add(link)
            return
        old = self._links.pop(link.member, None)
        if old is not None:  # the worker has noticed first that its link is broken
            old.link.catch_up()
            old.link.close()
            self._forget(link.member)
        self._links[link.member] = link
        if link.has_user:
            self.rights.note_user(link.member)
        if self._poll is not None:
            link.link.move(self._poll)
        link.link.send(encode_frame(Kind.READY, struct.pack(">I", os.getpid())))
        log.debug("Worker [%d] is there, process [%d]", hello.worker, hello.pid)
        self.on_change()

    def lost(self, link: _WorkerLink) -> None:
        """A connection has ended."""
        self._unknown.discard(link)
        self._asking.discard(link)
        if link.member is not None and self._links.get(link.member) is link:
            del self._links[link.member]
            self._forget(link.member)
            self.on_change()

    def _forget(self, member: Member) -> None:
        self.rights.forget(member)
        if member.port - 1 in POOL_SEATS:  # its link has told who it is
            for link in [each for each in self._asking if each.member == member]:
                self._asking.discard(link)
                link.link.close()
        for told in self.on_lost:
            told(member.port - 1)
        for copies in self._copies.values():
            copies.lost(member)

    # -- frames --------------------------------------------------------------------------------------------------

    def take(self, link: _WorkerLink, member: Member, frame: Frame) -> None:
        """A frame of a worker. Raises ProtocolError."""
        try:
            self.rights.check(member, frame, link.has_user)
        except RefusedFrameError as refused:
            self._refuse(link, frame, refused)
            return
        match frame.kind:
            case Kind.POST:
                if self._poll is not None and (frame.number or len(frame.payload) > LARGE):
                    self._poll.hurry()
                self._posted(link, member, frame)
            case Kind.ASK:
                self._when_settled(partial(self._asked, link, member, frame))
            case Kind.CALL:
                reply = partial(link.reply, frame.number)
                self.services.call(frame.payload, member.port - 1, reply)
            case Kind.RESULT:
                link.calls.end(frame.number, frame.payload)
            case Kind.GIVEN:
                self._given.add(member)
                if len(self._given) >= self._awaited:
                    # later, because it reads links, which is not allowed within a link's frame
                    self._reactor.call_soon(self._settle)
            case Kind.FORGET:
                key, sessions = decode_forgotten(frame.payload)
                copies = self._copies.get(key)
                if copies is not None:
                    copies.forgotten(member, sessions)
            case _:
                raise ProtocolError(f"expected a frame of a worker, got {frame.kind.name}")

    @staticmethod
    def _refuse(link: _WorkerLink, frame: Frame, refused: RefusedFrameError) -> None:
        """A question is answered, as its thread waits. A POST is not: nothing says that it is anywhere."""
        if frame.kind is Kind.ASK:
            link.link.send(encode_frame(Kind.ANSWER))
        elif frame.kind is Kind.CALL:
            link.reply(frame.number, encode_result(error=str(refused)))

    def _posted(self, link: _WorkerLink, member: Member, frame: Frame) -> None:
        key, messages = decode_messages(frame.payload)
        copies = self._copies.get(key)
        delivery = None if copies is None else copies.posted(member, messages)
        if not frame.number:
            return
        acknowledge = partial(self._when_settled, partial(link.acknowledge, frame.number))
        if delivery is None or delivery.done:
            # Acknowledge only after other workers have been shown the changes: a client that has the answer then finds
            # the change everywhere.
            self._reactor.at_round_end(acknowledge)
        else:
            delivery.add_done_callback(lambda _: acknowledge())

    def _asked(self, link: _WorkerLink, member: Member, frame: Frame) -> None:
        key, question = decode_keyed(frame.payload)
        copies = self._copies.get(key)
        if copies is None:
            link.link.send(encode_frame(Kind.ANSWER))
            return

        def answer() -> None:
            found, place = copies.asked(member, question, may_go=frame.number == 1)
            number = 1 + place.port if isinstance(place, Member) else int(place)
            link.link.send(encode_frame(Kind.ANSWER, found, number))

        copies.when_here(question, answer)


def _results(calls: dict[int, Future[Any]], seconds: float) -> dict[int, Any]:
    wait(calls.values(), seconds)
    results: dict[int, Any] = {}
    for worker, call in calls.items():
        if not call.done():
            results[worker] = CatalinaError(f"worker [{worker}] has not answered within {seconds:g} seconds")
        else:
            fault = call.exception()
            results[worker] = call.result() if fault is None else CatalinaError(f"worker [{worker}]: {fault}")
    return results


class _WorkerLink:
    """One connection of a worker, for messages or for queries."""

    def __init__(self, links: WorkerLinks, sock: socket.socket, reactor: Reactor, process: int, user: int) -> None:
        self.member: Member | None = None
        #: As the kernel says.
        self.process, self.user = process, user
        #: It is of a process with a user of its own.
        self.has_user = False
        self.calls = Calls()
        self._links = links
        self.link = Link(sock, reactor, "worker", self._on_frame, self._on_lost)
        self.link.limit(MAX_HELLO)

    def acknowledge(self, number: int) -> None:
        """The POST of that number is where it was to go."""
        self.link.send(encode_frame(Kind.ACKNOWLEDGE, b"", number))

    def reply(self, number: int, result: bytes) -> None:
        """The result of a call has come about."""
        self.link.send(encode_frame(Kind.RESULT, result, number))

    def call(self, service: str, argument: object) -> Future[Any]:
        """Call a service of the worker."""
        number, future = self.calls.begin()
        self.link.send(encode_frame(Kind.CALL, encode_call(service, argument), number))
        return future

    def _on_frame(self, frame: Frame) -> None:
        if self.member is not None:
            self._links.take(self, self.member, frame)
        elif frame.kind is Kind.HELLO:
            self._links.greeted(self, decode_hello(frame.payload))
        else:
            raise ProtocolError(f"expected a HELLO, got {frame.kind.name}")

    def _on_lost(self) -> None:
        self.calls.lose("the worker has gone")
        self._links.lost(self)
