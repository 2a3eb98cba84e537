"""The facts that the nodes of a group exchange when somebody examines the group with ``catalina doctor``.

A question is an RPC with an id of its own, sent to members only. A Java node has no such RPC channel and says so.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from catalina.core.standard_context import StandardContext
from catalina.errors import CatalinaError
from catalina.tribes.channel import SEND_OPTIONS_USE_ACK
from catalina.tribes.group.rpc_channel import FIRST_REPLY, Response, RpcChannel
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.value_decoder import decode_value
from catalina.tribes.io.java.value_encoder import encode_value
from catalina.util.server_info import SERVER_INFO

if TYPE_CHECKING:
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.tribes.member import Member

__all__ = ["Answer", "NodeFacts", "read_facts"]

RPC_ID = b"catalina-node-facts"
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
    """

    member: Member
    facts: Facts | None = None
    offset: float = 0.0
    accuracy: float = 0.0


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

    def open(self, channel: Any) -> None:
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
            for context in _contexts_under(cluster.container)
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
        """Answer in the event loop, from facts that are at hand."""
        return encode_value(json.dumps(self.own()).encode())

    def left_over(self, message: EncodedValue, sender: Member) -> None:
        """Nothing to do: the answer came too late."""

    # ---- the others

    def ask(self, members: Sequence[Member], seconds: float) -> list[Answer]:
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
                facts = read_facts(response.message)
                if facts is not None:
                    found[member] = Answer(member, facts, facts["now"] - asked - took / 2, took / 2)
            ended(member)

        for member in members:
            done = partial(note, member, asked=self._clock(), began=time.monotonic())
            try:
                rpc.request((member,), encode_value(b"facts"), FIRST_REPLY, SEND_OPTIONS_USE_ACK, seconds, done)
            except CatalinaError:
                ended(member)  # the member stays without an answer
        if not all_done.is_set():
            with reactor.blocking():
                all_done.wait(seconds + 1)
        return list(found.values())


def _contexts_under(container: object) -> list[StandardContext]:
    found = []
    for child in getattr(container, "children", ()):
        found += [child] if isinstance(child, StandardContext) else _contexts_under(child)
    return found


def read_facts(message: EncodedValue) -> Facts | None:
    """The facts of an answer, None when it has not the form that :meth:`NodeFacts.own` gives."""
    if len(message.data) > MAX_FACTS:
        return None
    try:
        facts = json.loads(decode_value(message))
    except (CatalinaError, ValueError, TypeError, RecursionError):
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
