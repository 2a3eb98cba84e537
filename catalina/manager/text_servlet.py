"""A servlet of commands, each a path, that answers in lines of plain text; both managers' ``/text`` are such
servlets.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.core.container_servlet import ContainerServlet
from catalina.errors import CatalinaError
from catalina.loader.load_failure import describe_failure
from catalina.manager.asked import Asked, Environ, Refused, StartResponse, text_answer
from catalina.mbeans.audit import audit
from catalina.realm.lock_out_realm import LockOutRealm
from catalina.webapp import send_error

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_server import StandardServer
    from catalina.core.standard_wrapper import ServletConfig

__all__ = ["Command", "Lines", "TextServlet"]

log = logging.getLogger("org.apache.catalina.manager.ManagerServlet")

Lines = list[str]
#: Returns lines, or lines and a text that follows them unchanged.
Command = Callable[[Any, Asked], "Lines | tuple[Lines, str]"]


class TextServlet(ContainerServlet):
    """``/text/<command>``: the first line begins with ``OK -`` or ``FAIL -``, the status is 200 for both."""

    debug = Attribute(int, 1, inert="logging.properties configures the log")

    #: The name of this servlet in the audit log.
    door = "manager/text"
    #: Method -> path -> command.
    commands: dict[str, dict[str, Command]] = {}
    #: Paths that change something.
    changing: frozenset[str] = frozenset()
    #: Parameters that the audit log shows.
    audited: tuple[str, ...] = ()

    def start_servlet(self, _: ServletConfig, context: StandardContext) -> None:
        """Called once, before the first request."""
        if context.realm is not None and not isinstance(context.realm, LockOutRealm):
            log.warning("The realm of [%s] is no LockOutRealm: whoever reaches the application can try passwords "
                        "without end. Put its <Realm> into a <Realm className="
                        '"org.apache.catalina.realm.LockOutRealm">', context.name)  # fmt: skip

    @property
    def server(self) -> StandardServer:
        """The whole node."""
        server = self.wrapper.context.server
        if server is None:
            raise Refused("Encountered exception [the application has no server]")
        return server

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        commands = self.commands.get("GET" if method == "HEAD" else method)
        if commands is None:
            return send_error(environ, start_response, 405, f"HTTP method {method} is not supported by this URL")
        try:
            asked = Asked(environ, self.door)
        except Refused as refused:
            return text_answer(start_response, [f"FAIL - {refused}"])
        with self.server.reactor.blocking():
            lines, rest = self.answer(commands, asked)
        return text_answer(start_response, lines, rest)

    def answer(self, commands: dict[str, Command], asked: Asked) -> tuple[Lines, str]:
        """Carry out a command; a failure is reported in a line."""
        command = commands.get(asked.command)
        if command is None:
            return [f"FAIL - Unknown command [{asked.command}]"], ""
        try:
            answer = command(self, asked)
        except Refused as refused:
            answer = f"FAIL - {refused}".split("\n")
        except CatalinaError as error:
            log.error("%s: %s", asked.command, error)
            answer = [f"FAIL - Encountered exception [{error}]"]
        except OSError as error:
            log.exception("%s failed", asked.command)
            answer = [f"FAIL - Encountered exception [{describe_failure(error)}]"]
        lines, rest = answer if isinstance(answer, tuple) else (answer, "")
        if asked.command in self.changing:
            failed = Refused(lines[0]) if lines and lines[0].startswith("FAIL") else None
            named = (f"{name}={asked[name]}" for name in self.audited if asked[name] is not None)
            audit(asked.caller, asked.command.strip("/"), " ".join(named), failed=failed)
        return lines, rest
