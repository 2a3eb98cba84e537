"""``/manager/cluster``: the group of nodes, live, and buttons that operate it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from catalina.core.container_servlet import ContainerServlet
from catalina.manager.asked import Asked, Environ, Refused, StartResponse
from catalina.manager.cluster.orders import NodeOrders, Order, Outcome
from catalina.manager.cluster.view import live_part, remote_orders_note
from catalina.manager.cluster.watch import ClusterWatch
from catalina.manager.page import Html, Links, html_answer, liveness, manager_pages, page
from catalina.mbeans.audit import audit
from catalina.startup.session_safety import clusters_of
from catalina.webapp import send_error

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_server import StandardServer
    from catalina.core.standard_wrapper import ServletConfig
    from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster

__all__ = ["ClusterManagerServlet", "asked_cluster"]

#: Bytes of a form.
MAX_FORM = 10_000

_MESSAGE = Html('<pre id="message" role="status" class="{}">{}</pre>')
#: The form of all buttons. Its first button does nothing, because the Enter key in the field presses it.
_ORDERS = Html(
    '<form id="orders" method="post" action="{}" class="inline"><button disabled hidden></button>'
    '<input type="hidden" name="cluster" value="{}"><label>Expire ends sessions that are idle for at least '
    '<input name="idle" type="number" min="0" value="30" required> minutes</label></form>\n'
)


def asked_cluster(context: StandardContext, asked: Asked) -> SimpleTcpCluster | None:
    """The node's cluster that the parameter ``cluster`` names, its first one without; None when there is none."""
    clusters = clusters_of(context.server) if context.server is not None else []
    name = asked["cluster"]
    return next((each for each in clusters if name is None or each.name == name), None)


class ClusterManagerServlet(ContainerServlet):
    """Shows the page and takes its orders. The page works without its script, which only updates it."""

    door = "manager/cluster"

    def start_servlet(self, _: ServletConfig, context: StandardContext) -> None:
        """Called once, when the manager starts: from then on members may order (see ``cluster/orders.py``)."""
        self._orders: dict[int, NodeOrders] = {}
        if context.server is not None:
            for cluster in clusters_of(context.server):
                self._orders_of(cluster, context.server)

    def close_servlet(self) -> None:
        """The manager stops."""
        for orders in self._orders.values():
            orders.close()

    def _orders_of(self, cluster: SimpleTcpCluster, server: StandardServer) -> NodeOrders:
        orders = self._orders.setdefault(id(cluster), NodeOrders(cluster, server))
        orders.open()
        return orders

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method, context = environ["REQUEST_METHOD"], self.wrapper.context
        if method not in ("GET", "HEAD", "POST"):
            return send_error(environ, start_response, 405, f"HTTP method {method} is not supported by this URL")
        try:
            asked = Asked(environ, self.door)
            asked.read_form(MAX_FORM)
        except Refused as refused:
            return send_error(environ, start_response, 400, str(refused))
        if asked.command not in ("/cluster", "/", "/order") or (asked.command == "/order") is not (method == "POST"):
            return send_error(environ, start_response, 404)
        links, cluster = Links(environ), asked_cluster(context, asked)
        if cluster is None or context.server is None:
            content = Html('<p class="lead">This node is in no cluster.</p>')
            return html_answer(start_response, page(links, "Cluster", manager_pages(links), content))
        with context.server.reactor.blocking():
            outcome = self._ordered(asked, cluster, context.server) if method == "POST" else None
            content = self._content(links, cluster, outcome)
        title = f"Cluster {cluster.name}"
        return html_answer(start_response, page(links, title, manager_pages(links), content, "live.js"))

    def _content(self, links: Links, cluster: SimpleTcpCluster, outcome: Outcome | None) -> Html:
        picture = ClusterWatch.of(cluster).current()
        guarded = cluster.channel is not None and cluster.channel.is_guarded
        note = remote_orders_note(guarded, alone=len(picture.nodes) < 2)
        query = urlencode({"cluster": cluster.name})
        base = f"{links.base}/cluster"
        return Html("").join((
            Html("") if outcome is None else _MESSAGE.format("good" if outcome.good else "bad", outcome.text),
            liveness("events", f"{base}/events?{query}", f"{base}?{query}", picture.looked_at),
            _ORDERS.format(links.to("/cluster/order"), cluster.name),
            Html('<p class="lead">{}</p>').format(note) if note else Html(""),
            Html('<div id="live">{}</div>\n').format(live_part(picture, guarded)),
        ))  # fmt: skip

    def _ordered(self, asked: Asked, cluster: SimpleTcpCluster, server: StandardServer) -> Outcome:
        verb, _, rest = (asked["order"] or "").partition(" ")
        key, _, application = rest.partition(" ")
        idle = asked["idle"] or ""
        if not (idle.isdecimal() and len(idle) < 7):
            return Outcome(False, "Expected minutes")
        order = Order(verb, application, int(idle), asked.caller.user, asked.caller.address)
        watch, orders, local = ClusterWatch.of(cluster), self._orders_of(cluster, server), cluster.local_member
        if local is not None and local.unique_id.hex() == key:
            outcome, where = orders.carry_out(order, asked.caller), "this node"
        else:
            member = next((each for each in cluster.members if each.unique_id.hex() == key), None)
            if member is None:
                return Outcome(False, "That node is no member any more")
            outcome, where = orders.pass_on(order, member), member.name
            failed = None if outcome.good else Refused(outcome.text)
            audit(asked.caller, f"order {verb}", f"{where} {application}".rstrip(), failed=failed)
        watch.note(f"{asked.caller.user}: {verb} {application or ''} on {where}: {outcome.text.partition(chr(10))[0]}")
        return outcome
