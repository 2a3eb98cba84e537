"""Agents find one another by multicast (Jolokia: service/discovery).

A client sends ``{"type": "query"}`` to the group; each agent that wants to be found answers to the sender with its
address, its version and its server's. A client that has found an agent still needs a login there.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import select
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

from catalina.attributes import Component
from catalina.errors import CatalinaError, ProtocolError
from catalina.manager.jolokia.serializer import JsonText
from catalina.operations import Impact, operation
from catalina.reactor import READ, Reactor
from catalina.repeated_messages import RepeatedMessages

__all__ = ["GROUP", "PORT", "Discovery", "Responder", "decode_message", "encode_message"]

log = logging.getLogger("org.jolokia.service.discovery")
_repeated = RepeatedMessages(log)

#: Jolokia's own group and port.
GROUP, PORT = "239.192.48.84", 24884
#: Bytes of a message.
MAX_MESSAGE = 8972
#: Milliseconds that a look-up takes when nothing is said, and at most, because it holds a thread.
USUAL_MS, MAX_MS = 1000, 10_000
#: Agents in one answer.
MAX_AGENTS = 500
#: Answers in a second, and datagrams that are read in a row: a forged sender gets no flood.
MAX_ANSWERS, MAX_IN_A_ROW = 50, 64

#: An agent says this of itself; everything else in a message is passed over.
DETAILS = ("url", "secured", "server_vendor", "server_product", "server_version", "agent_version", "agent_id",
           "agent_description")  # fmt: skip
_MREQN = struct.Struct("@4s4si")


def encode_message(kind: str, details: Mapping[str, Any]) -> bytes:
    """A message: ``query`` or ``response``, with the details that are not None."""
    return json.dumps({"type": kind, **{name: value for name, value in details.items() if value is not None}}).encode()


def decode_message(data: bytes) -> tuple[str, dict[str, Any]]:
    """The kind and the details of a message.

    Raises:
        ProtocolError: it is none.
    """
    try:
        given = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("expected JSON") from error
    kind = given.get("type") if isinstance(given, dict) else None
    if kind not in ("query", "response"):
        raise ProtocolError(f"expected a query or a response, got {str(kind)[:100]}")
    details = {name: given[name] for name in DETAILS if isinstance(given.get(name), str | bool)}
    if kind == "response" and not isinstance(details.get("agent_id"), str):
        raise ProtocolError("a response without the agent's id")
    return kind, details


def _checked_group(group: str, port: int) -> tuple[str, int]:
    """Raises ValueError for what is no group: a look-up must not send to any address that a client names."""
    if (
        not isinstance(ipaddress.ip_address(group), ipaddress.IPv4Address)
        or not ipaddress.ip_address(group).is_multicast
    ):
        raise ValueError(f"[{group}] is no IPv4 multicast address")
    if not 0 < port < 65536:
        raise ValueError(f"[{port}] is no port")
    return group, port


def _interfaces(group: str) -> Iterator[tuple[str, bytes]]:
    """The name of each network interface, and the option that chooses it for the group."""
    for index, name in socket.if_nameindex():
        yield name, _MREQN.pack(socket.inet_aton(group), b"\0" * 4, index)


class Discovery(Component):
    """Looks for other agents.

    Args:
        agent_id: this agent's.
    """

    bean_class = "org.jolokia.service.discovery.JolokiaDiscovery"

    def __init__(self, agent_id: str, group: str = GROUP, port: int = PORT) -> None:
        super().__init__()
        self._agent_id = agent_id
        self._group, self._port = group, port

    @operation(impact=Impact.INFO)
    def lookup_agents(self) -> str:
        """The agents that answer within a second: a list with what each says of itself."""
        return self._look(USUAL_MS, self._group, self._port)

    @operation(name="lookupAgentsWithTimeout", impact=Impact.INFO, timeout="Milliseconds.")
    def lookup_with_timeout(self, timeout: int) -> str:
        """The agents that answer in time."""
        return self._look(timeout, self._group, self._port)

    @operation(name="lookupAgentsWithTimeoutAndMulticastAddress", impact=Impact.INFO, timeout="Milliseconds.")
    def lookup_in_group(self, timeout: int, multicast_group: str, multicast_port: int) -> str:
        """The agents of another multicast group that answer in time."""
        return self._look(timeout, multicast_group, multicast_port)

    def _look(self, timeout_ms: int, group: str, port: int) -> str:
        target = _checked_group(group, port)
        ends = time.monotonic() + min(max(0, timeout_ms), MAX_MS) / 1000
        found: dict[str, dict[str, Any]] = {}
        with ExitStack() as stack:
            sockets = []
            for name, option in _interfaces(group):
                sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                sock.setblocking(False)
                try:
                    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, option)
                    sock.sendto(encode_message("query", {"agent_id": self._agent_id}), target)
                except OSError as error:
                    log.debug("No agents are looked for over [%s]: %s", name, error)
                    continue
                sockets.append(sock)
            if not sockets:
                raise CatalinaError("Cannot send a single multicast discovery request on any interface")
            poll = select.poll()
            by_number = {sock.fileno(): sock for sock in sockets}
            for number in by_number:
                poll.register(number, select.POLLIN)
            while (left := ends - time.monotonic()) > 0 and len(found) < MAX_AGENTS:
                for number, _ in poll.poll(left * 1000):
                    _take(by_number[number], found)
        return JsonText(list(found.values()))


def _take(sock: socket.socket, found: dict[str, dict[str, Any]]) -> None:
    """Read one answer. Other datagrams are passed over: anybody can send."""
    try:
        data, address = sock.recvfrom(MAX_MESSAGE)
        kind, details = decode_message(data)
    except (OSError, ProtocolError) as error:
        log.debug("No answer of an agent: %s", error)
        return
    if kind == "response":
        log.debug("The agent at [%s] answers", address[0])
        found.setdefault(details["agent_id"], details)


class Responder:
    """Answers those who look for agents, from :meth:`open` to :meth:`close`.

    Args:
        details: what the agent says of itself to somebody with that address.
        may_ask: True for an address that gets an answer.
    """

    def __init__(
        self, reactor: Reactor, details: Callable[[str], Mapping[str, Any]], may_ask: Callable[[str], bool],
        group: str = GROUP, port: int = PORT,
    ) -> None:  # fmt: skip
        self._reactor = reactor
        self._details = details
        self._may_ask = may_ask
        self._group, self._port = group, port
        self._socket: socket.socket | None = None
        self._second, self._answers = 0, 0

    def open(self) -> None:
        """Join the group on all interfaces.

        Raises:
            ValueError: it is no group.
            OSError: the port cannot be bound, or no interface can be used.
        """
        _checked_group(self._group, self._port)
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setblocking(False)
            sock.bind((self._group, self._port))
            joined = [name for name, option in _interfaces(self._group) if _joins(sock, name, option)]
            if not joined:
                raise OSError(f"the multicast group {self._group} cannot be joined on any interface")
        except BaseException:
            sock.close()
            raise
        self._socket = sock
        self._reactor.register(sock, READ, self._on_message)

    def close(self) -> None:
        """Answer no longer."""
        sock, self._socket = self._socket, None
        if sock is not None:
            self._reactor.unregister(sock)
            sock.close()

    def _on_message(self, _: int) -> None:
        for _ in range(MAX_IN_A_ROW):
            sock = self._socket
            if sock is None:
                return
            try:
                data, address = sock.recvfrom(MAX_MESSAGE)
            except BlockingIOError:
                return
            except OSError as error:
                _repeated.log(logging.INFO, "discovery", "Discovery requests cannot be read: %s", error)
                return
            self._answer(sock, data, address)

    def _answer(self, sock: socket.socket, data: bytes, address: tuple[str, int]) -> None:
        try:
            kind, _ = decode_message(data)
            if kind != "query" or not self._may_ask(address[0]) or not self._has_answers_left():
                return
            sock.sendto(encode_message("response", self._details(address[0])), address)
        except (ProtocolError, OSError) as error:
            log.debug("A discovery request of [%s] is not answered: %s", address[0], error)

    def _has_answers_left(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._answers = second, 0
        self._answers += 1
        return self._answers <= MAX_ANSWERS


def _joins(sock: socket.socket, name: str, option: bytes) -> bool:
    try:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, option)
    except OSError as error:
        log.debug("The group is not joined on [%s]: %s", name, error)
        return False
    return True
