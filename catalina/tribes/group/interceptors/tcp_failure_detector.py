"""Checks by a TCP connection if members are there (Tomcat: interceptors/TcpFailureDetector.java)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from catalina.attributes import Attribute
from catalina.errors import RemoteProcessError
from catalina.operations import operation
from catalina.tribes.channel import SEND_OPTIONS_BYTE_MESSAGE, SEND_OPTIONS_USE_ACK, ChannelMessage
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase, MembersSource
from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.io.channel_data import PackageEncoder, UniqueIds
from catalina.tribes.member import Member
from catalina.tribes.transport.nio.tcp_probe import TCP_FAIL_DETECT, TcpProbe

__all__ = ["TcpFailureDetector"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.TcpFailureDetector")

#: Seconds after which a suspect is probed again, because a dying process may lose its connections before its port.
_RECHECKS = (0.2, 1.0)


class TcpFailureDetector(ChannelInterceptorBase):
    """Announces a new member when it accepts a connection; reports a silent member as lost when it accepts none.

    A silent member that still accepts connections stays, as a suspect that is probed on each heartbeat. When a message
    cannot be sent to a member, or its connection breaks, it is probed right away, so a killed process is noticed in
    milliseconds.

    The layers below report members that were heard; this layer reports members that were reached. The probe is a
    message of 64 bytes that no interceptor sees, neither sent nor received. Everything but reading ``members`` happens
    in the runner.
    """

    connect_timeout = Attribute(
        int, 1000, unit="ms", doc="How long a probe's connection may take. Too short takes distant members for dead."
    )
    perform_send_test = Attribute(bool, True, doc="Send the probe's message once connected.")
    perform_read_test = Attribute(bool, False, doc="Ask for an acknowledgement of the probe and wait for it.")
    read_test_timeout = Attribute(int, 5000, unit="ms", doc="How long that acknowledgement may take.")
    remove_suspects_timeout = Attribute(
        int, 300, unit="seconds", doc="How long a suspect that answers is looked at; 0 for ever."
    )

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        #: The members that were reached, each with the record that it had then.
        self._reached: dict[Member, Member] = {}
        self._below_seen: Sequence[Member] | None = None
        self._members: tuple[Member, ...] = ()
        self._members_below: MembersSource | None = None
        self._remove_suspects: dict[Member, float] = {}
        self._add_suspects: set[Member] = set()
        self._probing: dict[Member, list[Callable[[Member, bool], None]]] = {}
        self._probes: dict[Member, TcpProbe] = {}
        self._encoder = PackageEncoder()
        self._next_id = UniqueIds().next

    @property
    def members(self) -> Sequence[Member]:
        """The members that were reached, with their newest records, oldest first.

        They are sorted only after a change, because every send reads them.
        """
        below = self._members_below.members if self._members_below is not None else super().members
        if below is not self._below_seen:
            self._below_seen = below
            heard = {member: member for member in below}
            members = [heard.get(member, member) for member in tuple(self._reached.values())]
            members.sort(key=lambda member: -member.alive_ms)
            self._members = tuple(members)
        return self._members

    def get_member(self, member: Member) -> Member | None:
        """The newest record of a member that was reached."""
        return super().get_member(member) or self._reached[member] if member in self._reached else None

    # From below.

    def member_added(self, member: Member) -> None:
        """Announce the member when it accepts a connection; if it does not, each heartbeat tries again."""
        if self._remove_suspects.pop(member, None) is None and member not in self._reached:
            self._probe(member, self._judge_newcomer)

    def _judge_newcomer(self, member: Member, alive: bool) -> None:
        if not alive:
            if self.is_static(member):
                self._add_suspects.add(member)
            return
        known = super().get_member(member)
        if known is None:
            return  # it left while it was probed
        self._add_suspects.discard(member)
        if known not in self._reached:
            self._reached[known] = known
            self._below_seen = None
            super().member_added(known)

    def member_disappeared(self, member: Member) -> None:
        """Report an orderly leave at once; probe a silent member first."""
        if member.is_leaving:
            if self._forget(member):
                super().member_disappeared(member)
            return
        log.info("Received memberDisappeared[%s] message. Will verify.", member)
        if member not in self._reached:
            log.info("Verification complete. Member already disappeared[%s]", member)
            return
        self._probe(member, self._judge_missing)

    def _judge_missing(self, member: Member, alive: bool) -> None:
        if alive:
            log.info("Verification complete. Member still alive[%s]", member)
            if member in self._reached:
                self._remove_suspects[member] = self.channel.now()
                for seconds in _RECHECKS:
                    self.channel.running_reactor.call_later(seconds, partial(self._recheck, member))
        elif self._forget(member):
            log.info("Verification complete. Member disappeared[%s]", member)
            super().member_disappeared(member)

    def _recheck(self, member: Member) -> None:
        if member in self._remove_suspects:
            self._probe(member, self._judge_suspect)

    def member_send_failed(self, member: Member, reason: BaseException) -> None:
        """Probe the member, unless it answered that it failed: then it is there."""
        if not isinstance(reason, RemoteProcessError) and member in self._reached:
            self.member_disappeared(member)
        super().member_send_failed(member, reason)

    def _forget(self, member: Member) -> bool:
        """Remove the member; returns True if it was known. A static member will be looked for."""
        known = self._reached.pop(member, None)
        self._below_seen = None
        self._remove_suspects.pop(member, None)
        if known is not None and self.is_static(member):
            self._add_suspects.add(member)
        return known is not None

    # Periodic work.

    def heartbeat(self, now: float) -> None:
        """Probe suspects, and members from below that are not announced yet."""
        super().heartbeat(now)
        for member in super().members:
            if member not in self._reached and member not in self._add_suspects:
                self._probe(member, self._judge_unannounced)
        for member, since in tuple(self._remove_suspects.items()):
            self._check_suspect(member, since, now)
        for member in tuple(self._add_suspects):
            self._probe(member, self._judge_absent)

    @operation(
        name="checkMembers", check_all="look at every member, not only at the suspects; this software always does"
    )
    def check_members_now(self, check_all: bool) -> None:
        """Probe all members, and report the lost ones."""
        self.check_members()

    def check_members(self) -> None:
        """Probe every member from below now; TcpPingInterceptor does this instead of pinging."""
        for member in super().members:
            if member in self._reached:
                self._probe(member, self._judge_checked)
            else:
                self._probe(member, self._judge_newcomer)

    def _judge_checked(self, member: Member, alive: bool) -> None:
        if not alive and self._forget(member):
            super().member_disappeared(member)

    def _judge_unannounced(self, member: Member, alive: bool) -> None:
        if alive and member not in self._reached:
            log.warning("Member added, even though we weren't notified:[%s]", member)
            self._judge_newcomer(member, True)

    def _check_suspect(self, member: Member, since: float, now: float) -> None:
        if member in self._reached:
            self._probe(member, self._judge_suspect)
        if 0 < self.remove_suspects_timeout < now - since or member not in self._reached:
            self._remove_suspects.pop(member, None)

    def _judge_suspect(self, member: Member, alive: bool) -> None:
        if not alive and self._forget(member):
            log.info("Suspect member, confirmed dead.[%s]", member)
            super().member_disappeared(member)

    def _judge_absent(self, member: Member, alive: bool) -> None:
        if alive and member not in self._reached:
            log.info("Suspect member, confirmed alive.[%s]", member)
            self._judge_newcomer(member, True)

    # Probing.

    def _probe(self, member: Member, verdict: Callable[[Member, bool], None]) -> None:
        """Call ``verdict`` with True if the member is there; several callers at the same time share one probe."""
        waiting = self._probing.setdefault(member, [])
        waiting.append(verdict)
        if len(waiting) == 1:
            read_timeout = self.read_test_timeout / 1000 if self.perform_read_test else None
            self._probes[member] = TcpProbe(
                self.channel,
                member,
                self._probe_frame() if self.perform_send_test else b"",
                self.connect_timeout / 1000,
                read_timeout if self.perform_send_test else None,
                lambda alive: self._probed(member, alive),
            )

    def _probed(self, member: Member, alive: bool) -> None:
        self._probes.pop(member, None)
        for verdict in self._probing.pop(member, ()):
            verdict(member, alive)

    def _cancel_probes(self) -> None:
        probes, self._probes = self._probes, {}
        self._probing.clear()
        for probe in probes.values():
            probe.cancel()

    def _probe_frame(self) -> bytes:
        options = self.option_flag | SEND_OPTIONS_BYTE_MESSAGE
        options = options | SEND_OPTIONS_USE_ACK if self.perform_read_test else options & ~SEND_OPTIONS_USE_ACK
        now_ms = time.time_ns() // 1_000_000
        message = ChannelMessage(TCP_FAIL_DETECT, options, now_ms, self._next_id(), self.local_member)
        return self._encoder.frame(message)

    def start(self, level: int) -> None:
        """Enter the stack."""
        self._members_below = self.source_below("members")
        super().start(level)

    def stop(self, level: int) -> None:
        """Forget everybody: the next start probes all members anew."""
        super().stop(level)
        if self._probes:
            run_in_runner(self.channel.running_reactor, self._cancel_probes)
        self._reached.clear()
        self._below_seen = None
        self._remove_suspects.clear()
        self._add_suspects.clear()
