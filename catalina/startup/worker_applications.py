"""A worker's applications: it loads what the keeper has deployed, and changes them on the keeper's word.

It looks at no files of its own accord: in the place of each host's HostConfig stands a listener that starts the
applications of the keeper's table.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from catalina.core.node_restart import restart_instead
from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.errors import CatalinaError, DeploymentError, ProtocolError
from catalina.lifecycle import LifecycleEvent, LifecycleState
from catalina.loader.application_imports import imports
from catalina.loader.leftovers import find_leaks
from catalina.loader.load_failure import describe_failure
from catalina.startup.application_environment import ENVIRONMENT, application_environment
from catalina.startup.context_maker import give_source, make_context
from catalina.startup.health_gate import HealthGate
from catalina.startup.host_config import HostConfig
from catalina.startup.node_status import STATUS, node_status
from catalina.startup.vm_report import thread_dump
from catalina.workers.application_entry import ApplicationEntry, ContextSource, HostSource, files_of, manager_key
from catalina.workers.services import JOIN, JOINED

if TYPE_CHECKING:
    from catalina.core.standard_engine import StandardEngine
    from catalina.core.standard_server import StandardServer
    from catalina.workers.roles import WorkerRole

__all__ = ["WorkerApplications"]

#: The argument of the keeper's word: the key of an application, or its entry.
Asked = dict[str, Any]

log = logging.getLogger("org.apache.catalina.startup.WorkerApplications")

#: Seconds that the keeper may take for its table, which it has.
JOIN_SECONDS = 60.0
#: Seconds between two looks whether the keeper has finished changing an application's files.
LOOK_SECONDS = 0.05


class WorkerApplications:
    """The applications of all hosts of one worker.

    Args:
        role: of this process; it knows the way to the keeper.
    """

    def __init__(self, server: StandardServer, role: WorkerRole) -> None:
        self._server = server
        self._role = role
        #: One change at a time, and none before the applications of the start.
        self._changing = threading.RLock()
        self._has_started = threading.Event()
        #: The table of the start.
        self._entries: list[ApplicationEntry] = []
        #: For each application that was started here, by key: the source and the files that its context was made from,
        #: and True if its code runs here.
        self._made: dict[str, tuple[ContextSource | None, str, bool]] = {}
        self._failures: dict[str, str] = {}
        #: This pool's worker begins with an application that the keeper starts now, and not in the place of another.
        self._is_new = False
        #: The application of a pool's worker, once it runs.
        self._alone: StandardContext | None = None
        #: Contexts that have gone, and whose requests wait for the next of the name.
        self._awaited: dict[str, tuple[StandardHost, StandardContext]] = {}
        #: The hosts that the keeper has added.
        self._added: dict[tuple[str, str], StandardHost] = {}
        for host in self._hosts():
            self._lead(host)
        services = role.channel.services
        services.add("load", lambda _, asked: self._when_started(self._load, asked))
        services.add("stop", lambda _, asked: self._when_started(self._stop, asked))
        services.add("remove", lambda _, asked: self._when_started(self._remove, asked))
        services.add("pause", lambda _, asked: self._when_started(self._pause, asked))
        services.add("add-host", lambda _, asked: self._when_started(self._add_host, asked))
        services.add("remove-host", lambda _, asked: self._when_started(self._remove_host, asked))
        services.add("leaks", lambda _, host: find_leaks(host))
        services.add(STATUS, lambda _, __: node_status(server))
        services.add(ENVIRONMENT, self._environment)
        services.add("threads", lambda _, __: thread_dump())
        role.channel.on_next_keeper = self._follow_next_keeper

    def _engines(self) -> list[StandardEngine]:
        return [service.engine for service in self._server.services if service.engine is not None]

    def _hosts(self) -> list[StandardHost]:
        return [host for engine in self._engines() for host in engine.children if isinstance(host, StandardHost)]

    def _lead(self, host: StandardHost) -> None:
        """Let a host start the applications of the keeper's table, and look at no files."""
        host.host_config_class = ""
        for listener in host.lifecycle_listeners:
            if isinstance(listener, HostConfig):
                host.remove_lifecycle_listener(listener)
        host.add_lifecycle_listener(self._on_host)

    # -- the start -----------------------------------------------------------------------------------------------

    def join(self) -> None:
        """Get the keeper's table, and hear of changes from now on. Before the server starts."""
        self._entries = self._table() or []
        for entry in self._entries:
            self._place(entry)

    def _place(self, entry: ApplicationEntry) -> bool:
        """Note where an application runs; returns True if it does here."""
        if entry.workers is None:
            self._role.placements.pop(entry.key, None)
        else:
            self._role.placements[entry.key] = entry.workers
        return entry.runs_in(self._role.index)

    def _table(self) -> list[ApplicationEntry] | None:
        """The keeper's table, as soon as no application is between two versions; the hosts are here as it says. None
        when the node ends first.
        """
        while (told := self._role.queries.call(JOIN, None, JOIN_SECONDS)) is None and not self._server.is_ending:
            time.sleep(LOOK_SECONDS)
        if told is None:
            return None
        if not isinstance(told, dict):
            raise ProtocolError(f"expected the keeper's table, an object, got {type(told).__name__}")
        self._take_hosts(told)
        self._is_new = bool(told["new"])
        return [ApplicationEntry.heard(each) for each in told["applications"]]

    def _take_hosts(self, told: Asked) -> None:
        hosts = {(each["engine"], each["name"]): each for each in told["hosts"]}
        for engine, name in [place for place in self._added if place not in hosts]:
            self._remove_host({"engine": engine, "name": name})
        for each in told["removed"]:
            self._remove_host(each)
        for place, each in hosts.items():
            if place not in self._added:
                self._add_host(each)

    def _add_host(self, asked: Asked) -> None:
        source = HostSource.heard(asked)
        engine = next((each for each in self._engines() if each.name == source.engine), None)
        if engine is None:
            raise ProtocolError(f"worker [{self._role.index}] has no engine [{source.engine}]")
        host = source.make()
        self._lead(host)
        self._added[source.engine, source.name] = host
        engine.add_child(host)

    def _remove_host(self, asked: Asked) -> None:
        engine = next((each for each in self._engines() if each.name == asked["engine"]), None)
        host = None if engine is None else engine.find_child(asked["name"])
        self._added.pop((asked["engine"], asked["name"]), None)
        if engine is not None and host is not None:
            engine.remove_child(host)

    def _on_host(self, event: LifecycleEvent) -> None:
        host = event.source
        if event.type != "start" or not isinstance(host, StandardHost):
            return
        for entry in self._entries:
            if entry.host == _path_of(host) and not self._server.is_ending:
                self._take(host, entry)

    def _take(self, host: StandardHost, entry: ApplicationEntry) -> None:
        """An entry of the table of the start."""
        context = host.find_child(entry.name)
        if entry.source is None and isinstance(context, StandardContext):
            self._note(context, entry)  # it has started with its host
            if not entry.runs and context.state.available:
                context.stop()
        elif entry.runs:
            self._start(host, entry)

    def started(self) -> None:
        """The server runs: tell the keeper what does not, and follow its word from now on."""
        self._has_started.set()
        if self._is_new:
            self._refuse_unhealthy()
        self._role.queries.call(JOINED, self._failures)

    def _refuse_unhealthy(self) -> None:
        """The new version of a pool's application has to be in health before the old one goes."""
        context = self.running()
        why = "" if context is None else HealthGate(context).why_not()
        if context is not None and why:
            log.error("[%s] does not start: %s", context.name or "/", why)
            self._failures[manager_key(context).decode()] = why

    def _follow_next_keeper(self) -> Callable[[], None]:
        """Another keeper is there, which has deployed what it has found. It gets the sessions when this returns; then
        the result is called, because an application that is exchanged before would take its sessions away.
        """
        entries = self._table()
        if entries is None:
            return lambda: None
        self._role.tell_changes()
        for entry in entries:
            context = self._context(entry.key)
            if context is not None and context.state.available:
                self._role.tell(context)
        return lambda: self._catch_up(entries)

    def _catch_up(self, entries: list[ApplicationEntry]) -> None:
        """Do what the keeper that has gone may not have said."""
        with self._changing:
            known = {entry.key for entry in entries}
            for key in [key for key in self._made if key not in known]:
                self._remove({"key": key})
            for entry in entries:
                if entry.runs:
                    self._load({"entry": entry.told(), "new": False})
                else:
                    self._stop({"key": entry.key})
        try:
            self._role.queries.call(JOINED, self._failures)
        except CatalinaError as error:
            log.error("The keeper does not hear which applications run here: %s", error)

    # -- the keeper's word ---------------------------------------------------------------------------------------

    def _when_started(self, work: Callable[[Asked], object], asked: Asked) -> object:
        self._has_started.wait()
        with self._changing:
            return work(asked)

    def _load(self, asked: Asked) -> dict[str, str]:
        """Run an application as an entry says; the result has the reason why it does not."""
        entry = ApplicationEntry.heard(asked["entry"])
        if self._role.has_user:
            return self._go_on(entry)
        host = next((each for each in self._hosts() if _path_of(each) == entry.host), None)
        if host is None:
            return {"failure": f"worker [{self._role.index}] has no host [{entry.host}]"}
        context = self._context(entry.key)
        runs_here = self._place(entry)
        is_same = self._made.get(entry.key) == (entry.source, entry.files, runs_here)
        if context is not None and not runs_here and self._ends_with(context):
            return {"failure": ""}
        if context is not None and context.state.available and is_same and not asked["new"]:
            context.paused = False
            self._role.serials[entry.key] = entry.serial
            return {"failure": ""}
        modules = context.loader.loaded_once() if context is not None and runs_here else []
        if restart_instead(self._server, entry.name, modules, limited=False):
            return {"failure": "", "restarts": self._server.restart_reason}
        asks_health = bool(asked.get("asks_health"))
        if context is None:
            self._start(host, entry, asks_health)
            if self._server.restart_reason:  # the next process in this place can run it
                return {"failure": "", "restarts": self._server.restart_reason}
            if entry.key not in self._failures:
                self._awaited.pop(entry.key, None)
        elif entry.source is None or (is_same and context.state is not LifecycleState.FAILED):
            self._restart(context, entry, asks_health)
        else:
            self._replace(host, context, entry, asks_health)
        return {"failure": self._failures.get(entry.key, "")}

    def _ends_with(self, context: StandardContext) -> bool:
        """True when this is a pool's worker, and others have taken its application over while it serves: it ends soon,
        and until then the application finishes its requests here.
        """
        return self._role.runs_one and context is self._alone and context.state.available and not context.paused

    def _go_on(self, entry: ApplicationEntry) -> dict[str, str]:
        """A process with a user of its own runs what it has begun with; another version is another process."""
        context = self._context(entry.key)
        if context is not None:
            context.paused = False
        self._role.serials[entry.key] = entry.serial
        return {"failure": self._failures.get(entry.key, "")}

    def _stop(self, asked: Asked) -> None:
        """Stop an application; it stays known, so that its requests go nowhere else."""
        context = self._context(asked["key"])
        self._wait_no_more(asked["key"])
        self._role.channel.leave_alone(asked["key"].encode())
        if context is not None:
            context.paused = False
            if context.state.available:
                context.stop()

    def _remove(self, asked: Asked) -> None:
        key = asked["key"]
        context = self._context(key)
        self._wait_no_more(key)
        self._role.channel.leave_alone(key.encode())
        for known in (self._made, self._failures, self._role.serials, self._role.placements):
            known.pop(key, None)
        if context is not None:
            context.paused = False
            context.host.remove_child(context)

    def _pause(self, asked: Asked) -> None:
        """Let requests wait; returns when those that run have ended, or the context's unloadDelay is over."""
        context = self._context(asked["key"])
        if context is not None and context.state.available:
            context.paused = True
            context.in_progress.wait_idle(context.unload_delay / 1000)

    def _environment(self, _: int | None, key: str) -> dict[str, object] | None:
        context = self._context(key)
        return None if context is None else application_environment(context)

    # -- one application -----------------------------------------------------------------------------------------

    def running(self) -> StandardContext | None:
        """The first application whose code runs here; a pool's worker has one."""
        contexts = (context for context in map(self._context, self._made) if context is not None)
        return next((each for each in contexts if each.state.available and each.runs_here), None)

    def _context(self, key: str) -> StandardContext | None:
        for host in self._hosts():
            name = key.removeprefix(f"{_path_of(host)}/")
            found = host.find_child(name) if name != key else None
            if isinstance(found, StandardContext):
                return found
        return None

    def _start(self, host: StandardHost, entry: ApplicationEntry, asks_health: bool = False) -> None:
        """Make a context and start it."""
        try:
            context = self._make(host, entry)
            context.asks_health = asks_health
            host.add_child(context)
            self._note(context, entry)
        except CatalinaError as error:
            self._failures[entry.key] = str(error)
            log.error("[%s] does not start: %s", entry.name or "/", error)
        except BaseException as error:  # the listener of an application may fail in any way
            self._failures[entry.key] = describe_failure(error)
            log.exception("[%s] does not start", entry.name or "/")

    def _make(self, host: StandardHost, entry: ApplicationEntry) -> StandardContext:
        source = entry.source
        if source is None:
            raise DeploymentError(f"[{entry.name}] stands in the server.xml of the keeper and not in this worker's")
        context = make_context(host, None if source.descriptor is None else str(host.catalina_base / source.descriptor))
        give_source(context, host, source)
        directory = os.path.join(os.path.abspath(host.app_base_path), source.doc_base)
        work = os.path.join(host.work_path, context.base_name)
        modules = imports.let_go_below((directory, work)) if self._place(entry) else []
        if restart_instead(self._server, entry.name, modules):
            raise DeploymentError("the worker is restarted, and loads the application then")
        return context

    def _restart(self, context: StandardContext, entry: ApplicationEntry, asks_health: bool) -> None:
        """The same context from the same place."""
        context.asks_health = asks_health
        if context.state.available or context.paused:
            context.restart()
        else:
            try:
                context.start()
            except CatalinaError as error:
                log.error("Error starting context [%s]: %s", context.name, error)
        self._note(context, entry)

    def _replace(self, host: StandardHost, old: StandardContext, entry: ApplicationEntry, asks_health: bool) -> None:
        """Another context in the place of one. Requests wait until it serves, or the keeper puts the old one back."""
        if old.state.available:
            old.paused = True
            self._awaited[entry.key] = host, old
        else:
            old.paused = entry.key in self._awaited
        host.remove_child(old)
        self._start(host, entry, asks_health)
        new = host.find_child(entry.name)
        if new is not None and new.state.available:
            self._awaited.pop(entry.key, None)
        elif not entry.is_paused:
            self._wait_no_more(entry.key)

    def _wait_no_more(self, key: str) -> None:
        host, old = self._awaited.pop(key, (None, None))
        if host is not None:
            host.fire_container_event("unavailable", old)

    def _note(self, context: StandardContext, entry: ApplicationEntry) -> None:
        """Remember what runs, or why it does not."""
        self._made[entry.key] = (entry.source, files_of(context), context.runs_here)
        self._role.serials[entry.key] = entry.serial
        if context.state.available and context.runs_here and self._role.runs_one:
            self._alone = context
        if context.state.available:
            self._failures.pop(entry.key, None)
        else:
            self._failures[entry.key] = context.failure or "the log says why"


def _path_of(host: StandardHost) -> str:
    return f"{host.parent.name if host.parent is not None else ''}/{host.name}"
