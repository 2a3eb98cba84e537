"""The host manager's page, for people (Tomcat: manager/host/HTMLHostManagerServlet.java).

Requests that change something are posted, with the nonce of the CSRF filter in front (web.xml).
"""

from __future__ import annotations

from collections.abc import Iterable
from html import unescape
from typing import TYPE_CHECKING

from catalina.manager.asked import Asked, Environ, Refused, StartResponse
from catalina.manager.host.host_manager_servlet import HostManagerServlet
from catalina.manager.host.hosts import FLAGS
from catalina.manager.page import Html, Links, form, html_answer, page, table
from catalina.manager.text_servlet import Command, Lines
from catalina.webapp import send_error

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost

__all__ = ["HTMLHostManagerServlet"]

#: Bytes of a form.
MAX_FORM = 1_000_000


class HTMLHostManagerServlet(HostManagerServlet):
    """``/html``: the hosts, and forms to add, stop, start and remove them."""

    door = "host-manager/html"

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD", "POST"):
            return send_error(environ, start_response, 405, f"HTTP method {method} is not supported by this URL")
        try:
            asked = Asked(environ, self.door)
            asked.read_form(MAX_FORM)
        except Refused as refused:
            return send_error(environ, start_response, 400, str(refused))
        with self.server.reactor.blocking():
            message = self._message(asked)
        return html_answer(start_response, self._page(Links(environ), message))

    def _message(self, asked: Asked) -> str:
        if asked.command in ("/html", "/", "/list"):
            return "OK"
        if asked.method != "POST" and asked.command in POSTED:
            return f"FAIL - Tried to use command [{asked.command}] via a GET request but POST is required"
        lines, _ = self.answer(POSTED, asked)
        return "\n".join(lines)

    def _add_form(self, asked: Asked) -> Lines:
        flags = {name: asked[name] == "on" for name in FLAGS}  # an unticked box is not sent
        manager = asked["manager"] == "on"
        return self.hosts.add(asked["name"], asked["aliases"] or "", asked["appBase"] or "", flags, manager)

    def _page(self, links: Links, message: str) -> bytes:
        kind = "bad" if message.startswith("FAIL") else "good"
        rows = [[host.name, ", ".join(host.aliases), host.state.label, self._commands(host, links)]
                for host in self.hosts.engine.children]  # fmt: skip
        body = Html("").join([
            Html('<pre id="message" role="status" class="{}">{}</pre>').format(kind, unescape(message)),
            table("Hosts", ["Name", "Aliases", "State", "Commands"], rows),
            Html("<section><h2>Add a host</h2>{}</section>").format(_add_form(links)),
            Html("<p>A host that is added here runs until the server ends; server.xml does not change.</p>"),
        ])  # fmt: skip
        return page(links, "Tomcat Virtual Host Manager", [("Hosts", links.to("/html/list"))], body)

    def _commands(self, host: StandardHost, links: Links) -> Html:
        name = host.name
        if host is self.hosts.own.host:
            return Html("Host manager installed, no commands")
        words = ["stop", "remove"] if host.state.available else ["start", "remove"]
        return Html("").join(
            form(
                links.to(f"/html/{word}"), word.capitalize(), hidden={"name": name}, kind="inline",
                label=f"{word.capitalize()} {name}",
            )
            for word in words
        )  # fmt: skip


def _add_form(links: Links) -> Html:
    fields = [
        Html('<label>{} <input name="{}"{}></label>').format(text, name, Html(" required") if name == "name" else "")
        for name, text in (("name", "Name"), ("aliases", "Aliases, separated by commas"), ("appBase", "App base"))
    ]
    boxes = [
        Html('<label class="box"><input type="checkbox" name="{}"{}> {}</label>').format(
            name, Html(" checked") if on else "", name
        )
        for name, on in [*((name, default) for name, (_, default) in FLAGS.items()), ("manager", True)]
    ]
    return form(links.to("/html/add"), "Add", [*fields, *boxes], kind="stacked")


#: The posted forms, and the commands that handle them.
POSTED: dict[str, Command] = {
    **{path: HostManagerServlet.commands["GET"][path] for path in ("/persist", "/remove", "/start", "/stop")},
    "/add": HTMLHostManagerServlet._add_form,
}
