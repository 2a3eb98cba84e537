"""The manager's commands for the applications of its host, which the text and the HTML pages share.

The answers are Tomcat's lines (ManagerServlet.java); those that begin with ``FAIL`` are raised as
:class:`~catalina.manager.asked.Refused`, without the word.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from catalina.core.node_restart import restart_instead
from catalina.core.standard_context import StandardContext
from catalina.errors import CatalinaError, DeploymentError
from catalina.loader.leftovers import find_leaks
from catalina.manager.asked import Refused, html_escaped
from catalina.manager.session_report import session_report
from catalina.startup.application_states import application_states
from catalina.startup.control_commands import refuse_farmed
from catalina.startup.host_config import HostConfig
from catalina.util.context_name import ContextName

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost

__all__ = ["Applications"]

Lines = list[str]

log = logging.getLogger("org.apache.catalina.manager.ManagerServlet")

RESTARTS = "The node is restarted, and runs it anew: {}"


class Applications:
    """The applications of one host.

    Args:
        own: the manager's own context, which it neither stops nor removes.
    """

    def __init__(self, own: StandardContext) -> None:
        self.own = own
        self.host: StandardHost = own.host

    @property
    def config(self) -> HostConfig:
        """The deployment of the host. Raises Refused when there is none."""
        found = HostConfig.of(self.host)
        if found is None:
            raise Refused(f"Encountered exception [host {self.host.name} has no deployment]")
        return found

    def find(self, name: ContextName) -> StandardContext:
        """The context of a name. Raises Refused when there is none."""
        found = self.host.find_child(name.name)
        if not isinstance(found, StandardContext):
            raise Refused(f"No context exists named [{html_escaped(name.display_name)}]")
        return found

    def find_other(self, name: ContextName) -> StandardContext:
        """The context of a name, other than the manager's own. Raises Refused when there is none."""
        found = self.find(name)
        if found is self.own:
            raise Refused("The manager cannot reload, stop, or undeploy itself")
        return found

    @contextmanager
    def serviced(self, name: ContextName) -> Iterator[None]:
        """Reserve an application. Raises Refused when somebody else has reserved it."""
        config = self.config
        if not config.try_add_serviced(name.name):
            raise Refused(f"The application [{name.display_name}] is already being serviced")
        try:
            yield
        finally:
            config.remove_serviced(name.name)

    # -- the commands ---------------------------------------------------------------------------------------------

    def list(self) -> Lines:
        """One line for each: ``path:state:sessions:docBase``."""
        lines = [f"OK - Listed applications for virtual host [{self.host.name}]"]
        for state in application_states(self.host):
            path = state.name.partition("##")[0] or "/"
            directory = state.directory.removeprefix(f"{self.host.app_base_path}/")
            lines.append(f"{path}:{'running' if state.runs else 'stopped'}:{state.sessions or 0}:{directory}")
        return lines

    def start(self, name: ContextName) -> Lines:
        """Start an application that was stopped, or did not start."""
        context = self.find(name)
        with self.serviced(name):
            if not context.state.available and not self._node_restarts(context):
                try:
                    self._act(context, "start")
                except CatalinaError as error:
                    log.error("Error starting [%s]: %s", name.display_name, error)
        if self._node_restart_reason:
            return self._restarting(f"OK - Started application at context path [{name.display_name}]")
        self.config.note_outcome(name.name)
        self._must_run(context, name)
        return [f"OK - Started application at context path [{name.display_name}]"]

    def stop(self, name: ContextName) -> Lines:
        """Stop an application, which then stays stopped."""
        context = self.find_other(name)
        with self.serviced(name):
            if context.state.available:
                try:
                    self._act(context, "stop")
                except CatalinaError as error:
                    log.error("Error stopping [%s]: %s", name.display_name, error)
                    raise Refused(f"Encountered exception [{error}]") from error
        return [f"OK - Stopped application at context path [{name.display_name}]"]

    def reload(self, name: ContextName) -> Lines:
        """Stop and start; requests wait meanwhile."""
        context = self.find_other(name)
        if not context.state.available:
            shown = context.name or "/"
            text = f"java.lang.IllegalStateException: Context with name [{shown}] has not yet been started"
            raise Refused(f"Encountered exception [{text}]")
        with self.serviced(name):
            if not context.reload(by_command=True):
                return self._restarting(f"OK - Reloaded application at context path [{name.display_name}]")
        self.config.note_outcome(name.name)
        self._must_run(context, name)
        return [f"OK - Reloaded application at context path [{name.display_name}]"]

    def undeploy(self, name: ContextName) -> Lines:
        """Stop an application and delete its files; ``HostConfig.undeploy`` says which."""
        if not self.config.is_deployed(name.name):
            self.find_other(name)
            shown = html_escaped(name.display_name)
            raise Refused(f"Context [{shown}] is defined in server.xml and may not be undeployed")
        if self.host.find_child(name.name) is self.own:
            self.find_other(name)
        try:
            refuse_farmed(self.host, name)
            with self.serviced(name):
                self.config.undeploy(name.name)
        except Refused:
            raise
        except CatalinaError as error:
            raise Refused(f"Encountered exception [{error}]") from error
        return [f"OK - Undeployed application at context path [{name.display_name}]"]

    def sessions(self, name: ContextName, idle_minutes: int = -1) -> Lines:
        """The sessions by idle time; sessions that are idle for that many minutes end (negative: none)."""
        return session_report(self.find(name), name, idle_minutes)

    def find_leaks(self) -> Lines:
        """Names of stopped applications of which threads still run."""
        elsewhere = self.own.elsewhere
        if elsewhere is None:
            return find_leaks(self.own.host_path)
        found = elsewhere.ask_all("leaks", self.own.host_path)
        return list(dict.fromkeys(name for names in found.values() for name in names))

    # -- common steps --------------------------------------------------------------------------------------------

    def _act(self, context: StandardContext, operation: str) -> None:
        """As by JMX: a node of several processes remembers it."""
        engine = self.host.parent
        if engine is None or self.host.server is None:
            raise DeploymentError(f"{self.host}: it is in no server")
        self.host.server.mbeans.act(context.object_name(engine.name, self.host.name), operation)

    @property
    def _node_restart_reason(self) -> str:
        server = self.host.server
        return server.restart_reason if server is not None else ""

    def _node_restarts(self, context: StandardContext) -> bool:
        """True when only another process can run the application; that process is then started."""
        return restart_instead(self.host.server, context.name, context.loader.loaded_once(), limited=False)

    def _restarting(self, line: str) -> Lines:
        return [line, RESTARTS.format(self._node_restart_reason)]

    def _must_run(self, context: StandardContext, name: ContextName) -> None:
        if not context.state.available:
            why = f"\nFAIL - Encountered exception [{context.failure}]" if context.failure else ""
            raise Refused(f"Application at context path [{name.display_name}] could not be started{why}")
