"""Joining and leaving a replicated map, its pings (Tomcat: tipis/AbstractReplicatedMap.java).

Every node knows every key; who holds the value beside the owner is what the two maps differ in. ``map_base`` has the
entries, ``map_ownership`` what this node does to them, ``map_receiving`` what others do, ``map_settling`` what is done
when something went wrong.

Java asks for the state before it says START. Here START comes first: an entry made between the two would otherwise be
told to nobody. Then one member is asked for all entries, and each for those that it owns.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from catalina.errors import ChannelError, ProtocolError
from catalina.tribes.group.rpc_channel import ALL_REPLY, FIRST_REPLY, Response, RpcChannel
from catalina.tribes.io.java import EncodedValue, dumps
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis import map_message
from catalina.tribes.tipis.map_members import MapMembers
from catalina.tribes.tipis.map_message import MSG_INIT, MSG_PING, MSG_START, MSG_STOP, MapMessage, MapState
from catalina.tribes.tipis.map_round import MapRound
from catalina.tribes.tipis.map_settling import DOUBTS, MapSettling
from catalina.tribes.tipis.map_stamp import NO_VERSION

__all__ = ["AbstractReplicatedMap"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")

#: Key of a ping that asks for the sum of the claims.
SUM = "sum"


class AbstractReplicatedMap(MapSettling):
    """A map that several nodes hold together; see :class:`MapBase` for the arguments.

    No method waits but :meth:`start` and a :meth:`get` that must fetch the value.
    """

    def start(self) -> None:
        """Join the others who have this map and learn what is in it. Waits for answers; not in the loop's thread.

        Raises:
            ChannelError: the channel is not started.
        """
        self.rpc = RpcChannel(self.channel, self.map_id, self)
        self.channel.add_channel_listener(self)
        self.channel.add_membership_listener(self)
        for kind in (MSG_INIT, MSG_START):
            for response in self._ask_all(kind):
                self._hear(response)
        self._transfer_state()
        self.state = MapState.INITIALIZED
        for member in self.members:
            self._ask_for_own(member)

    def round(self) -> MapRound:
        """For the changes of one round of the event loop, which leave together."""
        return MapRound(self)

    def stop(self) -> None:
        """Leave: the others take over what this node owns."""
        if self.rpc is None:
            return
        self.state = MapState.DESTROYED
        self.channel.remove_channel_listener(self)
        self.channel.remove_membership_listener(self)
        self.rpc.close()
        self.rpc = None
        with self._lock:
            members = self._members.all
        self._send(members, MapMessage(self.map_id, MSG_STOP, primary=self.local))
        for thread in self._threads:
            thread.join(10)
        with self._lock:
            self._entries.clear()
            self._members = MapMembers()
        self._versions.end_life()

    def _ask_all(self, kind: int) -> list[Response]:
        """Ask every member of the channel; one answer is enough, the others are heard when they come."""
        rpc = self.rpc
        members = list(self.channel.members)
        if rpc is None or not members:
            return []
        question = MapMessage(self.map_id, kind, primary=self.local).to_encoded()
        answers = rpc.send(members, question, FIRST_REPLY, self.send_options, self.rpc_timeout_ms / 1000)
        if not answers:
            log.warning("Map [%s]: no member of the channel has the map, or none has answered", self._name)
        return answers

    def _hear(self, response: Response) -> None:
        """An answer to INIT or START: the one who gives it has the map."""
        if response.message.class_name == "null":
            return
        message = MapMessage.decode(response.message.to_stream())
        self._member_heard(response.source, message.suid)

    def _member_heard(self, member: Member, suid: int | None = None, since: bytes = NO_VERSION) -> None:
        """A member has the map; it is told what it could not be told, and asked what it owns when that is not known.

        Args:
            since: when it began to tell this node all its claims; empty of Java, and when it does not say.
        """
        if not self._register(member, suid):
            return
        with self._lock:
            self._silent.pop(member, None)
        self._settle(member)
        known = self._heard_since.get(member)
        if self.state == MapState.INITIALIZED and (known is None or (since and since != known)):
            self._ask_for_own(member)

    def _member_started(self, member: Member, suid: int | None = None) -> None:
        """A member begins to have the map; if it had it before, we did not hear the end of that."""
        if member in self.members:
            self.member_disappeared(member)
        self._register(member, suid)

    def _map_member_gone(self, member: Member) -> None:
        """A member is gone: its entries need an owner, ours that it held need another holder."""
        raise NotImplementedError

    def member_added(self, member: Member) -> None:
        """A new member of the channel says itself whether it has the map."""

    def member_disappeared(self, member: Member) -> None:
        """A member of the channel is gone, and with it what it held."""
        with self._lock:
            was_known = self._members.remove(member)
            self._owed.pop(member, None)
            self._told_since.pop(member, None)
            self._heard_since.pop(member, None)
            self._silent.pop(member, None)
            self._doubts = DOUBTS
        if was_known and self.state != MapState.DESTROYED:
            log.info("Map [%s]: member [%s] disappeared", self._name, member.name)
            self._map_member_gone(member)

    def heartbeat(self) -> None:
        """Ping every member of the channel, and let go of members of the map that stay silent."""
        rpc = self.rpc
        members = list(self.channel.members)
        if rpc is None or self._pinging or self.state != MapState.INITIALIZED:
            return
        self._look_after()
        if not members:
            self._drop_silent()
            return
        self._pinging = True
        has_doubts, self._doubts = self._doubts > 0, max(0, self._doubts - 1)

        def pinged(responses: list[Response]) -> None:
            self._pinging = False
            self._pinged(responses, has_doubts)
            self._drop_silent()

        self._ping(rpc, members, has_doubts, pinged)

    def _ping(
        self, rpc: RpcChannel, members: list[Member], has_sums: bool, done: Callable[[list[Response]], None]
    ) -> None:
        question = MapMessage(self.map_id, MSG_PING, dumps(SUM if has_sums else ""), primary=self.local).to_encoded()
        rpc.request(members, question, ALL_REPLY, self.send_options, self.access_timeout_ms / 1000, done)

    def _probe(self, member: Member) -> None:
        """See :class:`MapBase`."""
        rpc = self.rpc
        if rpc is None or member not in self._silent:
            return

        def done(responses: list[Response]) -> None:
            self._pinged(responses, has_sums=True)
            if member in self._silent:
                self._probe_later(member)

        try:
            self._ping(rpc, [member], True, done)
        except ChannelError as error:
            log.debug("Map [%s]: unable to ask [%s] whether it is back: %s", self._name, member.name, error)
            self._probe_later(member)

    def catch_up(self) -> Callable[[], bool] | None:
        """This node was not run for a while: hear from each member whether it still owns what is believed here, and get
        the values that have changed. In the loop's thread.

        Returns:
            A function that tells whether all that is here; None where there is nobody to ask.
        """
        rpc, members = self.rpc, list(self.members)
        if rpc is None or not members or self.state != MapState.INITIALIZED:
            return None
        waiting = set(members)

        def done_with(member: Member) -> Callable[[list[Response]], None]:
            def done(responses: list[Response]) -> None:
                self._pinged(responses, has_sums=True)
                waiting.discard(member)

            return done

        for member in members:
            self._ping(rpc, [member], True, done_with(member))
        return lambda: not (waiting or self._asking or self._wanted)

    def _pinged(self, responses: list[Response], has_sums: bool) -> None:
        sums = self._sums() if has_sums and responses else {}
        for response in responses:
            try:
                message = MapMessage.decode(response.message.to_stream())
                if MapState.decode(message.value) == MapState.INITIALIZED:
                    self._member_heard(response.source, message.suid, message.stamp.birth)
                    is_ours = has_sums and message.key is not None  # Java says no key
                    # Without a birth it tells this node no claims: it has let it go, and has not heard it again.
                    if is_ours and (not message.stamp.birth or message.stamp.claim != sums.get(response.source, b"")):
                        self._ask_for_own(response.source)
            except ProtocolError as error:
                log.error("Map [%s]: unable to read the ping of %s: %s", self._name, response.source.name, error)

    def _drop_silent(self) -> None:
        with self._lock:
            silent = self._members.silent_since(self._clock() - self.access_timeout_ms / 1000)
        for member in silent:
            log.warning("Member:[%s] in the Replicated Map[%s] has timed-out.", member.name, self._name)
            self.member_disappeared(member)

    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue | None:
        """Answer an RPC of another node's map."""
        request = MapMessage.decode(message.to_stream())
        if request.suid is not None:
            with self._lock:
                self._members.learn_suid(sender, request.suid)
        match request.type:
            case map_message.MSG_START | map_message.MSG_INIT:
                if request.type == MSG_START:
                    self._member_started(sender, request.suid)
                return request.with_primary(self.local).to_encoded(request.suid or MEMBER_IMPL_SUIDS[0])
            case map_message.MSG_PING:
                answer = MapMessage(self.map_id, MSG_PING, value=MapState.encode(self.state), primary=self.local)
                if request.key is not None:  # Java sends none
                    answer = self._with_since(answer, sender, has_sum=request.key == dumps(SUM))
                return answer.to_encoded(request.suid or MEMBER_IMPL_SUIDS[0])
            case map_message.MSG_RETRIEVE_BACKUP:
                return self._retrieve_reply(request)
            case map_message.MSG_STATE | map_message.MSG_STATE_COPY:
                return self._answer_state(request, sender, uuid)
        return None

    def left_over(self, message: EncodedValue, sender: Member) -> None:
        """An answer that came late still tells who has the map."""
        if message.class_name == "null":
            return
        answer = MapMessage.decode(message.to_stream())
        if answer.type in (MSG_START, MSG_INIT):
            self._member_heard(sender, answer.suid)
