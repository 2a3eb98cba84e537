"""Keeps track of the nodes that have the map: pings, silence, and changes missed while this node stood still."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from catalina.errors import ChannelError, ProtocolError
from catalina.tribes.group.rpc_channel import Response
from catalina.tribes.io.java import dumps
from catalina.tribes.member import Member
from catalina.tribes.tipis.map_message import MSG_PING, MapMessage, MapState
from catalina.tribes.tipis.map_settling import DOUBTS, MapSettling
from catalina.tribes.tipis.map_stamp import NO_VERSION

__all__ = ["MapPresence"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")

#: Key of a ping that asks for the sum of the claims.
_SUM = dumps("sum")
_NO_SUM = dumps("")


class MapPresence:
    """Handles members of the map that come, are heard, and go."""

    def __init__(self, settling: MapSettling) -> None:
        self.table = settling.table
        self.link = settling.link
        self.placement = settling.placement
        self.claims = settling.claims
        self.settling = settling
        self._pinging = False
        #: The number of heartbeats at which this node still compares its beliefs about owners with the members'.
        self._doubts = 0

    def hear(self, response: Response) -> None:
        """Handle an answer to INIT or START, which shows that its sender has the map."""
        if response.message.class_name == "null":
            return
        message = MapMessage.decode(response.message.to_stream())
        self.heard(response.source, message.suid)

    def heard(self, member: Member, suid: int | None = None, since: bytes = NO_VERSION) -> None:
        """A member has the map: tell it what it could not be told before, and ask what it owns if that is not known.

        Args:
            since: the version at which the member began to tell this node all its claims; empty for a Java member, and
                when the member does not say.
        """
        if not self.settling.register(member, suid):
            return
        self.link.heard(member)
        self.claims.settle(member)
        known = self.table.heard_since.get(member)
        if self.settling.state == MapState.INITIALIZED and (known is None or (since and since != known)):
            self.settling.ask_for_own(member)

    def started(self, member: Member, suid: int | None = None) -> None:
        """A member has just started the map. If it had the map before, this node has missed the end of that life."""
        if member in self.table.members:
            self.gone(member)
        self.settling.register(member, suid)

    def gone(self, member: Member) -> None:
        """A member has gone, and with it the values that it held."""
        with self.link.lock:
            was_known = self.table.lose(member)
            self.link.silent.pop(member, None)
            self._doubts = DOUBTS
        if was_known and self.settling.state != MapState.DESTROYED:
            log.info("Map [%s]: member [%s] disappeared", self.link.name, member.name)
            self.placement.member_gone(member)

    # -- pings ---------------------------------------------------------------------------------------------------

    def heartbeat(self) -> None:
        """Ping every member of the channel, and drop members of the map that stay silent."""
        members = list(self.link.channel.members)
        if self.link.rpc is None or self._pinging or self.settling.state != MapState.INITIALIZED:
            return
        self.settling.look_after()
        if not members:
            self._drop_silent()
            return
        self._pinging = True
        has_doubts, self._doubts = self._doubts > 0, max(0, self._doubts - 1)

        def done(responses: list[Response]) -> None:
            self._pinging = False
            self._pinged(responses, has_doubts)
            self._drop_silent()

        self._ping(members, has_doubts, done)

    def _ping(self, members: Sequence[Member], has_sums: bool, done: Callable[[list[Response]], None]) -> None:
        table, link = self.table, self.link
        question = MapMessage(table.map_id, MSG_PING, _SUM if has_sums else _NO_SUM, primary=table.local)
        link.request_all(members, question, link.timing.access_seconds, done)

    def reply(self, request: MapMessage, sender: Member) -> MapMessage:
        """The answer to a ping."""
        value = MapState.encode(self.settling.state)
        answer = MapMessage(self.table.map_id, MSG_PING, value=value, primary=self.table.local)
        if request.key is None:
            return answer  # Java's question has no key
        return self.settling.with_since(answer, sender, has_sum=request.key == _SUM)

    def _pinged(self, responses: list[Response], has_sums: bool) -> None:
        with self.link.lock:
            sums = self.table.sums() if has_sums and responses else {}
        for response in responses:
            member = response.source
            try:
                message = MapMessage.decode(response.message.to_stream())
                if MapState.decode(message.value) != MapState.INITIALIZED:
                    continue
                self.heard(member, message.suid, message.stamp.birth)
                is_ours = has_sums and message.key is not None  # Java's answer has no key
                # Without a birth the member does not tell this node its claims: it has dropped this node and not heard
                # it again.
                if is_ours and (not message.stamp.birth or message.stamp.claim != sums.get(member, NO_VERSION)):
                    self.settling.ask_for_own(member)
            except ProtocolError as error:
                log.error("Map [%s]: unable to read the ping of %s: %s", self.link.name, member.name, error)

    def _drop_silent(self) -> None:
        with self.link.lock:
            silent = self.table.members.silent_since(self.link.clock() - self.link.timing.access_seconds)
        for member in silent:
            log.warning("Member:[%s] in the Replicated Map[%s] has timed-out.", member.name, self.link.name)
            self.gone(member)

    def probe(self, member: Member) -> None:
        """Ping a silent member now and then, until it answers or has gone."""
        if self.link.rpc is None or member not in self.link.silent:
            return

        def done(responses: list[Response]) -> None:
            self._pinged(responses, has_sums=True)
            if member in self.link.silent:
                self.link.probe_later(member)

        try:
            self._ping([member], True, done)
        except ChannelError as error:
            log.debug("Map [%s]: unable to ask [%s] whether it is back: %s", self.link.name, member.name, error)
            self.link.probe_later(member)

    def catch_up(self) -> Callable[[], bool] | None:
        """After a standstill of this node, ask each member for its claims, and get the values that have changed. In the
        loop's thread.

        Returns:
            A function that returns True once everything has come; None when there is nobody to ask.
        """
        members = self.table.members.all
        if self.link.rpc is None or not members or self.settling.state != MapState.INITIALIZED:
            return None
        waiting = set(members)

        def done_with(member: Member) -> Callable[[list[Response]], None]:
            def done(responses: list[Response]) -> None:
                self._pinged(responses, has_sums=True)
                waiting.discard(member)

            return done

        for member in members:
            self._ping([member], True, done_with(member))
        return lambda: not (waiting or self.settling.asking or self.table.wanted)
