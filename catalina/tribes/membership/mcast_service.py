"""Membership by multicast heartbeats (Tomcat: tribes/membership/McastService.java)."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Sequence

from catalina.attributes import Attribute
from catalina.errors import ChannelError, ConfigurationError
from catalina.tribes.byte_text import text_or_byte_list
from catalina.tribes.channel import MBR_RX_SEQ, MBR_TX_SEQ, ChannelMessage
from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.io.channel_data import PackageEncoder
from catalina.tribes.member import MAX_RECORD, Member
from catalina.tribes.membership.last_member import LastMember
from catalina.tribes.membership.mcast_service_impl import McastServiceImpl, McastSettings
from catalina.tribes.membership.membership import Membership
from catalina.tribes.membership.membership_service_base import MembershipServiceBase
from catalina.tribes.transport.nio.tcp_probe import TcpProbe

__all__ = ["McastService"]

#: Seconds within which a member must accept a connection after its farewell.
_PROBE_SECONDS = 1.0

log = logging.getLogger("org.apache.catalina.tribes.membership.McastServiceImpl")


class McastService(MembershipServiceBase):
    """Announces this node to a multicast group by heartbeats; a member whose heartbeats stop is lost."""

    address = Attribute(str, "228.0.0.4", doc="Multicast group; with the port it names the cluster.")
    port = Attribute(int, 45564, doc="Port of the group; all members use the same.")
    frequency = Attribute(
        int, 500, unit="ms", doc="Time between heartbeats, and half the wait for members at each step of the start."
    )
    drop_time = Attribute(
        int,
        3000,
        unit="ms",
        aliases=("mcastDropTime", "memberDropTime"),
        doc="Silence after which a member is gone. Shorter notices failures sooner and takes busy members for dead.",
    )
    bind = Attribute(
        str,
        "",
        aliases=("mcastBindAddress",),
        doc="Local address of the interface to use; the kernel's route to the group when empty.",
    )
    ttl = Attribute(
        int,
        -1,
        doc="How many networks heartbeats may cross: 1 is this one, 0 keeps them on this machine; -1 leaves it to the "
        "system, which means 1.",
    )
    so_timeout = Attribute(int, 0, unit="ms", inert="reads never block here")
    domain = Attribute(text_or_byte_list, b"", doc="Domain announced with the local member: text, or bytes as {1,2,3}.")
    recovery_enabled = Attribute(bool, True, doc="Make a new socket after recoveryCounter errors in a row.")
    recovery_counter = Attribute(int, 10, doc="Errors in a row before recovery.")
    recovery_sleep_time = Attribute(int, 5000, unit="ms", doc="Time between attempts to recover.")
    local_loopback_disabled = Attribute(
        bool, False, doc="Do not hear what this machine sends: members on one machine do not see each other then."
    )
    state_dir = Attribute(
        str,
        "",
        doc="Directory in which the local member is remembered, so that after a crash the members are told that the "
        "process before this one is gone; empty remembers nothing.",
    )

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._impl: McastServiceImpl | None = None
        self._encoder = PackageEncoder()
        self._level = 0

    @property
    def members(self) -> Sequence[Member]:
        """The members that were heard, oldest first."""
        return self._impl.membership.members if self._impl is not None else ()

    @property
    def _table(self) -> Membership | None:
        return self._impl.membership if self._impl is not None else None

    @property
    def local_member(self) -> Member:
        """This process as it was last announced."""
        return self._impl.local if self._impl is not None else super().local_member

    def _local_domain(self) -> bytes:
        return self.domain

    def set_payload(self, payload: bytes) -> None:
        """Set the payload and announce it at once."""
        super().set_payload(payload)
        impl = self._impl
        if impl is not None:
            run_in_runner(self.channel.running_reactor, lambda: impl.announce_change(payload=self._payload))

    def set_domain(self, domain: bytes) -> None:
        """Set the domain and announce it at once; members that know this one keep the old domain."""
        self.domain = domain
        impl = self._impl
        if impl is not None:
            run_in_runner(self.channel.running_reactor, lambda: impl.announce_change(domain=domain))

    def route_hint(self) -> tuple[str, int] | None:
        """The group, with the interface that leads to it."""
        return (self.bind or self.address, self.port)

    def start(self, level: int) -> None:
        """Join the group (MBR_RX_SEQ), or begin to announce (MBR_TX_SEQ); waits twice ``frequency`` each time."""
        reactor = self.channel.running_reactor
        if self._impl is None:
            self._impl = McastServiceImpl(
                super().local_member,
                self._settings(),
                reactor,
                self.listener,
                self.channel.now,
                self._route_found,
                self._probe,
            )
            self._level = 0
        impl = self._impl
        try:
            if level & MBR_RX_SEQ:
                run_in_runner(reactor, impl.start_receiver)
            if level & MBR_TX_SEQ:
                run_in_runner(reactor, impl.start_sender)
        except OSError as exc:
            bind = f" bind='{self.bind}'" if self.bind else ""
            words = f"<Membership address='{self.address}' port='{self.port}'{bind}>"
            raise ConfigurationError(f"{words}: {exc.strerror or exc}", self.place) from exc
        self._level |= level
        wait_ms = self.frequency * 2
        log.info("Sleeping for [%d] milliseconds to establish cluster membership, start level:[%d]", wait_ms, level)
        with reactor.blocking():
            time.sleep(wait_ms / 1000)
        log.info("Done sleeping, membership established, start level:[%d]", level)

    def stop(self, level: int) -> None:
        """Leave; with the last level the members are told."""
        impl = self._impl
        self._level &= ~level
        if impl is None:
            return
        reactor = self.channel.running_reactor
        if level & MBR_TX_SEQ:
            run_in_runner(reactor, impl.stop_sender)
        if not self._level:
            run_in_runner(reactor, impl.leave)
            self._local = impl.local.with_alive(0)
            self._impl = None

    def broadcast(self, message: ChannelMessage) -> None:
        """Send one datagram with the message to the group."""
        impl = self._impl
        if impl is None:
            raise ChannelError("Multicast send is not started or enabled.")
        frame = self._encoder.frame(message)
        if len(frame) > MAX_RECORD:
            raise ChannelError(f"Packet length[{len(frame)}] exceeds max packet size of [{MAX_RECORD}] bytes.")
        self.channel.running_reactor.call_soon(lambda: impl.send_datagram(frame))

    def _route_found(self) -> None:
        """Use the route to the group, which was missing at the start."""
        impl = self._impl
        if impl is not None and self.channel.move_receiver():
            impl.move(super().local_member)

    def _probe(self, member: Member, verdict: Callable[[bool], None]) -> TcpProbe:
        return TcpProbe(self.channel, member, b"", _PROBE_SECONDS, None, verdict)

    def _group(self) -> str:
        """The address of the group. A name is looked up once, at the start, because the loop must not wait for it."""
        try:
            return str(socket.getaddrinfo(self.address, None, type=socket.SOCK_DGRAM)[0][4][0])
        except OSError as exc:
            raise ConfigurationError(
                f"<Membership address='{self.address}'>: {exc.strerror or exc}", self.place
            ) from exc

    def _settings(self) -> McastSettings:
        local = super().local_member
        return McastSettings(
            group=(self._group(), self.port),
            frequency=self.frequency / 1000,
            drop_time=self.drop_time / 1000,
            interface=self.bind,
            ttl=self.ttl,
            loopback=not self.local_loopback_disabled,
            recovery_counter=self.recovery_counter if self.recovery_enabled else 0,
            recovery_sleep=self.recovery_sleep_time / 1000,
            secure=self.channel.secure,
            last_member=LastMember(self.state_dir, local.port) if self.state_dir else None,
        )
