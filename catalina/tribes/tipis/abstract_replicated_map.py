"""A map that several nodes hold together, as applications see it (Tomcat: tipis/AbstractReplicatedMap.java).

Every node knows every key. The two kinds of maps differ in the nodes that hold the value beside the owner. A map *has*
these parts, each of which knows the parts above it:

==================  ===================================================================================================
``map_table``       entries, names, graves, members and debts: a pure machine; its invariants stand there
``map_link``        the lock that owns the table; messages, questions, who is silent
``map_fetching``    values that another node has, and what an owner lacks
``map_claims``      how this node comes to own an entry, and what it tells the others about it
the placement       who holds a value (``lazy_replicated_map``, ``replicated_map``)
``map_receiving``   what a message of another node does
``map_settling``    how nodes that lost sight of each other come to believe the same again
``map_presence``    pings, members that come and go
``map_round``       the changes of one round of the event loop, which leave together
==================  ===================================================================================================

The table is changed under the link's lock only; nothing is sent, waited for, or told to a listener under it. The event
loop's thread handles messages; requests come from any thread; a state of many entries gets a thread of its own. Only
:meth:`AbstractReplicatedMap.start` waits, and ``get()`` when it must fetch the value.

Java asks for the state before it sends START. A Python node sends START first, because otherwise nobody would tell it
of an entry that is made between the two. Then it asks one member for all entries, and each member for the entries that
it owns.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from catalina.tribes.channel import SEND_OPTIONS_BYTE_MESSAGE, ChannelMessage, Delivery
from catalina.tribes.group.rpc_channel import FIRST_REPLY, Response, RpcChannel
from catalina.tribes.io.java import EncodedValue
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.member import Member
from catalina.tribes.tipis import map_message
from catalina.tribes.tipis.map_claims import MapClaims, Placement
from catalina.tribes.tipis.map_entry import MapEntry
from catalina.tribes.tipis.map_fetching import MapFetching
from catalina.tribes.tipis.map_link import DEFAULT_OPTIONS, MapChannel, MapLink, Timing
from catalina.tribes.tipis.map_message import MSG_INIT, MSG_START, MSG_STOP, MapMessage, MapState
from catalina.tribes.tipis.map_names import Bare
from catalina.tribes.tipis.map_presence import MapPresence
from catalina.tribes.tipis.map_receiving import MapReceiving
from catalina.tribes.tipis.map_round import MapRound
from catalina.tribes.tipis.map_settling import MapSettling
from catalina.tribes.tipis.map_table import MapTable
from catalina.tribes.tipis.map_values import MapOwner, ObjectCodec, ValueCodec

__all__ = ["AbstractReplicatedMap"]

log = logging.getLogger("org.apache.catalina.tribes.tipis.AbstractReplicatedMap")


class AbstractReplicatedMap:
    """A map that several nodes hold together.

    Args:
        channel: a started channel; the map listens on it from :meth:`start` to :meth:`stop`.
        map_id: the map's name, the same on all nodes (ISO-8859-1 of a text, as Java has it).
        owner: is told of changes that other nodes make to the entries.
        codec: converts values to bytes and back.
        rpc_timeout_ms: the longest wait for answers, at the start and when a value is fetched.
        access_timeout_ms: the longest wait for an answer to a ping, and the time for which a silent member is kept.
        send_options: channel options of all messages but RPCs.
        clock: monotonic seconds.
        now: seconds since the epoch, for versions.
        note: called with the Delivery of each message about an entry, in the thread that caused it, so that the answer
            to a request can wait for it.
        bare: returns the part of a key that identifies the entry for its whole life. The rest of the key is
            presentation and may change. None: keys do not change.
    """

    #: COPY or BACKUP, and STATE_COPY or STATE: the message types of this kind of map.
    replicate_message_type: int
    state_message_type: int
    #: Decides which nodes hold a value.
    placement_class: Callable[[MapClaims], Placement]

    def __init__(
        self,
        channel: MapChannel,
        map_id: str | bytes,
        owner: MapOwner | None = None,
        codec: ValueCodec | None = None,
        *,
        rpc_timeout_ms: int = 15_000,
        access_timeout_ms: int = 5_000,
        send_options: int = DEFAULT_OPTIONS,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        note: Callable[[Delivery], None] | None = None,
        bare: Bare | None = None,
    ) -> None:
        self.channel = channel
        self.map_id = map_id.encode("iso-8859-1") if isinstance(map_id, str) else map_id
        timing = Timing(clock, now, rpc_timeout_ms / 1000, access_timeout_ms / 1000)
        self.table = MapTable(self.map_id, self.replicate_message_type, lambda: channel.local_member, bare)
        self.link = MapLink(channel, self.table, send_options, timing, note, lambda member: self.presence.probe(member))
        self.fetching = MapFetching(self.table, self.link, owner, codec or ObjectCodec())
        self.claims = MapClaims(self.table, self.link, self.fetching)
        placement = self.claims.placement = type(self).placement_class(self.claims)
        self.receiving = MapReceiving(self.claims, placement)
        self.settling = MapSettling(self.receiving, self.state_message_type)
        self.presence = MapPresence(self.settling)

    # -- looking -------------------------------------------------------------------------------------------------

    @property
    def local(self) -> Member:
        """This node."""
        return self.channel.local_member

    @property
    def members(self) -> tuple[Member, ...]:
        """The other nodes that have this map."""
        with self.link.lock:
            return self.table.members.all

    @property
    def state(self) -> str:
        """The state, one of :class:`MapState`."""
        return self.settling.state

    @property
    def rpc(self) -> RpcChannel | None:
        """The RPC channel for questions; None while the map is stopped."""
        return self.link.rpc

    def __len__(self) -> int:
        return len(self.table.entries)

    def __contains__(self, key: Hashable) -> bool:
        return self.table.entry(key) is not None

    def keys(self) -> list[Any]:
        """Every key of the group."""
        with self.link.lock:
            return [entry.key for entry in self.table.entries.values()]

    def entries(self) -> Iterator[MapEntry]:
        """Every entry as this node sees it."""
        with self.link.lock:
            return iter(list(self.table.entries.values()))

    def entry(self, key: Hashable) -> MapEntry | None:
        """One entry as this node sees it, None when no node has it. A replaced name leads nowhere."""
        return self.table.entry(key)

    def peek(self, key: Hashable) -> Any:
        """The value if it is here; this node does not become its owner."""
        entry = self.table.entry(key)
        return entry.value if entry is not None else None

    def has_ended(self, key: Hashable) -> bool:
        """True when this node knows that the entry was removed."""
        return self.table.id_of(key) in self.table.graves

    @property
    def owed_changes(self) -> int:
        """The number of changes that members have not been told yet, summed over the members."""
        with self.link.lock:
            return sum(map(len, self.table.owed.values()))

    # -- changing ------------------------------------------------------------------------------------------------

    def get(self, key: Hashable) -> object:
        """The value, None when there is none; this node owns the entry afterwards.

        Waits when another node has the value. If the event loop's thread waits, another thread takes over the loop
        meanwhile.
        """
        return self.claims.get(key)

    def put(self, key: Hashable, value: object) -> Delivery:
        """Set a value here; the returned Delivery is done when the other nodes know of it."""
        return self.claims.put(key, value)

    def remove(self, key: Hashable, is_idle: bool = False) -> object:
        """Remove an entry from all nodes; returns the value if it was here.

        Args:
            is_idle: the entry is removed for idleness. A node that knows of a later claim or change keeps the entry,
                and gives it back.
        """
        return self.claims.remove(key, is_idle)

    def rename(self, key: Hashable, new_key: str) -> Delivery:
        """Give an entry another key, on every node.

        Raises:
            ValueError: another entry has that name.
        """
        return self.claims.rename(key, new_key)

    def replicate(self, key: Hashable, complete: bool = False, changed: object = None) -> Delivery | None:
        """Tell the holders what has changed in a value; returns None when nothing or nobody has to be told.

        Args:
            complete: tell the whole value if it cannot say what changed.
            changed: the value that was changed. It may differ from the entry's value when another node has taken over
                the entry meanwhile.
        """
        return self.claims.replicate(key, complete, changed)

    def round(self) -> MapRound:
        """A collector for the changes of one round of the event loop, which leave together."""
        return MapRound(self.claims)

    def note_change(self, key: Hashable) -> None:
        """Note that a value has changed while nobody could be told: copies on other nodes are now out of date."""
        self.claims.note_change(key)

    # -- joining and leaving -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Join the other nodes that have this map and learn its content. Waits for answers; not in the loop's thread.

        Raises:
            ChannelError: the channel is not started.
        """
        self.link.rpc = RpcChannel(self.channel, self.map_id, self)
        self.channel.add_channel_listener(self)
        self.channel.add_membership_listener(self)
        for kind in (MSG_INIT, MSG_START):
            for response in self._ask_all(kind):
                self.presence.hear(response)
        self.settling.transfer_state()
        self.settling.state = MapState.INITIALIZED
        for member in self.members:
            self.settling.ask_for_own(member)

    def stop(self) -> None:
        """Leave; the other nodes take over the entries that this node owns."""
        rpc = self.link.rpc
        if rpc is None:
            return
        self.settling.state = MapState.DESTROYED
        self.channel.remove_channel_listener(self)
        self.channel.remove_membership_listener(self)
        rpc.close()
        self.link.rpc = None
        self.link.send(self.members, MapMessage(self.map_id, MSG_STOP, primary=self.local))
        self.settling.join_threads()
        with self.link.lock:
            self.table.clear()
            self.link.silent.clear()

    def _ask_all(self, kind: int) -> list[Response]:
        """Ask every member of the channel. One answer is enough; the others are handled when they come."""
        rpc = self.link.rpc
        members = list(self.channel.members)
        if rpc is None or not members:
            return []
        question = MapMessage(self.map_id, kind, primary=self.local).to_encoded()
        answers = rpc.send(members, question, FIRST_REPLY, self.link.send_options, self.link.timing.rpc_seconds)
        if not answers:
            log.warning("Map [%s]: no member of the channel has the map, or none has answered", self.link.name)
        return answers

    # -- the channel's listener, in the event loop's thread ------------------------------------------------------

    def accept(self, message: ChannelMessage, sender: Member) -> bool:
        """True when a message of the channel is about this map."""
        data = message.data
        return not message.options & SEND_OPTIONS_BYTE_MESSAGE and MapMessage.matches(data) and self.map_id in data

    def message_received(self, message: ChannelMessage, sender: Member) -> None:
        """Take a message of another node's map."""
        received = MapMessage.decode(message.data)
        if received.map_id != self.map_id:
            return
        with self.link.lock:
            self.table.members.learn_suid(sender, received.suid)
        if received.type == MSG_START:
            self.presence.started(received.primary or sender, received.suid)
        elif received.type == MSG_STOP:
            self.presence.gone(received.primary or sender)
        else:
            self.receiving.receive(received, sender)

    def member_added(self, member: Member) -> None:
        """Nothing to do: a new member of the channel says itself if it has the map."""

    def member_disappeared(self, member: Member) -> None:
        """A member of the channel has gone, and with it the values that it held."""
        self.presence.gone(member)

    def heartbeat(self) -> None:
        """Ping every member of the channel, and drop members of the map that stay silent."""
        self.presence.heartbeat()

    def catch_up(self) -> Callable[[], bool] | None:
        """This node stood still for a while: see :meth:`MapPresence.catch_up`."""
        return self.presence.catch_up()

    # -- questions of other nodes --------------------------------------------------------------------------------

    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue | None:
        """Answer an RPC of another node's map."""
        request = MapMessage.decode(message.to_stream())
        if request.suid is not None:
            with self.link.lock:
                self.table.members.learn_suid(sender, request.suid)
        match request.type:
            case map_message.MSG_START | map_message.MSG_INIT:
                if request.type == MSG_START:
                    self.presence.started(sender, request.suid)
                return request.with_primary(self.local).to_encoded(request.suid or MEMBER_IMPL_SUIDS[0])
            case map_message.MSG_PING:
                return self.presence.reply(request, sender).to_encoded(request.suid or MEMBER_IMPL_SUIDS[0])
            case map_message.MSG_RETRIEVE_BACKUP:
                return self.fetching.reply(request)
            case map_message.MSG_STATE | map_message.MSG_STATE_COPY:
                return self.settling.answer_state(request, sender, uuid)
        return None

    def left_over(self, message: EncodedValue, sender: Member) -> None:
        """A late answer still shows that its sender has the map."""
        if message.class_name == "null":
            return
        answer = MapMessage.decode(message.to_stream())
        if answer.type in (MSG_START, MSG_INIT):
            self.presence.heard(sender, answer.suid)
