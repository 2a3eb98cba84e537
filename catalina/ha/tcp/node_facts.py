"""The facts that the nodes of a group exchange when somebody examines the group with ``catalina doctor``, or watches
it on ``/manager/cluster``.

A question is an RPC with an id of its own, sent to members only. A Java node has no such RPC channel and says so.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from catalina.errors import CatalinaError
from catalina.ha.tcp.live_facts import LiveFacts, LiveNode, contexts_under, read_live
from catalina.tribes.channel import SEND_OPTIONS_USE_ACK
from catalina.tribes.group.rpc_channel import FIRST_REPLY, LATER, Response, RpcChannel
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.value_decoder import decode_value
from catalina.tribes.io.java.value_encoder import encode_value
from catalina.util.server_info import SERVER_INFO

if TYPE_CHECKING:
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.tribes.group.group_channel import GroupChannel
    from catalina.tribes.member import Member

__all__ = ["EXAMINED", "WATCHED", "Answer", "NodeFacts", "read_facts"]

RPC_ID = b"catalina-node-facts"
#: The number of answers for ``/manager/cluster`` that a node makes at the same time.
MAX_LOOKING = 4
#: The questions. A node of an earlier version takes every question for the first one.
EXAMINED, WATCHED = b"facts", b"live"
#: Limit in bytes for an answer, both sent and received.
MAX_FACTS = 256 * 1024
#: The number of applications in an answer.
MAX_APPLICATIONS = 500

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one member.

    Args:
        member: the member that was asked.
        facts: the facts; None when there was no answer, or an unusable one.
        offset: seconds by which its clock is ahead of this node's.
        accuracy: seconds by which the offset may be wrong: half of the time between question and answer.
        live: the facts for :data:`WATCHED`, None likewise.
    """

    member: Member
    facts: Facts | None = None
    offset: float = 0.0
    accuracy: float = 0.0
    live: LiveNode | None = None


class NodeFacts:
    """Asks and answers, from :meth:`open` to :meth:`close`.

    Args:
        cluster: the cluster whose container's applications are listed.
        clock: seconds since the epoch.
    """

    def __init__(self, cluster: SimpleTcpCluster, clock: Callable[[], float] = time.time) -> None:
        self._cluster = cluster
        self._clock = clock
        self._rpc: RpcChannel | None = None
        self.live = LiveFacts(cluster, clock)
        self._looking = threading.BoundedSemaphore(MAX_LOOKING)

    def open(self, channel: GroupChannel) -> None:
        """Start to answer."""
        self._rpc = RpcChannel(channel, RPC_ID, self)

    def close(self) -> None:
        """Stop answering."""
        rpc, self._rpc = self._rpc, None
        if rpc is not None:
            rpc.close()

    # ---- this node

    def own(self) -> Facts:
        """This node's answer: its time, its software, the settings that must be alike in a group, and its
        applications.
        """
        cluster = self._cluster
        channel: Any = cluster.channel
        applications = [
            {
                "name": f"{context.host.name}{context.name or '/'}",
                "runs": context.state.available,
                "distributable": context.distributable,
                "manager": type(context.manager).__name__ if context.manager is not None else "",
            }
            for context in contexts_under(cluster.container)
        ]
        return {
            "now": self._clock(),
            "software": SERVER_INFO,
            "alike": {
                "channelSendOptions": str(cluster.channel_send_options),
                "interceptors": ", ".join(type(layer).__name__ for layer in channel.interceptors),
                "the Deployer": type(cluster.deployer).__name__ if cluster.deployer is not None else "none",
            },
            "applications": applications[:MAX_APPLICATIONS],
        }

    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue | None:
        """Answer in the event loop, from facts that are at hand; another thread answers who watches."""
        rpc = self._rpc
        if rpc is None or _text_of(message) != WATCHED:
            return encode_value(json.dumps(self.own()).encode())
        if not self._looking.acquire(blocking=False):
            return None  # somebody asks faster than this node can look

        def answer() -> None:
            try:
                rpc.reply(sender, uuid, encode_value(self.live.own().encode()))
            finally:
                self._looking.release()

        rpc.channel.running_reactor.submit(answer)
        return LATER

    def left_over(self, message: EncodedValue, sender: Member) -> None:
        """Nothing to do: the answer came too late."""

    # ---- the others

    def ask(self, members: Sequence[Member], seconds: float, question: bytes = EXAMINED) -> list[Answer]:
        """Ask all members at the same time, and wait at most so many seconds."""
        rpc = self._rpc
        found = {member: Answer(member) for member in members}
        if rpc is None or not members:
            return list(found.values())
        reactor = rpc.channel.running_reactor
        left, lock, all_done = set(members), threading.Lock(), reactor.event()

        def ended(member: Member) -> None:
            with lock:
                left.discard(member)
                if not left:
                    all_done.set()

        def note(member: Member, responses: list[Response], asked: float, began: float) -> None:
            took = time.monotonic() - began
            for response in responses:
                answer = read_answer(member, response.message, question)
                if answer is not None:
                    found[member] = replace(answer, offset=answer.offset - asked - took / 2, accuracy=took / 2)
            ended(member)

        for member in members:
            done = partial(note, member, asked=self._clock(), began=time.monotonic())
            try:
                rpc.request((member,), encode_value(question), FIRST_REPLY, SEND_OPTIONS_USE_ACK, seconds, done)
            except CatalinaError:
                ended(member)  # the member stays without an answer
        if not all_done.is_set():
            with reactor.blocking():
                all_done.wait(seconds + 1)
        return list(found.values())


def read_answer(member: Member, message: EncodedValue, question: bytes) -> Answer | None:
    """An answer to a question, with the member's clock as its offset; None when it is unusable."""
    if question == WATCHED:
        live = read_live(_text_of(message))
        return Answer(member, live=live, offset=live.now) if live is not None else None
    facts = read_facts(message)
    return Answer(member, facts, offset=facts["now"]) if facts is not None else None


def _text_of(message: EncodedValue) -> object:
    """The bytes of a question or an answer; None when the message is too long or no value."""
    if len(message.data) > MAX_FACTS:
        return None
    try:
        return decode_value(message)
    except CatalinaError:
        return None


def read_facts(message: EncodedValue) -> Facts | None:
    """The facts of an answer, None when it has not the form that :meth:`NodeFacts.own` gives."""
    try:
        facts = json.loads(_text_of(message))  # type: ignore[arg-type]  # json says what is none
    except (ValueError, TypeError, RecursionError):
        return None
    if not isinstance(facts, dict):
        return None
    alike, applications = facts.get("alike"), facts.get("applications")
    good = (
        isinstance(facts.get("now"), float)
        and isinstance(facts.get("software"), str)
        and isinstance(alike, dict)
        and all(isinstance(value, str) for value in alike.values())
        and isinstance(applications, list)
        and all(_is_application(each) for each in applications)
    )
    return facts if good else None


def _is_application(each: object) -> bool:
    return (
        isinstance(each, dict)
        and isinstance(each.get("name"), str)
        and isinstance(each.get("manager"), str)
        and isinstance(each.get("runs"), bool)
    )
