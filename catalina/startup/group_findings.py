"""Findings of ``catalina doctor`` about a node's group: heartbeats, addresses, members, clocks, settings,
applications.

The last functions look at the network: messages of a group that arrive on this machine, members that can be reached.
"""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from catalina.errors import ProtocolError
from catalina.ha.tcp.node_facts import Answer
from catalina.polling import is_ready
from catalina.startup.finding import Finding
from catalina.tribes.group.interceptors.encrypt_interceptor import EncryptInterceptor
from catalina.tribes.member import BEGIN, MAX_RECORD, Member
from catalina.tribes.membership.mcast_service import McastService
from catalina.tribes.membership.multicast_socket import open_multicast_socket
from catalina.tribes.transport.nio.parallel_nio_sender import keeps_order

if TYPE_CHECKING:
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.tribes.member import Member
    from catalina.tribes.transport.tribes_ssl_context import TribesSslContext

__all__ = [
    "Heard",
    "Reach",
    "facts_findings",
    "group_findings",
    "group_mtu",
    "key_findings",
    "listen",
    "multicast_findings",
    "own_address_findings",
    "reach",
    "reach_finding",
]


#: Seconds to reach a member, to ask it, and to listen for heartbeats at most.
REACH_SECONDS, ASK_SECONDS, MAX_LISTEN_SECONDS = 2.0, 3.0, 10.0
#: Seconds by which a clock may be wrong before that is a warning, and an error.
CLOCK_WARNING, CLOCK_ERROR = 1.0, 60.0
#: The number of nodes that are connected to at the same time.
REACHED_AT_ONCE = 16
#: Advice about keys.
SAME_PSK = (
    'the same pskIdentity, pskKey, pskDigest and pskProtocol, and secure="true", of <Channel>, and a securePort of '
    "<Receiver>, on all nodes"
)
SAME_ENCRYPTION = "the same encryptionKey, encryptionAlgorithm and interceptors on all nodes"
#: Bytes of the IP and UDP headers.
_HEADERS = 28
_IP_MTU = 14
#: Members that are noted, because anybody who can send to the group could name any number.
MAX_HEARD = 200


def group_findings(cluster: SimpleTcpCluster) -> Iterator[Finding]:
    """All findings about one cluster, which take some seconds."""
    local = cluster.local_member if cluster.state.available else None
    if local is None or cluster.channel is None:
        yield Finding("cluster", "error", f"the cluster of [{cluster.name}] does not run", "look into the log")
        return
    membership = cluster.channel.membership_service
    members = list(cluster.members)
    if isinstance(membership, McastService):
        seconds = min(MAX_LISTEN_SECONDS, max(1.5, 3 * membership.frequency / 1000))
        try:
            heard = listen(membership, seconds)
        except OSError as error:
            yield Finding("multicast", "error", f"the group {_group(membership)} cannot be joined: {error}",
                          "set bind of <Membership> to the address of an interface that has multicast")  # fmt: skip
        else:
            yield from multicast_findings(membership, local, heard)
            known = {*members, local}
            members += [each for each in heard.members if each not in known and not each.is_leaving]
        yield _fragments(membership, local)
    elif not members:
        yield Finding("members", "warning", f"{type(membership).__name__} has found no other member")
    yield from own_address_findings(local, members)
    channel = cluster.channel
    tls = channel.tls if channel.secure else None
    with ThreadPoolExecutor(REACHED_AT_ONCE) as pool:
        reached = pool.map(lambda each: reach(each, REACH_SECONDS, tls), members)
        for member, found in zip(members, reached, strict=True):
            yield reach_finding(member, found, member in cluster.members)
    answers = cluster.facts.ask(cluster.members, ASK_SECONDS)
    yield from facts_findings(cluster.facts.own(), answers)
    for layer in channel.interceptors:
        if isinstance(layer, EncryptInterceptor):
            yield from key_findings(layer.unopened, answers)


def _group(membership: McastService) -> str:
    return f"{membership.address}:{membership.port}" + (f" on {membership.bind}" if membership.bind else "")


def multicast_findings(membership: McastService, local: Member, heard: Heard) -> Iterator[Finding]:
    """Checks that heartbeats come back to this machine, and that others come."""
    group = _group(membership)
    if local in heard.members:
        yield Finding("multicast", "ok", f"this node's heartbeat to {group} comes back")
    elif membership.local_loopback_disabled:
        yield Finding("multicast", "unknown", "localLoopbackDisabled: this node cannot hear itself")
    else:
        yield Finding(
            "multicast", "error", f"this node's own heartbeat to {group} does not come back to this machine",
            f"a firewall here drops it (allow UDP port {membership.port} to {membership.address}), or the interface "
            f"carries no multicast: ip route get {membership.address}",
        )  # fmt: skip
    others = [each for each in heard.members if each != local]
    silent = [each for each in membership.members if each not in heard.members]
    if not others:
        yield Finding(
            "multicast", "warning", f"nobody else is heard on {group}",
            "if other nodes run: the same address and port everywhere, a ttl that reaches them, IGMP snooping of the "
            "switch; a network without multicast (most clouds) needs <Membership> with static members",
        )  # fmt: skip
    elif silent:
        names = ", ".join(each.name for each in silent)
        yield Finding("multicast", "warning", f"members whose heartbeat is not heard just now: {names}",
                      "the network loses multicast, or they have just left")  # fmt: skip
    if heard.broken:
        yield Finding("multicast", "warning", f"{heard.broken} datagrams to {group} are broken announcements",
                      "another program uses this group and port")  # fmt: skip
    for member, source in heard.members.items():
        if _is_loopback(member.address) and not _is_loopback(source):
            yield Finding("addresses", "error", f"the node at {source} announces {member.name}, which only it can "
                          "reach", "on that machine: address of <Receiver>, or /etc/hosts")  # fmt: skip


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def own_address_findings(local: Member, members: list[Member]) -> Iterator[Finding]:
    """Checks that other nodes can reach the announced address of this node."""
    address = ipaddress.ip_address(local.address)
    outside = [each for each in members if not ipaddress.ip_address(each.address).is_loopback]
    if address.is_unspecified or (address.is_loopback and outside):
        yield Finding("addresses", "error", f"this node announces {local.name}, which no other machine can reach",
                      'address="..." of <Receiver>: this machine\'s address in the network of the cluster')  # fmt: skip
    elif address.is_loopback:
        yield Finding("addresses", "warning", f"this node announces {local.name}: only nodes on this machine reach it",
                      'address="..." of <Receiver>, unless all nodes are on this machine')  # fmt: skip
    else:
        yield Finding("addresses", "ok", f"this node announces {local.name}")


def _fragments(membership: McastService, local: Member) -> Finding:
    mtu, size = group_mtu(membership), len(local.encode()) + _HEADERS
    if not mtu:
        return Finding("fragments", "unknown", "the system does not say how long a packet to the group may be")
    if size > mtu:
        return Finding("fragments", "warning", f"a heartbeat has {size} bytes, a packet {mtu}: it travels in pieces",
                       "a shorter domain, or a greater MTU")  # fmt: skip
    return Finding("fragments", "ok", f"a heartbeat has {size} bytes and fits into a packet of {mtu}")


def reach_finding(member: Member, found: Reach, is_member: bool) -> Finding:
    """Checks that a node's receiver accepts a connection, and tells whose fault it is when it does not."""
    if found.seconds is not None:
        text = f"{member.name} takes connections ({found.seconds * 1000:.1f} ms, packets of {found.mtu} bytes)"
        if is_member:
            return Finding("members", "ok", text)
        return Finding("members", "error", f"{text}, is heard, and is no member here",
                       "the domains of <Membership> and DomainFilterInterceptor differ, or an interceptor such as "
                       "EncryptInterceptor differs; the logs of both nodes say more")  # fmt: skip
    advice = {
        "timeout": f"a firewall drops it: allow TCP port {member.port} on {member.address}",
        "refused": f"the node there has ended, or listens on another address: ss -ltn on {member.address}",
    }.get(found.error, f"no way to it from here: ip route get {member.address}")
    if found.error.startswith("key: "):
        text = f"{member.name} has another key, or none: the TLS handshake fails ({found.error[5:]})"
        return Finding("keys", "error", text, SAME_PSK)
    if found.error == "no securePort":
        text = f"{member.name} announces no securePort, and this node sends over TLS only"
        return Finding("keys", "error", text, SAME_PSK)
    word = {"timeout": "does not answer", "refused": "refuses connections"}.get(found.error, found.error)
    return Finding("members", "error", f"{member.name} {word}", advice)


def key_findings(unopened: Mapping[Member, int], answers: list[Answer]) -> Iterator[Finding]:
    """Members whose EncryptInterceptor has another key.

    Args:
        unopened: by sender, the number of messages that this node's key does not open.
    """
    good = True
    for answer in answers:
        member, count = answer.member, unopened.get(answer.member, 0)
        if answer.facts is not None:
            continue
        if count:
            good = False
            text = f"this node's key does not open the messages of {member.name}, {count} so far"
            yield Finding("keys", "error", text, SAME_ENCRYPTION)
        elif keeps_order(member):
            good = False
            text = f"{member.name} takes a question and does not answer it: it cannot open it, or not answer in time"
            yield Finding("keys", "warning", text, SAME_ENCRYPTION)
    strangers = sorted(member.name for member in unopened.keys() - {answer.member for answer in answers})
    if strangers:
        text = f"this node's key did not open messages of {', '.join(strangers)}, no members now"
        yield Finding("keys", "warning", text, SAME_ENCRYPTION)
    elif good:
        yield Finding("keys", "ok", "this node's key opens the messages of all members that answer")


def facts_findings(own: dict[str, Any], answers: list[Answer]) -> Iterator[Finding]:
    """Clocks, settings that must be alike, and applications that are not everywhere."""
    for answer in answers:
        name = answer.member.name
        if answer.facts is None:
            why = (
                "does not answer questions" if keeps_order(answer.member) else "is a Java node: it answers no questions"
            )
            yield Finding("questions", "unknown", f"{name} {why}; its clock and settings are not known")
            continue
        yield _clock(answer)
        for what, mine in own["alike"].items():
            theirs = answer.facts["alike"].get(what)
            if theirs is not None and theirs != mine:
                yield Finding("settings", "warning", f"{what}: {mine} here, {theirs} on {name}",
                              "the same <Cluster> in server.xml of all nodes")  # fmt: skip
        if answer.facts["software"] != own["software"]:
            text = f"{name} runs {answer.facts['software']}, this node {own['software']}"
            yield Finding("settings", "warning", text, "the same version everywhere, once the upgrade is through")
    yield from _not_everywhere(own, answers)


def _clock(answer: Answer) -> Finding:
    beyond = abs(answer.offset) - answer.accuracy
    side = "ahead of" if answer.offset > 0 else "behind"
    text = f"the clock of {answer.member.name} is {abs(answer.offset):.3f} s {side} this one's"
    verdict = "error" if beyond > CLOCK_ERROR else "warning" if beyond > CLOCK_WARNING else "ok"
    return Finding("clock", verdict, text, "chronyc tracking, or timedatectl, on both" if verdict != "ok" else "")


def _not_everywhere(own: dict[str, Any], answers: list[Answer]) -> Iterator[Finding]:
    nodes = {"this node": own["applications"]}
    nodes |= {answer.member.name: answer.facts["applications"] for answer in answers if answer.facts is not None}
    running = {node: {each["name"]: each for each in rows if each["runs"]} for node, rows in nodes.items()}
    for name in sorted({name for rows in running.values() for name, row in rows.items() if row.get("distributable")}):
        lacking = [node for node, rows in running.items() if name not in rows]
        managers = {rows[name]["manager"] for rows in running.values() if name in rows}
        if lacking:
            yield Finding("everywhere", "warning", f"[{name}] does not run on {', '.join(lacking)}: its sessions "
                          "end when clients are sent there", "catalina deploy --farm, or copy it there")  # fmt: skip
        if len(managers) > 1:
            yield Finding("everywhere", "error", f"[{name}] has different managers: {', '.join(sorted(managers))}",
                          "the same <Manager> in all nodes' server.xml or context.xml")  # fmt: skip


@dataclass(slots=True)
class Heard:
    """The heartbeats of a group that were heard.

    Args:
        members: each member that announced itself -> the address that the datagram came from.
        datagrams: the number of all datagrams.
        broken: the number of datagrams that begin like an announcement and are none.
    """

    members: dict[Member, str] = field(default_factory=dict)
    datagrams: int = 0
    broken: int = 0


def listen(membership: McastService, seconds: float) -> Heard:
    """Join the group with another socket, as the membership does, and listen; nothing is sent.

    Raises:
        OSError: the group cannot be joined.
    """
    heard = Heard()
    group = (membership.address, membership.port)
    with contextlib.closing(open_multicast_socket(group, membership.bind, -1, True)) as sock:
        for data, source in _datagrams(sock, seconds):
            heard.datagrams += 1
            if not data.startswith(BEGIN):
                continue
            try:
                member = Member.decode(data)
            except (ProtocolError, ValueError):
                heard.broken += 1
                continue
            if len(heard.members) < MAX_HEARD:
                heard.members[member] = source
    return heard


def _datagrams(sock: socket.socket, seconds: float) -> Iterator[tuple[bytes, str]]:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if is_ready(sock, select.POLLIN, left):
            with contextlib.suppress(BlockingIOError):
                data, address = sock.recvfrom(MAX_RECORD)
                yield data, str(address[0])


@dataclass(frozen=True, slots=True)
class Reach:
    """The outcome of connecting to a member's receiver.

    Args:
        seconds: the time that it took, None when there is no connection.
        mtu: bytes of a packet on the way there, as far as the kernel knows; 0 when it does not.
        error: the reason of a failure: ``refused``, ``timeout``, ``route``, ``no securePort``, ``key: ...`` for a
            handshake that fails, or the system's words.
    """

    seconds: float | None
    mtu: int = 0
    error: str = ""


def reach(member: Member, seconds: float, tls: TribesSslContext | None = None) -> Reach:
    """Connect to a member's receiver, and close the connection.

    Args:
        tls: connect to its securePort, and prove to each other that both have the key.
    """
    began = time.monotonic()
    port = member.port if tls is None else member.secure_port
    if port <= 0:
        return Reach(None, error="no securePort")
    try:
        with socket.create_connection((member.address, port), timeout=seconds) as sock:
            found = Reach(time.monotonic() - began, _mtu_of(sock))
            if tls is not None:
                with tls.client.wrap_socket(sock) as encrypted:
                    tls.check_peer(encrypted)
            return found
    except ssl.SSLError as error:
        return Reach(None, error=f"key: {error.reason or error}")
    except TimeoutError:
        return Reach(None, error="timeout")
    except ConnectionRefusedError:
        return Reach(None, error="refused")
    except OSError as error:
        return Reach(None, error=error.strerror or str(error))


def group_mtu(membership: McastService) -> int:
    """Bytes of a packet to the group on this machine's interface; 0 when the kernel does not say."""
    if ":" in membership.address:
        return 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        if membership.bind:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(membership.bind))
        sock.connect((membership.address, membership.port))
        return _mtu_of(sock)
    return 0


def _mtu_of(sock: socket.socket) -> int:
    with contextlib.suppress(OSError):
        return sock.getsockopt(socket.IPPROTO_IP, _IP_MTU)
    return 0
