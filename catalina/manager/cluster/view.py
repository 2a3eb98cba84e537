"""Makes the page of the group: tables, charts and events as HTML. The page and its live updates use the same pieces."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from catalina.ha.tcp.live_facts import LiveApplication, LiveNode
from catalina.manager.charts import Line, charts, line_chart
from catalina.manager.cluster.orders import NOT_GUARDED, older_version
from catalina.manager.cluster.picture import HISTORY, GroupPicture, NodePicture, Sample
from catalina.manager.page import Html, table
from catalina.manager.words import number, size, span

__all__ = ["event_stream_frame", "live_part", "remote_orders_note"]

#: Nodes, applications of each, and events that the page shows.
MAX_NODES, MAX_APPLICATIONS, MAX_EVENTS = 60, 60, 30
#: Seconds by which a clock may be wrong before it is marked.
CLOCK_SECONDS = 1.0

CHARTS: tuple[tuple[str, Callable[[Sample], float], Callable[[float], str]], ...] = (
    ("Requests per second", lambda sample: sample.requests, number),
    ("Replication, sent per second", lambda sample: sample.sent, size),
    ("Replication lag, bytes not arrived", lambda sample: sample.backlog, size),
    ("Sessions served", lambda sample: sample.sessions, number),
)


def live_part(picture: GroupPicture, guarded: bool) -> Html:
    """The part of the page that changes."""
    nodes = picture.nodes[:MAX_NODES]
    if not nodes:
        return Html('<p class="lead">The cluster [{}] does not run on this node.</p>').format(picture.name)
    parts = [
        _summary(picture),
        _charts(picture, nodes),
        _nodes(nodes, guarded),
        _events(picture),
        _applications(nodes, guarded),
        _farm(nodes),
    ]
    return Html("").join(parts)


def event_stream_frame(content: Html) -> bytes:
    """One event of a stream (HTML Living Standard, 9.2): content may have any line ends."""
    lines = "".join(f"data: {line}\n" for line in str(content).splitlines())
    return f"event: live\n{lines}\n".encode()


# ---- pieces


def _summary(picture: GroupPicture) -> Html:
    there = [node for node in picture.nodes if node.gone_at is None]
    well = sum(node.state == "here" for node in there)
    lives = [node.seen.live for node in there if node.seen.live is not None]
    facts = [
        ("Nodes", f"{well} of {len(there)} serve"),
        ("Sessions served", number(sum(live.sessions for live in lives))),
        ("Requests per second", number(sum(node.sample.requests for node in there if node.sample is not None))),
        ("Not arrived at members", size(sum(live.backlog for live in lives))),
        ("Changes owed", number(sum(each.owed for live in lives for each in live.applications))),
        ("Looked at", time.strftime("%H:%M:%S", time.localtime(picture.looked_at))),
    ]
    cells = Html("").join(Html("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value) for name, value in facts)
    return Html('<dl class="tiles" id="summary">{}</dl>\n').format(cells)


def _charts(picture: GroupPicture, nodes: Sequence[NodePicture]) -> Html:
    shown = [node for node in nodes if node.gone_at is None]
    drawn = [
        line_chart(title, [_line(node, value, picture.history) for node in shown], told, "two minutes")
        for title, value, told in CHARTS
    ]
    return charts(drawn)


def _line(node: NodePicture, value: Callable[[Sample], float], history: Sequence[dict[str, Sample]]) -> Line:
    """A node's line: the newest look is at the right."""
    first = HISTORY - len(history)
    points = [
        (place / (HISTORY - 1), value(tick[node.key])) if node.key in tick else None
        for place, tick in enumerate(history, first)
    ]
    return Line(node.label, node.place, points, value(node.sample) if node.sample is not None else None)


def _nodes(nodes: Sequence[NodePicture], guarded: bool) -> Html:
    heads = ["Node", "State", "Software", "Up for", "Heartbeat", "Clock", "Requests", "Running", "Sent", "Lag",
             "Orders"]  # fmt: skip
    rows = [_node(node, guarded) for node in nodes]
    return table("Nodes", heads, rows, ids=[f"node-{node.key}" for node in nodes])


def _node(node: NodePicture, guarded: bool) -> list[object]:
    live, sample, seen = node.seen.live, node.sample, node.seen
    name = Html("<b>{}</b>{}<br><small>{}</small>").format(
        node.label, Html(" <small>this one</small>") if seen.is_local else "", seen.member.name
    )
    state = Html('<span class="state {}">{}</span>').format(node.state.replace(" ", "-"), node.state)
    if node.gone_at is not None:
        gone = time.strftime("since %H:%M:%S", time.localtime(node.gone_at))
        return [name, Html("{}<br><small>{}</small>").format(state, gone), _software(node), *[""] * 8]
    alive = live.uptime if live is not None else seen.member.alive_ms / 1000
    return [
        name, state, _software(node), span(alive),
        "-" if seen.silence is None else f"{seen.silence:.1f} s ago",
        _clock(node),
        "-" if sample is None else f"{number(sample.requests)}/s",
        "-" if live is None else number(live.running),
        "-" if sample is None else f"{size(sample.sent)}/s",
        "-" if live is None else size(live.backlog),
        _node_orders(node, live, guarded) if live is not None else "",
    ]  # fmt: skip


def _software(node: NodePicture) -> object:
    live = node.seen.live
    if node.is_java:
        return "Java"
    return "Python" if live is None else Html("{}<br><small>{}</small>").format(live.python, live.software)


def _clock(node: NodePicture) -> object:
    seen = node.seen
    if seen.is_local or seen.live is None:
        return "-"
    text = f"{seen.offset:+.3f} s"
    return Html('<b class="bad">{}</b>').format(text) if abs(seen.offset) - seen.accuracy > CLOCK_SECONDS else text


def _node_orders(node: NodePicture, live: LiveNode, guarded: bool) -> Html:
    if not _may_order(node, live, guarded):
        return Html("")
    drain = ("undrain", "Take back") if live.draining else ("drain", "Drain")
    buttons = [_button(node, *drain)]
    if live.turnover:
        verb, text = ("turnover-off", "Turnover off") if live.turnover == "on" else ("turnover-on", "Turnover on")
        buttons.append(_button(node, verb, text))
    return Html(" ").join(buttons)


def _may_order(node: NodePicture, live: LiveNode, guarded: bool) -> bool:
    return node.seen.is_local or (guarded and live.operable and node.state != "no answer")


def _button(node: NodePicture, verb: str, text: str, application: str = "") -> Html:
    value = f"{verb} {node.key} {application}".rstrip()
    about = f"{text}: {application} on {node.label}" if application else f"{text}: {node.label}"
    return Html('<button form="orders" name="order" value="{}" aria-label="{}">{}</button>').format(value, about, text)


def _applications(nodes: Sequence[NodePicture], guarded: bool) -> Html:
    heads = ["Application", "Node", "State", "Manager", "Primary", "Backup", "Proxy", "Owed", "Orders"]
    rows: dict[tuple[str, str, str], list[object]] = {}
    for node in nodes:
        live = node.seen.live
        if live is None or node.gone_at is not None:
            continue
        running = [each.name for each in live.applications if each.runs]
        for each in live.applications[:MAX_APPLICATIONS]:
            orders = _application_orders(node, each, running) if _may_order(node, live, guarded) else Html("")
            rows[each.name, node.label, node.key] = [
                each.name, node.label, _application_state(each), each.manager or "-", number(each.primary),
                number(each.backup), number(each.proxy), number(each.owed), orders,
            ]  # fmt: skip
    keys = sorted(rows)
    names = [f"app-{key}-{name}" for name, _, key in keys]
    return table("Applications and their sessions", heads, [rows[key] for key in keys], ids=names)


def _application_state(each: LiveApplication) -> object:
    if not each.runs:
        return Html('<span class="state gone">{}</span> <small>{}</small>').format(
            "failed" if each.failure else "stopped", each.failure
        )
    if each.received >= 0:
        text = "waits for sessions"
        if each.expected <= 0:
            return text
        bar = Html('<progress max="{}" value="{}"></progress>').format(each.expected, each.received)
        return Html("{} {} {} of {}").format(text, bar, number(each.received), number(each.expected))
    return Html('<span class="state here">runs</span>')


def _application_orders(node: NodePicture, each: LiveApplication, running: list[str]) -> Html:
    buttons = [] if each.privileged else [_button(node, "redeploy", "Redeploy", each.name)]
    if each.manager:
        buttons.append(_button(node, "expire", "Expire", each.name))
    if older_version(each.name, running) is not None:
        buttons.append(_button(node, "roll-back", "Roll back", each.name))
    return Html(" ").join(buttons)


def _farm(nodes: Sequence[NodePicture]) -> Html:
    lives = [(node, node.seen.live) for node in nodes if node.gone_at is None and node.seen.live is not None]
    archives = sorted({name for _, live in lives for name in live.archives})
    moving = [(node, live, each) for node, live in lives for each in live.transfers]
    receiving = [(node.label, line) for node, live in lives for line in live.receiving]
    if not archives and not moving and not receiving:
        return Html('<div id="farm"></div>')
    has_farm = [(node, live) for node, live in lives if live.archives or live.transfers or live.receiving]
    rows: list[list[object]] = []
    for name in archives:
        there = [node.label for node, live in has_farm if name in live.archives]
        rows.append([name, ", ".join(there), f"on {len(there)} of {len(lives)} nodes"])
    for node, _, each in moving:
        bar = Html('<progress max="{}" value="{}" aria-label="{}"></progress> {} of {}').format(
            max(1, each.size), each.done, each.name, size(each.done), size(each.size)
        )
        rows.append([each.name, f"from {node.label} to {each.members} members", bar])
    rows += [[line.partition(" ")[0], label, f"arrives: {line.partition(' ')[2]}"] for label, line in receiving]
    return Html('<div id="farm">{}</div>').format(table("Farm", ["Archive", "Nodes", "State"], rows))


def _events(picture: GroupPicture) -> Html:
    items = Html("").join(
        Html('<li id="event-{}"><time>{}</time> {}</li>').format(
            event.number, time.strftime("%H:%M:%S", time.localtime(event.at)), event.text
        )
        for event in picture.events[:MAX_EVENTS]
    )
    content = items or Html("<li>Nothing has changed since somebody began to watch.</li>")
    return Html(
        '<section id="events"><h2 id="events-title">Events</h2><ol role="log" aria-live="polite" '
        'aria-labelledby="events-title" class="events" tabindex="0">{}</ol></section>\n'
    ).format(content)


def remote_orders_note(guarded: bool, alone: bool) -> str:
    """The reason why the other nodes have no buttons; empty when they have them, or there are no other nodes."""
    return "" if guarded or alone else f"Only this node can be operated from here: {NOT_GUARDED}."
