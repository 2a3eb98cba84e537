"""The orders that the page gives a node: this one, or another member over the group.

A node carries out a member's order only while its own manager is deployed and the group keeps strangers out
(:attr:`GroupChannel.is_guarded`). Otherwise anybody who could pass for a member could drain it.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalina.core.standard_context import StandardContext
from catalina.errors import CatalinaError
from catalina.ha.session.jvm_route_binder_valve import JvmRouteBinderValve
from catalina.ha.tcp.live_facts import MAX_TEXT, read_as
from catalina.manager.asked import Refused
from catalina.manager.session_report import session_report
from catalina.mbeans.audit import Caller, audit, printable
from catalina.mbeans.object_name import ObjectName
from catalina.startup.control_commands import ControlCommands
from catalina.startup.host_config import HostConfig
from catalina.tribes.channel import SEND_OPTIONS_USE_ACK
from catalina.tribes.group.rpc_channel import FIRST_REPLY, LATER, RpcChannel
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.value_decoder import decode_value
from catalina.tribes.io.java.value_encoder import encode_value
from catalina.util.context_name import ContextName

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost
    from catalina.core.standard_server import StandardServer
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
    from catalina.tribes.member import Member

__all__ = ["NodeOrders", "Order", "Outcome", "older_version"]

log = logging.getLogger("org.apache.catalina.manager.ClusterManagerServlet")

RPC_ID = b"catalina-node-orders"
#: Bytes of an order.
MAX_ORDER = 16 * 1024
#: Orders of members that are carried out at the same time.
MAX_AT_ONCE = 2
#: Seconds to wait for the answer of a member: an application may take long to start.
ANSWER_SECONDS = 120.0

NOT_GUARDED = (
    "members take orders only in a group that keeps strangers out: pskIdentity and pskKey of <Channel>, or "
    "EncryptInterceptor"
)


@dataclass(frozen=True, slots=True)
class Order:
    """An order and its author.

    Args:
        verb: a key of :data:`VERBS`.
        application: ``localhost/shop##2`` for orders about an application.
        idle: minutes, for ``expire``.
        user, address: the user who has pressed the button.
    """

    verb: str
    application: str
    idle: int
    user: str
    address: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an order ended."""

    good: bool
    text: str


class NodeOrders:
    """Carries out orders for this node, and passes on those for others, from :meth:`open` to :meth:`close`.

    Args:
        cluster: the cluster whose members may give orders.
    """

    def __init__(self, cluster: SimpleTcpCluster, server: StandardServer) -> None:
        self._cluster = cluster
        self._server = server
        self._rpc: RpcChannel | None = None
        self._free = threading.BoundedSemaphore(MAX_AT_ONCE)

    def open(self) -> None:
        """Take orders from now on."""
        channel = self._cluster.channel
        if channel is not None and self._rpc is None:
            self._rpc = RpcChannel(channel, RPC_ID, self)
            self._cluster.facts.live.operable = channel.is_guarded

    def close(self) -> None:
        """Take no more."""
        rpc, self._rpc = self._rpc, None
        if rpc is not None:
            self._cluster.facts.live.operable = False
            rpc.close()

    # ---- here

    def carry_out(self, order: Order, caller: Caller) -> Outcome:
        """Carry out an order on this node, however long it takes, and write an audit line."""
        act = VERBS.get(order.verb)
        subject = order.application or "this node"
        if order.verb == "expire":
            subject += f" idle={order.idle}"
        try:
            if act is None:
                raise Refused(f"no order {order.verb!r:.40}")
            text = act(self, order, caller)
        except CatalinaError as error:
            audit(caller, order.verb, subject, failed=error)
            return Outcome(False, str(error)[:MAX_TEXT])
        finally:
            self._cluster.facts.live.look_anew()
        audit(caller, order.verb, subject)
        return Outcome(True, text[:MAX_TEXT])

    def _command(self, verb: str, **arguments: object) -> str:
        done = ControlCommands(self._server).run(verb, arguments, None, lambda *_: None)
        return "\n".join(done if isinstance(done, list) else done.lines)

    def _drain(self, order: Order, caller: Caller) -> str:
        return self._command("drain")

    def _undrain(self, order: Order, caller: Caller) -> str:
        return self._command("undrain")

    def _turnover_on(self, order: Order, caller: Caller) -> str:
        return self._set_turnover(True, caller)

    def _turnover_off(self, order: Order, caller: Caller) -> str:
        return self._set_turnover(False, caller)

    def _set_turnover(self, enabled: bool, caller: Caller) -> str:
        beans = self._server.mbeans
        found = [
            name
            for name, bean in beans.query(ObjectName("*", {"type": "Valve"}, open_ended=True))
            if isinstance(bean.component, JvmRouteBinderValve) and bean.component in self._cluster.valves
        ]
        if not found:
            raise Refused("this node has no JvmRouteBinderValve")
        for name in found:
            beans.set(name, "enabled", enabled, caller)
        return f"JvmRouteBinderValve.enabled is {str(enabled).lower()}"

    def _expire(self, order: Order, caller: Caller) -> str:
        host, name = self._application(order)
        if order.idle < 0:
            raise Refused(f"expected minutes, got {order.idle}")
        return session_report(_context(host, name), name, order.idle)[-1]

    def _redeploy(self, order: Order, caller: Caller) -> str:
        """Run what the application's files are now, a new archive among them; without any change stop and start it."""
        host, name = self._application(order)
        if _context(host, name).privileged:
            raise Refused("The manager cannot reload, stop, or undeploy itself")
        before = self._start_of(host, name)
        if HostConfig.of(host) is not None:
            self._command("check", host=host.name, name=name.name)
            if self._start_of(host, name) != before:
                return f"redeployed [{name.display_name}] from its changed files"
        return self._command("reload", host=host.name, name=name.name)

    @staticmethod
    def _start_of(host: StandardHost, name: ContextName) -> tuple[object, int]:
        """The context, and when it started: another one, or another time, after it was deployed anew."""
        context = _context(host, name)
        return context, context.start_time

    def _roll_back(self, order: Order, caller: Caller) -> str:
        """Undeploy the version on all nodes of its farm, so that the previous one serves."""
        host, name = self._application(order)
        before = older_version(name.name, [each.name for each in host.children if each.state.available])
        if before is None:
            raise Refused(f"[{name.display_name}] has no earlier version that runs beside it")
        deployer = self._cluster.deployer
        farmed = deployer is not None and deployer.is_farmed(name.name)
        done = self._command("undeploy", host=host.name, name=name.name, farm=farmed)
        return f"{done}; [{before}] serves"

    def _application(self, order: Order) -> tuple[StandardHost, ContextName]:
        host, slash, rest = order.application.partition("/")
        path, _, version = (slash + rest).partition("##")
        commands = ControlCommands(self._server)
        return commands.host(host), ContextName.of_path("" if path == "/" else path, version)

    # ---- over the group

    def pass_on(self, order: Order, member: Member) -> Outcome:
        """Let a member carry out an order, and wait for its answer."""
        rpc = self._rpc
        if rpc is None:
            return Outcome(False, "this node passes nothing on")
        question = encode_value(json.dumps(dataclasses.asdict(order)).encode())
        try:
            answers = rpc.send((member,), question, FIRST_REPLY, SEND_OPTIONS_USE_ACK, ANSWER_SECONDS)
        except CatalinaError as error:
            return Outcome(False, str(error))
        outcome = read_as(Outcome, _bytes_of(answers[0].message)) if answers else None
        return outcome or Outcome(False, f"{member.name} has not answered; it may have done it, or do it still")

    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue | None:
        """Handle a member's order. This runs in the event loop, so another thread carries out the order."""
        rpc, channel = self._rpc, self._cluster.channel
        order = read_order(message)
        if rpc is None or channel is None or order is None:
            return _answer(Outcome(False, "this is no order"))
        caller = Caller("cluster", order.user, f"{printable(order.address)} by way of {sender.name}")
        if not channel.is_guarded:
            fault = Refused(NOT_GUARDED)
            audit(caller, order.verb, order.application or "this node", failed=fault)
            return _answer(Outcome(False, str(fault)))
        if not self._free.acquire(blocking=False):
            return _answer(Outcome(False, "this node is busy with other orders"))

        def work() -> None:
            try:
                outcome = self.carry_out(order, caller)
            except BaseException as error:  # some of the code is an application's
                log.exception("An order of %s failed", sender.name)
                outcome = Outcome(False, type(error).__name__)
            finally:
                self._free.release()
            rpc.reply(sender, uuid, _answer(outcome))

        rpc.channel.running_reactor.submit(work)
        return LATER

    def left_over(self, message: EncodedValue, sender: Member) -> None:
        """Nothing to do with a late answer: the watch shows what has changed."""


#: The possible orders.
VERBS: dict[str, Callable[[NodeOrders, Order, Caller], str]] = {
    "drain": NodeOrders._drain,
    "undrain": NodeOrders._undrain,
    "turnover-on": NodeOrders._turnover_on,
    "turnover-off": NodeOrders._turnover_off,
    "expire": NodeOrders._expire,
    "redeploy": NodeOrders._redeploy,
    "roll-back": NodeOrders._roll_back,
}


def _context(host: StandardHost, name: ContextName) -> StandardContext:
    found = host.find_child(name.name)
    if not isinstance(found, StandardContext):
        raise Refused(f"no application [{name.display_name}] on host {host.name}")
    return found


def older_version(name: str, running: list[str]) -> str | None:
    """The version that serves new clients once ``name`` (``/shop##2``) is gone: the latest running one before it. None
    when there is none, or a later one already serves.
    """
    path, _, version = name.partition("##")
    others = {each.partition("##")[2]: each for each in running if each.partition("##")[0] == path and each != name}
    if not others or max(others) > version:
        return None
    return others[max(others)]


def read_order(message: EncodedValue) -> Order | None:
    """Read an order; None when the bytes are none."""
    return read_as(Order, _bytes_of(message))


def _bytes_of(message: EncodedValue) -> object:
    if len(message.data) > MAX_ORDER:
        return None
    try:
        return decode_value(message)
    except CatalinaError:
        return None


def _answer(outcome: Outcome) -> EncodedValue:
    return encode_value(json.dumps(dataclasses.asdict(outcome)).encode())
