"""The ``<Cluster>`` element (Tomcat: ha/tcp/SimpleTcpCluster.java)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from catalina.attributes import Attribute, Element
from catalina.errors import ChannelError, LifecycleError
from catalina.ha.cluster_listener import ClusterListener
from catalina.ha.cluster_message import ClusterMessage, class_name_of, decoder_for
from catalina.ha.request_deliveries import note
from catalina.ha.session.cluster_manager_base import ClusterManagerBase
from catalina.ha.session.cluster_session_listener import ClusterSessionListener
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.jvm_route_binder_valve import JvmRouteBinderValve
from catalina.ha.session.session_message import EVT_PROBE, encode_message
from catalina.ha.tcp.missed_messages import MissedMessages
from catalina.ha.tcp.node_facts import NodeFacts
from catalina.ha.tcp.replication_valve import ReplicationValve
from catalina.lifecycle import LISTENER, Lifecycle
from catalina.operations import readable
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.channel import (
    SEND_OPTIONS_ASYNCHRONOUS,
    SEND_OPTIONS_BYTE_MESSAGE,
    SEND_OPTIONS_USE_ACK,
    ChannelMessage,
    Delivery,
    ObjectBytes,
    parse_send_options,
    send_options_name,
)
from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.membership.mcast_service import McastService
from catalina.tribes.transport.nio.parallel_nio_sender import keeps_order
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from catalina.session.manager import Manager
    from catalina.tribes.member import Member

__all__ = ["SimpleTcpCluster"]

log = logging.getLogger("org.apache.catalina.ha.tcp.SimpleTcpCluster")

#: Seconds after which a member that has not acknowledged is probed.
PROBE_SECONDS = 1.0
#: A message that only asks for its acknowledgement: no listener knows its event.
PROBE = encode_message(EVT_PROBE, None, None, None, None, None)

_HANDED_ON = "Tomcat 5.5; handed to the manager template."


class ClusterDeployer(Protocol):
    """A ``<Deployer>``."""

    cluster: SimpleTcpCluster | None

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def background_process(self) -> None: ...


class SimpleTcpCluster(Lifecycle):
    """A group of nodes that share sessions and deployments, under an Engine or a Host.

    The element alone brings the HOW-TO's defaults: DeltaManager, JvmRouteBinderValve and ReplicationValve in the
    container's pipeline, ClusterSessionListener, and a channel with MessageDispatchInterceptor and TcpFailureDetector.
    """

    bean_operations = ("start", "stop")
    bean_types: ClassVar[dict[str, str]] = {
        "channelSendOptions": "java.lang.String",
        "channelStartOptions": "java.lang.String",
    }

    elements = {
        "Manager": Element(add=lambda cluster, manager: setattr(cluster, "manager_template", manager), guards=True),
        "Channel": Element(
            add=lambda cluster, channel: setattr(cluster, "channel", channel),
            default="org.apache.catalina.tribes.group.GroupChannel",
            role=GroupChannel,
        ),
        "Valve": Element(add=lambda cluster, valve: cluster.add_valve(valve), role=ValveBase, guards=True),
        "ClusterListener": Element(
            add=lambda cluster, listener: cluster.add_cluster_listener(listener), role=ClusterListener
        ),
        "Deployer": Element(add=lambda cluster, deployer: cluster.set_deployer(deployer)),
        "Listener": LISTENER,
    }

    cluster_name = Attribute(str, "", doc="Prefix of the channel's name; the Engine's or Host's name when not given.")
    channel_send_options = Attribute(
        parse_send_options,
        SEND_OPTIONS_ASYNCHRONOUS,
        doc="How session messages are sent: a number or names. 8 async: the answer leaves at once. 6 sync,use_ack: the "
        "answer waits until the other nodes have applied the change. 2 use_ack: until they have received it.",
    )
    channel_start_options = Attribute(
        int,
        15,
        doc="Parts of the channel that start: 1 receiver, 2 sender, 4 hearing members, 8 announcing itself; the sum.",
    )
    heartbeat_background_enabled = Attribute(
        bool, False, doc="Run the channel's heartbeat on the container's background tick, not on the channel's own."
    )
    notify_lifecycle_listener_on_failure = Attribute(
        bool, False, doc="Fire the event receive_message_failure for a message that no listener took."
    )
    expire_sessions_on_shutdown = Attribute(bool, None, doc=_HANDED_ON)
    notify_listeners_on_replication = Attribute(bool, None, doc=_HANDED_ON)
    use_dirty_flag = Attribute(bool, None, doc=_HANDED_ON)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.container: Any = None
        self.channel: GroupChannel | None = None
        self.manager_template: ClusterManagerBase = DeltaManager()
        self.managers: dict[str, ClusterManagerBase] = {}
        self.valves: list[ValveBase] = []
        self.cluster_listeners: list[ClusterListener] = []
        self.deployer: Any = None
        self.missed = MissedMessages()
        self.facts = NodeFacts(self)
        self._repeated = RepeatedMessages(log)
        self._valves_registered = False

    def __str__(self) -> str:
        return f"SimpleTcpCluster[{self.name}]"

    @property
    @readable("channelSendOptionsName", doc="channelSendOptions in words.")
    def send_options_name(self) -> str:
        return send_options_name(self.channel_send_options)

    # -- parts ---------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The cluster's name: clusterName, or the name of its container."""
        return self.cluster_name or (self.container.name if self.container is not None else "")

    def add_valve(self, valve: ValveBase) -> None:
        """Keep a valve for the container's pipeline, which gets it when the cluster starts."""
        self.valves.append(valve)

    def add_cluster_listener(self, listener: ClusterListener) -> None:
        """Offer later messages to ``listener``, too; adding it twice changes nothing."""
        if listener not in self.cluster_listeners:
            listener.cluster = self
            self.cluster_listeners.append(listener)

    def remove_cluster_listener(self, listener: ClusterListener) -> None:
        """Undo :meth:`add_cluster_listener`; unknown listeners are ignored."""
        if listener in self.cluster_listeners:
            self.cluster_listeners.remove(listener)
            listener.cluster = None

    def set_deployer(self, deployer: ClusterDeployer) -> None:
        """Set the ``<Deployer>``, which starts, stops and ticks with the cluster."""
        self.deployer = deployer
        deployer.cluster = self

    def background_process(self) -> None:
        """The container's tick: let the deployer look at its directory, and the channel's heart beat if so
        configured.
        """
        if self.deployer is not None:
            self.deployer.background_process()
        if self.heartbeat_background_enabled and self.channel is not None:
            self.channel.heartbeat()
        for member in self.missed.take(self.members):
            self._tell_missed(member)
        for member in tuple(self.missed.silent):
            self._probe(member)
        self.fire_lifecycle_event("periodic")

    # -- managers ------------------------------------------------------------------------------------------------

    def create_manager(self, name: str) -> Manager:
        """A manager for the distributable context ``name``, configured like the template."""
        log.debug(
            "Creating ClusterManager for context [%s] using class [%s]", name, type(self.manager_template).__name__
        )
        manager = self.manager_template.clone_from_template()
        manager.name = name
        manager.cluster = self
        return manager

    def register_manager(self, manager: Manager) -> None:
        """Register the manager of a context, under a name that is unique in the group: ``/app`` in a Host's cluster,
        ``localhost#/app`` in an Engine's.
        """
        if not isinstance(manager, ClusterManagerBase):
            log.warning(
                "Manager [%s] does not implement ClusterManager, addition to cluster has been aborted.", manager
            )
            return
        manager.name = self.manager_name(manager.name, manager)
        manager.cluster = self
        self.managers[manager.name] = manager
        self.fire_lifecycle_event("after_manager_register", manager)

    def remove_manager(self, manager: Manager) -> None:
        """Remove a manager, because its context stops."""
        if isinstance(manager, ClusterManagerBase) and self.managers.get(manager.name) is manager:
            del self.managers[manager.name]
            self.fire_lifecycle_event("after_manager_unregister", manager)

    def get_manager(self, name: str) -> ClusterManagerBase | None:
        """The manager registered under that name, None when there is none."""
        return self.managers.get(name)

    def manager_name(self, name: str, manager: ClusterManagerBase) -> str:
        """The name of a context's manager: ``/app`` for a cluster under a Host, ``localhost#/app`` under an Engine."""
        context = manager.context
        name = name or (context.name if context is not None else "")
        if self.under_engine and context is not None:
            prefix = f"{context.host.name}#"
            return name if name.startswith(prefix) else prefix + name
        return name

    @property
    def under_engine(self) -> bool:
        """True when the element stands in an Engine (which has a default host), not in a Host."""
        return hasattr(type(self.container), "default_host")

    # -- sending -------------------------------------------------------------------------------------------------

    @property
    def members(self) -> Sequence[Member]:
        """The other nodes, oldest first."""
        return self.channel.members if self.channel is not None else ()

    @property
    def has_members(self) -> bool:
        """True when there is any other node."""
        return self.channel is not None and self.channel.has_members

    @property
    def local_member(self) -> Member | None:
        """This node as the others see it; None before the channel has started."""
        return self.channel.local_member if self.channel is not None else None

    def traffic(self) -> dict[Member, tuple[int, int]]:
        """To each member that has been sent to: bytes given, and bytes done (:meth:`GroupChannel.traffic`)."""
        return self.channel.traffic() if self.channel is not None else {}

    def post(self, message: ClusterMessage, to: Member | None = None, options: int | None = None) -> Delivery | None:
        """Send without waiting, to one member or to all; returns None when there is no receiver."""
        channel = self.channel
        if channel is None:
            return None
        return self.post_bytes(message.encode(), channel.members if to is None else (to,), options)

    def post_bytes(
        self,
        data: bytes,
        to: Sequence[Member],
        options: int | None = None,
        key: str | None = None,
        *,
        even_silent: bool = False,
    ) -> Delivery | None:
        """Send an encoded message without waiting; a request's answer may have to wait for its Delivery.

        Messages with the same key, a session's id, reach even Java members in order.
        """
        return self.post_all(((data, key),), to, options, even_silent=even_silent)

    def post_all(
        self,
        messages: Sequence[tuple[bytes, str | None]],
        to: Sequence[Member],
        options: int | None = None,
        *,
        even_silent: bool = False,
    ) -> Delivery | None:
        """:meth:`post_bytes` for several messages at once, each with its key.

        A request does not fail because a message cannot leave: the members that miss it are noted, and get the state
        again.

        Args:
            even_silent: send to silent members, too, because no request's answer waits for it.
        """
        channel = self.channel
        if channel is None or not to:
            return None
        options = self.channel_send_options if options is None else options
        if self.missed.silent and not even_silent and not options & SEND_OPTIONS_ASYNCHRONOUS:
            to = self._pass_over_silent(to, messages, options)
            if not to:
                return None
        try:
            delivery = channel.post_all(to, messages, options & ~SEND_OPTIONS_BYTE_MESSAGE, self.missed)
        except (ChannelError, OSError, MemoryError) as error:
            self.missed.not_sent(to, error)
            return None
        if not delivery.done:
            delivery.add_done_callback(self._delivered)
            note(delivery)
        return delivery

    def _delivered(self, delivery: Delivery) -> None:
        self.missed.delivered(delivery)
        for member in delivery.faulty:
            self._probe_later(member)

    def _pass_over_silent(
        self, to: Sequence[Member], messages: Sequence[tuple[bytes, str | None]], options: int
    ) -> list[Member]:
        """The members that an answer may wait for.

        A silent Python member gets what it missed when it is heard again. A silent Java member cannot compare sessions,
        so it is sent the message, but no answer waits for it.
        """
        silent = self.missed.silent
        java = [member for member in to if member in silent and not keeps_order(member)]
        if java:
            self.post_all(messages, java, options | SEND_OPTIONS_ASYNCHRONOUS)
        return [member for member in to if member not in silent]

    def _probe_later(self, member: Member) -> None:
        reactor = None if self.channel is None else self.channel.reactor
        if reactor is not None:
            reactor.call_later(PROBE_SECONDS, lambda: self._probe(member))

    def _probe(self, member: Member) -> None:
        """Ask a silent member for an acknowledgement; when it comes, send the member what it has missed."""
        channel = self.channel
        if channel is None or member not in channel.members:
            self.missed.heard(member)
        elif member in self.missed.silent:
            try:
                delivery = channel.post_all((member,), [(PROBE, None)], SEND_OPTIONS_USE_ACK)
            except (ChannelError, OSError, MemoryError) as error:
                log.debug("Unable to probe [%s]: %s", member.name, error)
                self._probe_later(member)
                return
            delivery.add_done_callback(lambda done: self._probed(member, done))

    def _probed(self, member: Member, delivery: Delivery) -> None:
        if member in delivery.faulty:
            self._probe_later(member)
        elif member in self.missed.silent:
            log.info("Member [%s] acknowledges messages again", member.name)
            self.missed.heard(member)
            self._tell_missed(member)

    def _tell_missed(self, member: Member) -> None:
        for manager in tuple(self.managers.values()):
            manager.member_missed_messages(member)

    def _stood_still(self) -> Callable[[], bool] | None:
        """This node stood still for a while, and the others may have gone on without it.

        Returns:
            A function that returns True once this node has caught up; None when there is nothing to do.
        """
        begun = [manager.stood_still() for manager in tuple(self.managers.values())]
        conditions = [condition for condition in begun if condition is not None]
        return (lambda: all(condition() for condition in conditions)) if conditions else None

    def send(self, message: ClusterMessage, to: Member | None = None, options: int | None = None) -> bool:
        """Send, and wait as the options say. A failure is logged; returns True if the message arrived everywhere."""
        channel = self.channel
        to_members = () if channel is None else channel.members if to is None else (to,)
        if channel is None or not to_members:
            log.debug("No members in cluster, ignoring message [%s]", message)
            return False
        options = self.channel_send_options if options is None else options
        try:
            channel.send(to_members, ObjectBytes(message.encode()), options & ~SEND_OPTIONS_BYTE_MESSAGE)
        except ChannelError as error:
            log.error("Unable to send message through cluster sender. %s", error)
            return False
        return True

    # -- receiving: the channel calls these in the thread that reads ---------------------------------------------

    def accept(self, message: ChannelMessage, sender: Member) -> bool:
        """True for a message of a cluster."""
        if message.options & SEND_OPTIONS_BYTE_MESSAGE:
            return False
        return decoder_for(class_name_of(message.data)) is not None

    def message_received(self, message: ChannelMessage, sender: Member) -> None:
        """Decode a message and hand it to every listener that accepts it. Raises nothing, because the sender must get a
        positive ACK.
        """
        decode = decoder_for(class_name_of(message.data))
        try:
            decoded = decode(message.data) if decode is not None else None
        except BaseException as error:  # noqa: BLE001  # logged below, once in a while
            # A broken message of one peer. Whatever the codec raises must affect only this message.
            self._repeated.log(
                logging.ERROR,
                f"messages of {sender.name} that cannot be read",
                "Unable to read a message of %s, %d bytes",
                sender.name,
                len(message.data),
                exc_info=error,
            )
            return
        self.dispatch(decoded, sender)

    def dispatch(self, message: object, sender: Member) -> None:
        """Hand a decoded message to the listeners."""
        accepted = False
        for listener in tuple(self.cluster_listeners):
            try:
                if listener.accept(message):
                    accepted = True
                    listener.message_received(message, sender)
            except BaseException as error:  # noqa: BLE001  # logged below, once in a while
                self._repeated.log(
                    logging.ERROR,
                    f"messages of {sender.name} that {type(listener).__name__} failed on",
                    "Cluster listener %s failed on a message of %s",
                    type(listener).__name__,
                    sender.name,
                    exc_info=error,
                )
        if not accepted:
            log.debug("Message [%s] from type [%s] transferred but no listener registered", message, type(message))
            if self.notify_lifecycle_listener_on_failure:
                self.fire_lifecycle_event("receive_message_failure", message)

    def member_added(self, member: Member) -> None:
        """A node has joined: tell the managers."""
        log.info("Replication member added:[%s]", member.name)
        for manager in tuple(self.managers.values()):
            manager.member_added(member)
        self.fire_lifecycle_event("after_member_register", member)

    def member_disappeared(self, member: Member) -> None:
        """A node has left or failed."""
        log.info("Received member disappeared:[%s]", member.name)
        self.fire_lifecycle_event("after_member_unregister", member)

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        log.info("Cluster is about to start")
        self.settle_attributes()
        try:
            channel = self._complete()
            self._register_valves()
            channel.add_membership_listener(self)
            channel.add_channel_listener(self)
            self.facts.open(channel)
            channel.start(self.channel_start_options)
            if channel.reactor is not None:
                channel.reactor.on_standstill.append(self._stood_still)
            if self.deployer is not None:
                self.deployer.start()
        except Exception as error:
            log.error("Unable to start cluster.", exc_info=error)
            raise LifecycleError(f"{self}: unable to start cluster: {error}") from error

    def _complete(self) -> GroupChannel:
        """Give everything that the XML did not name its default from the HOW-TO."""
        template = self.manager_template
        for name in ("expire_sessions_on_shutdown", "notify_listeners_on_replication", "use_dirty_flag"):
            if getattr(self, name) is not None:
                setattr(template, name, getattr(self, name))
        if not self.cluster_listeners and isinstance(template, DeltaManager):
            self.add_cluster_listener(ClusterSessionListener())
        if not self.valves:
            self.valves = [JvmRouteBinderValve(), ReplicationValve()]
        if self.channel is None:
            self.channel = GroupChannel()
        channel = self.channel
        if next(iter(channel.interceptors), None) is None:
            channel.add_interceptor(MessageDispatchInterceptor())
            channel.add_interceptor(TcpFailureDetector())
        if self.heartbeat_background_enabled:
            channel.heartbeat_enabled = False
        for remark in self.configuration_remarks():
            log.warning("%s", remark)
        channel.name = f"{self.name}-Channel"
        server = self.container.server if self.container is not None else None
        if channel.reactor is None and server is not None:
            channel.reactor = server.reactor
        membership = channel.membership_service
        if server is not None and isinstance(membership, McastService) and not membership.state_dir:
            # A crashed node then gets its farewell from its successor.
            membership.state_dir = str(server.catalina_base / "work")
        return channel

    def configuration_remarks(self) -> Iterator[str]:
        """Remarks on a configuration that lacks something that the operator will count on."""
        valves = [*self.valves, *(self.container.pipeline.valves if self.container is not None else ())]
        if self.valves and not any(isinstance(valve, ReplicationValve) for valve in valves):
            yield (
                f"{self} has valves of its own and no ReplicationValve: nothing that a request changes in a session is "
                'replicated. Add <Valve className="org.apache.catalina.ha.tcp.ReplicationValve"/> to the Cluster.'
            )

    def _register_valves(self) -> None:
        """Put the valves behind the container's own in its pipeline, where they stay until the cluster is destroyed."""
        if not self._valves_registered and self.container is not None:
            self._valves_registered = True
            for valve in self.valves:
                if isinstance(valve, JvmRouteBinderValve | ReplicationValve):
                    valve.cluster = self
                self.container.add_valve(valve)

    def _stop(self) -> None:
        channel = self.channel
        try:
            if self.deployer is not None:
                self.deployer.stop()
        finally:
            self.managers.clear()
            if channel is not None:
                if channel.reactor is not None and self._stood_still in channel.reactor.on_standstill:
                    channel.reactor.on_standstill.remove(self._stood_still)
                channel.stop(self.channel_start_options)
                self.facts.close()
                channel.remove_channel_listener(self)
                channel.remove_membership_listener(self)

    def _destroy(self) -> None:
        if self._valves_registered and self.container is not None:
            self._valves_registered = False
            for valve in self.valves:
                self.container.remove_valve(valve)
