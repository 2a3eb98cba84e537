"""Heartbeats to and from the multicast group (Tomcat: tribes/membership/McastServiceImpl.java).

A datagram is either the bare record of a member (its heartbeat) or frames with packages (broadcast messages). All
methods are called in the loop's runner.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace

from catalina.errors import ProtocolError
from catalina.reactor import READ, Reactor, Timer
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.io.channel_data import PackageDecoder
from catalina.tribes.io.x_byte_buffer import FrameDecoder
from catalina.tribes.member import BEGIN, MAX_RECORD, SHUTDOWN_COMMAND, Member
from catalina.tribes.membership.farewells import Farewells, Probe
from catalina.tribes.membership.last_member import LastMember
from catalina.tribes.membership.membership import Membership
from catalina.tribes.membership.membership_service_base import ServiceListener
from catalina.tribes.membership.multicast_socket import is_no_route, open_multicast_socket

__all__ = ["McastServiceImpl", "McastSettings"]

log = logging.getLogger("org.apache.catalina.tribes.membership.McastServiceImpl")

#: Datagrams that are read in one round of the loop.
_PER_ROUND = 64
#: Seconds by which a member's check comes late, because timers and clocks are not exact.
_MARGIN = 0.005
#: Heartbeats in a row that a member must have missed before a farewell in its name, or a successor, is believed.
_SILENT_BEATS = 3
#: Processes at the addresses of members that are remembered, to warn when they stay.
_MAX_CONFLICTS = 100
#: The address at which a node announces itself while it has no route to the group.
_THIS_MACHINE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class McastSettings:
    """The attributes of McastService in the form that is used here; times are in seconds.

    Args:
        recovery_counter: errors in a row after which a new socket is made; 0 for never.
        secure: the group encrypts everything, so no broadcast can come from a member.
    """

    group: tuple[str, int]
    frequency: float
    drop_time: float
    interface: str
    ttl: int
    loopback: bool
    recovery_counter: int
    recovery_sleep: float
    last_member: LastMember | None
    secure: bool = False


class McastServiceImpl:
    """Sends heartbeats of ``local`` and keeps the table of members that are heard.

    Args:
        route_found: called in the runner when a node that started without a route to the group has got one; its
            receiver may have to move to another address.
        probe: checks if a member accepts a connection.
    """

    def __init__(
        self,
        local: Member,
        settings: McastSettings,
        reactor: Reactor,
        listener: ServiceListener,
        clock: Callable[[], float],
        route_found: Callable[[], None],
        probe: Probe,
    ) -> None:
        self.local = local
        self.membership = Membership()
        self.membership.local = local
        self._settings = settings
        self._reactor = reactor
        self._listener = listener
        self._clock = clock
        self._route_found = route_found
        self._route_timer: Timer | None = None
        self._started = self._clock()
        self._socket: socket.socket | None = None
        self._beat_timer: Timer | None = None
        self._check_timer: Timer | None = None
        self._checked = self._started
        self._sending = self._recovering = False
        self._errors = 0
        self._attempts = 0
        self._conflicts: dict[Member, float] = {}
        self._repeated = RepeatedMessages(log, first=1, clock=clock)
        self._enough_silence = min(_SILENT_BEATS * settings.frequency, settings.drop_time)
        self._farewells = Farewells(
            reactor,
            probe,
            lambda member: self.membership.silence_of(member, clock()),
            self._enough_silence,
            self._gone,
            clock,
        )

    # Life.

    def start_receiver(self) -> None:
        """Join the group and listen. Raises OSError."""
        self._open()
        self._checked = self._clock()
        self._check()

    def start_sender(self) -> None:
        """Announce the end of a crashed predecessor, then this node, twice within a moment, as Java does."""
        if self._socket is None:
            self._open()
        last = self._settings.last_member
        if last is not None:
            before = last.load()
            if before is not None and before != self.local:
                self.send_datagram(replace(before, command=SHUTDOWN_COMMAND).encode())
            last.store(self.local)
        self._sending = True
        self.send_heartbeat()
        self._beat()

    def stop_sender(self) -> None:
        """Stop sending heartbeats."""
        self._sending = False
        if self._beat_timer is not None:
            self._beat_timer.cancel()
            self._beat_timer = None

    def leave(self) -> None:
        """Tell the group that this member leaves, and close."""
        self.stop_sender()
        if self._check_timer is not None:
            self._check_timer.cancel()
            self._check_timer = None
        if self._socket is not None:
            self.send_datagram(replace(self.local, alive_ms=self._alive_ms(), command=SHUTDOWN_COMMAND).encode())
        if self._route_timer is not None:
            self._route_timer.cancel()
            self._route_timer = None
        self._close()
        self._farewells.clear()
        self.membership.clear()
        if self._settings.last_member is not None:
            self._settings.last_member.forget()

    def _open(self) -> None:
        """Join the group. Without a route at the start, use this machine only until there is one."""
        try:
            self._open_at(self._settings.interface)
        except OSError as exc:
            if self._settings.interface or self._recovering or not is_no_route(exc):
                raise
            log.warning(
                "No route to the multicast group: only members on this machine can be found. Looking for a route every "
                "[%g] seconds.",
                self._settings.recovery_sleep,
            )
            self._open_at(_THIS_MACHINE)
            self._look_later()

    def _open_at(self, interface: str) -> None:
        settings = self._settings
        self._socket = open_multicast_socket(settings.group, interface, settings.ttl, settings.loopback)
        self._reactor.register(self._socket, READ, self._on_readable, first=True)

    def _look_later(self) -> None:
        self._route_timer = self._reactor.call_later(self._settings.recovery_sleep, self._look_for_route)

    def _look_for_route(self) -> None:
        self._route_timer = None
        if self._socket is None:
            return
        only_here, self._socket = self._socket, None
        try:
            self._open_at("")
        except OSError as exc:
            self._socket = only_here
            log.debug("There is no route to the multicast group yet: %s", exc)
            self._look_later()
            return
        self._reactor.unregister(only_here)
        only_here.close()
        log.info("There is a route to the multicast group now: members on other machines can be found.")
        self._route_found()
        if self._sending:
            self.send_heartbeat()

    def move(self, local: Member) -> None:
        """Announce the new address of the receiver from now on. Only in the runner."""
        self.local = replace(local, alive_ms=self._alive_ms())
        self.membership.local = self.local

    def _close(self) -> None:
        if self._socket is not None:
            self._reactor.unregister(self._socket)
            self._socket.close()
            self._socket = None

    # Sending.

    def _beat(self) -> None:
        if self._sending:
            self._beat_timer = self._reactor.call_later(self._settings.frequency, self._beat)
            self.send_heartbeat()

    def send_heartbeat(self) -> None:
        """Announce the local member once."""
        self.local = self.local.with_alive(self._alive_ms())
        self.send_datagram(self.local.encode())

    def announce_change(self, **changes: bytes) -> None:
        """Change the payload or the domain of the local member and announce it at once."""
        self.local = replace(self.local, alive_ms=self._alive_ms(), **changes)  # type: ignore[arg-type]  # bytes fields
        if self._sending:
            self.send_datagram(self.local.encode())

    def _alive_ms(self) -> int:
        return int((self._clock() - self._started) * 1000)

    def send_datagram(self, data: bytes) -> None:
        """Send to the group; errors are counted and lead to recovery."""
        if self._socket is None:
            return
        try:
            self._socket.sendto(data, self._settings.group)
        except OSError as exc:
            self._failed("Unable to send mcast message.", exc)
        else:
            self._errors = 0

    # Receiving.

    def _on_readable(self, events: int) -> None:
        for _ in range(_PER_ROUND):
            if self._socket is None:
                return
            try:
                data, sender = self._socket.recvfrom(MAX_RECORD)
            except BlockingIOError:
                break
            except OSError as exc:
                self._failed("Error receiving mcast package.", exc)
                break
            try:
                self.receive_datagram(data)
            except ProtocolError as exc:
                self._log_bad_datagram(exc, sender)
        self._expire()

    def receive_datagram(self, data: bytes) -> None:
        """Take one datagram.

        Raises:
            ProtocolError: the datagram is neither a heartbeat nor a broadcast.
        """
        if data.startswith(BEGIN):
            self._heard(Member.decode(data))
            return
        if self._settings.secure:
            raise ProtocolError("expected a heartbeat, got a broadcast; the channel is secure")
        decoder = PackageDecoder()
        for package in FrameDecoder(MAX_RECORD).receive_data(data):
            message = decoder.decode(package)
            if message.address != self.local:
                try:
                    self._listener.message_received(message)
                except Exception:  # a listener is foreign code; nobody waits for an answer
                    log.exception("Unable to receive broadcast message.")

    def _heard(self, member: Member) -> None:
        if member == self.local:
            return
        if member.is_leaving:
            known = self.membership.get(member)
            if known is not None:
                log.debug("Member [%s] has shutdown", member)
                self._farewells.heard(known)
        elif member in self.membership or self._may_join(member):
            self._alive(member)

    def _alive(self, member: Member) -> None:
        if self.membership.alive(member, self._clock()):
            log.debug("Add member [%s]", member)
            self._listener.member_added(member)

    def _gone(self, member: Member) -> None:
        """A farewell was true, or another process has taken over the address."""
        if self.membership.remove(member):
            self._listener.member_disappeared(replace(member, command=SHUTDOWN_COMMAND))

    def _may_join(self, member: Member) -> bool:
        """True when a new id may replace the member at the same address, which belongs to one process only.

        A replaced member is silent. As long as it is heard, either two processes announce one address, which an
        operator must correct, or somebody wants to push the member out: the first one stays.
        """
        now = self._clock()
        for before in tuple(self.membership.at_address_of(member)):
            silence = self.membership.silence_of(before, now)
            if silence is not None and silence < self._enough_silence:
                self._note_conflict(before, member, now)
                return False
            self._gone(before)
        return True

    def _note_conflict(self, before: Member, member: Member, now: float) -> None:
        if member not in self._conflicts and len(self._conflicts) >= _MAX_CONFLICTS:
            self._conflicts.clear()
        if now - self._conflicts.setdefault(member, now) > self._enough_silence:
            self._repeated.log(
                logging.WARNING,
                "heartbeats from addresses of other members",
                "Members %s and %s both announce the address %s; the first one stays. Check the address of their "
                "receivers",
                before.unique_id.hex(),
                member.unique_id.hex(),
                member.name,
            )

    def _log_bad_datagram(self, error: ProtocolError, sender: tuple[str, int]) -> None:
        text = error.at_peer(f"{sender[0]}:{sender[1]}")
        self._repeated.log(logging.WARNING, f"bad datagrams from {sender[0]}", "%s; datagram dropped", text)

    # Silence.

    def _check(self) -> None:
        if self._socket is not None or self._errors:
            # Check again when the quietest member's time is over, not up to a heartbeat later.
            rest = self._settings.drop_time - self.membership.longest_silence(self._clock())
            pause = min(self._settings.frequency, rest + _MARGIN) if rest > 0 else self._settings.frequency
            self._check_timer = self._reactor.call_later(pause, self._check)
            self._expire()

    def _expire(self) -> None:
        now = self._clock()
        late, self._checked = now - self._checked, now
        if late > self._settings.drop_time:
            # This process stood still and did not listen, so nobody's silence counts.
            log.warning("Membership was not checked for [%d] ms; members get a new dropTime", int(late * 1000))
            self.membership.forgive(now)
        for member in self.membership.expire(self._settings.drop_time, now):
            log.debug("Expire member [%s]", member)
            self._listener.member_disappeared(member)

    # Recovery.

    def _failed(self, what: str, error: OSError) -> None:
        level = logging.WARNING if self._errors == 0 else logging.DEBUG
        log.log(level, "%s %s", what, error)
        self._errors += 1
        if 0 < self._settings.recovery_counter <= self._errors:
            self._recover()

    def _recover(self) -> None:
        log.info("Tribes membership running recovery thread. Multicasting is not functional.")
        self._close()
        self._recovering = True  # this machine alone would be no lasting solution: a cable that is out comes back
        try:
            self._open()
        except OSError as exc:
            self._attempts += 1
            log.info(
                "Recovery attempt number [%d] failed. Trying again in [%g] seconds. %s",
                self._attempts,
                self._settings.recovery_sleep,
                exc,
            )
            self._reactor.call_later(self._settings.recovery_sleep, self._recover_again)
        else:
            self._recovering = False
            self._errors = self._attempts = 0
            self._checked = self._clock()
            self.membership.forgive(self._checked)
            log.info("Membership recovery was successful.")
            self.send_heartbeat()

    def _recover_again(self) -> None:
        if self._sending and self._socket is None:
            self._recover()
