"""The node's side of ``catalina deploy``, ``undeploy``, ``list`` and ``reload``; control_socket.py has the socket."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from catalina.core.node_restart import RESTARTED
from catalina.core.node_role import PoolState
from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.deploy.archive import is_archive_name, read_archive
from catalina.deploy.progress import listening
from catalina.errors import CatalinaError, DeploymentError
from catalina.ha.deploy.farm_war_deployer import FarmWarDeployer
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.startup.application_environment import application_environment
from catalina.startup.application_states import application_states
from catalina.startup.host_config import HostConfig
from catalina.startup.node_commands import NodeCommands, Outcome, columns
from catalina.startup.worker_limits import resident_bytes
from catalina.util.context_name import ContextName
from catalina.util.path_names import checked_name
from catalina.workers.shared_parts import worker_name

__all__ = ["ControlCommands", "Report", "refuse_farmed"]

#: Reports progress to the client: the current step, the amount done, and the total (0: unknown).
Report = Callable[[str, int, int], None]

_COPY_BYTES = 2**20
#: Seconds that ``check`` waits until an archive is no longer being written.
CHECK_SECONDS = 60.0
#: The number of sessions that are listed.
MOST_SESSIONS = 10_000
#: Seconds that ``deploy --farm`` watches the farm.
FARM_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class ControlCommands:
    """The verbs, each a method ``do_<verb>`` that returns the lines to print.

    Args:
        server: the running server.
    """

    server: StandardServer

    def run(self, verb: str, arguments: dict[str, Any], file: IO[bytes] | None, report: Report) -> list[str] | Outcome:
        """Carry out a client's request.

        Raises:
            CatalinaError: it cannot be carried out; the text says why.
        """
        method = getattr(self, f"do_{verb}", None) or getattr(NodeCommands(self.server), f"do_{verb}", None)
        if method is None:
            raise CatalinaError(f"no command {verb!r}")
        done: list[str] | Outcome = method(self.host(arguments.get("host")), arguments, file, report)
        return done

    def do_list(self, host: StandardHost, arguments: dict[str, Any], file: object, report: Report) -> list[str]:
        """The applications of a host: path and version, state, sessions, the workers that run it if not all do, memory
        and restarts of those of a pool, directory, and the reason when one does not run.
        """
        states = application_states(host)
        table: list[list[str]] = [
            ["PATH", *(each.name for each in states)],
            ["STATE", *(each.label for each in states)],
            ["SESSIONS", *("-" if each.sessions is None else str(each.sessions) for each in states)],
            ["DIRECTORY", *(each.directory for each in states)],
            ["REASON" if any(each.reason for each in states) else "", *(each.reason for each in states)],
        ]
        if any(each.workers is not None for each in states):
            workers = (
                "all" if each.workers is None else ",".join(map(worker_name, each.workers)) or "-" for each in states
            )
            table.insert(3, ["WORKERS", *workers])
        if any(each.pool is not None for each in states):
            pools = [each.pool for each in states]
            table.insert(4, ["MEMORY", *("-" if each is None else _memory_of(each) for each in pools)])
            table.insert(5, ["RESTARTS", *("-" if each is None else str(each.restarts) for each in pools)])
        return columns(list(zip(*table, strict=True)))

    def do_reload(self, host: StandardHost, arguments: dict[str, Any], file: object, report: Report) -> list[str]:
        """Stop and start an application; its requests wait meanwhile."""
        context = _application_of(host, arguments)
        with self._serviced(host, context.name):
            if not context.reload(by_command=True):
                return [f"{self.server.restart_reason}: {RESTARTED}"]
        self._config(host).note_outcome(context.name)
        if not context.state.available:
            raise DeploymentError(_why(f"[{context.name or '/'}] does not start again", context.failure))
        return [f"reloaded [{context.name or '/'}]"]

    def do_holds(self, host: StandardHost, arguments: dict[str, Any], file: object, report: Report) -> list[str]:
        """Each session of an application that is on this node: ``primary`` or ``backup``, and its id.

        This is for the trial group and for tests; operators use ``catalina sessions``.
        """
        context = _application_of(host, arguments)
        if context.manager is None:
            raise DeploymentError(f"[{context.name or '/'}] does not run on host {host.name}")
        manager: Any = context.manager
        held: list[Any] = [session for session in list(manager.sessions.values()) if session.alive]
        roles = {session.id: manager.serves(session) for session in held[:MOST_SESSIONS]}
        left = [f"and {len(held) - MOST_SESSIONS} more"] if len(held) > MOST_SESSIONS else []
        return [f"{'primary' if roles[key] else 'backup '}  {key}" for key in sorted(roles)] + left

    def do_check(self, host: StandardHost, arguments: dict[str, Any], file: object, report: Report) -> list[str]:
        """Handle changes of an application's files now, even without autoDeploy; for ``catalina run --reload``."""
        name = _name_of(arguments).name
        config = self._config(host)
        deadline = time.monotonic() + CHECK_SECONDS
        while True:
            with self._serviced(host, name):
                config.sources.unsettled = False
                config.check_now(name)
            if not config.sources.unsettled:
                break
            if time.monotonic() > deadline:
                raise DeploymentError(f"[{name or '/'}] is still being written after {CHECK_SECONDS:.0f} s")
            time.sleep(config.sources.settling.quiet)
        if self.server.restart_reason:
            return [f"{self.server.restart_reason}: {RESTARTED}"]
        why = config.why_not(name)
        if why:
            raise DeploymentError(_why(f"[{name or '/'}] does not start again", why))
        return [f"checked [{name or '/'}]"]

    def do_environment(self, host: StandardHost, arguments: dict[str, Any], file: object, report: Report) -> list[str]:
        """One line of JSON: variables, import path, directory and Python of an application, for ``catalina exec``."""
        context = _application_of(host, arguments)
        found = application_environment(context)
        if found is None:
            raise DeploymentError(f"[{context.name or '/'}] does not run on host {host.name}")
        return [json.dumps(found)]

    def do_undeploy(self, host: StandardHost, arguments: dict[str, Any], file: object, report: Report) -> list[str]:
        """Stop an application and delete its files; with ``farm`` on all nodes of the farm."""
        name = _name_of(arguments)
        farm = farm_of(host)
        if arguments.get("farm"):
            if farm is None:
                raise DeploymentError(f"host {host.name} has no FarmWarDeployer")
            report("undeploying", 0, 0)
            return [farm.withdraw(name.name)]
        refuse_farmed(host, name)
        self._config(host).undeploy(name.name)
        return [f"undeployed [{name.display_name}]"]

    def do_deploy(
        self, host: StandardHost, arguments: dict[str, Any], file: IO[bytes] | None, report: Report
    ) -> list[str]:
        """Put an archive into appBase, or with ``farm`` into the watched directory, and run it."""
        file_name = str(arguments.get("file", ""))
        if file is None or not is_archive_name(file_name):
            raise DeploymentError(f"{file_name!r} is no archive: expected a .whl, .war or .zip")
        checked_name(file_name, "archive", "catalina deploy")
        config = self._config(host)
        directory = host.brought.stage(str(host.app_base_path), "control")
        try:
            copy = os.path.join(directory, file_name)
            _copy(file, copy, report)
            name = _name_in(copy, file_name)
            if arguments.get("farm"):
                return _farm(host, copy, file_name, name, report)
            report("starting", 0, 0)
            with listening(report) as notes:
                good = config.install_archive(copy, file_name, name)
            if not good:
                raise DeploymentError(_why(f"[{name.display_name}] does not start", config.why_not(name.name)))
        finally:
            host.brought.end_stage(directory)
        if self.server.restart_reason:
            return [f"{self.server.restart_reason}: the node is restarted, and runs [{name.display_name}] then"]
        return [*notes, f"deployed [{name.display_name}]"]

    def host(self, name: object) -> StandardHost:
        """A host by name, the default one without. Raises CatalinaError when there is none."""
        for service in self.server.services:
            engine = service.engine
            if engine is not None:
                found = engine.find_child(str(name or engine.default_host).lower())
                if isinstance(found, StandardHost):
                    return found
        raise CatalinaError(f"no host {name or 'that is the default'}")

    @staticmethod
    def _config(host: StandardHost) -> HostConfig:
        config = HostConfig.of(host)
        if config is None:
            raise CatalinaError(f"host {host.name} has no deployment")
        return config

    @contextlib.contextmanager
    def _serviced(self, host: StandardHost, name: str) -> Iterator[None]:
        config = self._config(host)
        if not config.try_add_serviced(name):
            raise DeploymentError(f"[{name or '/'}] is being worked on")
        try:
            yield
        finally:
            config.remove_serviced(name)


def farm_of(host: StandardHost) -> FarmWarDeployer | None:
    """The host's farm, None without one."""
    cluster = host.cluster
    deployer = cluster.deployer if isinstance(cluster, SimpleTcpCluster) else None
    return deployer if isinstance(deployer, FarmWarDeployer) else None


def refuse_farmed(host: StandardHost, name: ContextName) -> None:
    """Raise DeploymentError when an application belongs to the farm, which would bring it back."""
    farm = farm_of(host)
    if farm is not None and farm.is_farmed(name.name):
        raise DeploymentError(
            f"[{name.display_name}] is an application of the farm, on all nodes: catalina undeploy --farm "
            f"{name.display_name}"
        )


def _name_of(arguments: dict[str, Any]) -> ContextName:
    path, _, version = str(arguments.get("name", "")).partition("##")
    return ContextName.of_path(path, version)


def _application_of(host: StandardHost, arguments: dict[str, Any]) -> StandardContext:
    """The application of that path and version; a path alone is enough where it has one version.

    Raises:
        DeploymentError: there is none, or the path has several.
    """
    name = _name_of(arguments)
    found = host.find_child(name.name)
    if isinstance(found, StandardContext):
        return found
    of_path = [each for each in host.children if isinstance(each, StandardContext) and each.path == name.path]
    if len(of_path) == 1 and not name.version:
        return of_path[0]
    there = f"; there is {', '.join(f'[{each.name}]' for each in of_path)}" if of_path else ""
    raise DeploymentError(f"no application [{arguments.get('name')}] on host {host.name}{there}")


def _why(what: str, reason: str) -> str:
    return f"{what}: {reason or 'the log says why'}"


def _name_in(copy: str, file_name: str) -> ContextName:
    """The context of an archive. Raises DeploymentError about the user's file, not about the copy of it."""
    try:
        return read_archive(copy).name
    except DeploymentError as error:
        raise DeploymentError(str(error).replace(copy, file_name)) from error


def _copy(source: IO[bytes], target: str, report: Report) -> None:
    size, done = os.fstat(source.fileno()).st_size, 0
    with open(target, "wb") as sink:
        while chunk := source.read(_COPY_BYTES):
            sink.write(chunk)
            done += len(chunk)
            report("copying", done, size)


def _memory_of(pool: PoolState) -> str:
    """The memory of a pool's processes together; one that ends at this moment has none."""
    used = 0
    for process in pool.processes:
        with contextlib.suppress(OSError):
            used += resident_bytes(process)
    return f"{used / 2**20:.0f} MiB"


def _farm(host: StandardHost, copy: str, file_name: str, name: ContextName, report: Report) -> list[str]:
    """Hand an archive to the host's farm, and report the progress until nothing is under way."""
    deployer = farm_of(host)
    if deployer is None or not deployer.watch_enabled:
        raise DeploymentError(f'host {host.name} has no FarmWarDeployer with watchEnabled="true"')
    begun = time.monotonic()
    before = deployer.completed(file_name)
    deployer.put(copy, file_name)
    while time.monotonic() - begun < FARM_SECONDS:
        done, total = deployer.bytes_under_way(file_name)
        report("farming", done, total)
        outcome = deployer.completed(file_name)
        if outcome is not None and outcome != before:
            if not outcome.good:
                raise DeploymentError(f"[{name.display_name}]: {outcome.text}")
            return [f"deployed [{name.display_name}]: {outcome.text}"]
        time.sleep(0.05)
    raise DeploymentError(f"[{name.display_name}] is still under way after {FARM_SECONDS:.0f} s; the log says more")
