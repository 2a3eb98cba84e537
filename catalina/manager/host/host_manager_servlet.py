"""The host manager's text interface, for scripts (Tomcat: manager/host/HostManagerServlet.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.manager.asked import Asked
from catalina.manager.host.hosts import FLAGS, Hosts
from catalina.manager.text_servlet import Lines, TextServlet

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_wrapper import ServletConfig

__all__ = ["HostManagerServlet"]


class HostManagerServlet(TextServlet):
    """The commands for hosts."""

    door = "host-manager/text"
    audited = ("name", "aliases", "appBase", "manager", *FLAGS)

    def start_servlet(self, config: ServletConfig, context: StandardContext) -> None:
        """Called once, before the first request."""
        super().start_servlet(config, context)
        self.hosts = Hosts(context)

    def _list(self, asked: Asked) -> Lines:
        return self.hosts.list()

    def _add(self, asked: Asked) -> Lines:
        flags = {name: _flag(asked[name], default) for name, (_, default) in FLAGS.items()}
        manager = asked.flag("manager")
        return self.hosts.add(asked["name"], asked["aliases"] or "", asked["appBase"] or "", flags, manager)

    def _remove(self, asked: Asked) -> Lines:
        return self.hosts.remove(asked["name"])

    def _start(self, asked: Asked) -> Lines:
        return self.hosts.start(asked["name"])

    def _stop(self, asked: Asked) -> Lines:
        return self.hosts.stop(asked["name"])

    def _persist(self, asked: Asked) -> Lines:
        return self.hosts.persist()

    commands = {
        "GET": {
            "/add": _add,
            "/list": _list,
            "/persist": _persist,
            "/remove": _remove,
            "/start": _start,
            "/stop": _stop,
        }
    }
    changing = frozenset(("/add", "/persist", "/remove", "/start", "/stop"))


def _flag(text: str | None, default: bool) -> bool:
    """A flag of the request; as in Tomcat, any text but the opposite word means the default."""
    return text != "false" if default else text == "true"
