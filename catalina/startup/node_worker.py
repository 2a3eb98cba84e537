"""The worker process: the node itself.

The arbiter has loaded and initialised the tree of components, and the connectors have bound their listening sockets.
The worker takes both over, starts the tree, and stops it when a signal or a command says so.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar

from gunicorn.workers.base import Worker

from catalina.core.standard_host import StandardHost
from catalina.errors import CatalinaError
from catalina.juli.class_loader_log_manager import close_logging
from catalina.startup.application_states import application_states
from catalina.startup.executed_worker import HELD_SIGNALS, execute, own_python, tell_failure
from catalina.startup.node_life import Stage
from catalina.startup.node_parts import Keeper, NodePart, WholeNode, WorkerPart
from catalina.startup.pool_guard import PoolGuard
from catalina.startup.pool_launch import PoolLaunch
from catalina.startup.process_control import BOOT_FAILED, die_with_parent, name_process
from catalina.workers.keeper_queries import KeeperQueries
from catalina.workers.services import LAUNCH
from catalina.workers.shared_parts import POOL_SEATS, worker_name

if TYPE_CHECKING:
    from catalina.core.standard_server import StandardServer
    from catalina.startup.catalina import Catalina
    from catalina.workers.shared_parts import SharedParts

__all__ = ["NodeWorker"]

log = logging.getLogger("org.apache.catalina.startup.Catalina")

#: Exit codes: the shutdown command ended the node, or the node could not start. A signal gives 128 and its number. The
#: arbiter decides by the stage that the node wrote (``node_life.py``), because an application may choose any exit code.
STOPPED = 0
#: The event loop is dead (sysexits.h: EX_SOFTWARE); the arbiter starts another node.
LOOP_DEAD = 70

#: Property that names a file. ``catalina.sh start`` waits until the node has written into this file that it serves.
START_REPORT = "catalina.startReport"

#: Property: the node serves for this number of seconds after the request to stop.
DRAIN_SECONDS = "catalina.drainSeconds"

#: Signals that come closer together than this number of seconds count as one request to stop: a terminal or an init
#: system signals the whole process group, and the arbiter then signals the node too.
ONE_WORD_SECONDS = 1.0

#: Seconds of one question of a process that is to be a pool's, and between two.
LOOK_SECONDS = 2.0
WAIT_SECONDS = 0.05


class NodeWorker(Worker):  # type: ignore[misc]  # gunicorn has no type hints
    """gunicorn's worker, reduced to start and end: the connectors do the serving."""

    #: Signals that stop the node in order. QUIT writes the stacks of all threads and the node goes on, as a JVM does.
    STOP_SIGNALS: ClassVar[tuple[signal.Signals, ...]] = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

    app: Any

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        #: 0 for the node or its keeper, 1 for worker 0 and so on.
        self.place: int = self.app.next_place
        self.born = time.monotonic()
        self._stopped_by: int | None = None
        self._told_at = 0.0
        self._hurry = threading.Event()

    @property
    def catalina(self) -> Catalina:
        """The node that the arbiter has loaded."""
        node: Catalina = self.app.catalina
        return node

    def init_process(self) -> None:
        """Become the node: called in the child, right after the fork."""
        die_with_parent(self.ppid)
        if self.app.shared is not None:
            name_process("catalina-keeper" if self.place == 0 else _process_name(self.place - 1))
        self.init_signals()
        self.booted = True
        if self.app.is_executed:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_SIGNALS)
        elif self.place - 1 in POOL_SEATS:
            self._run_own_python()
        sys.exit(self._live())

    def _run_own_python(self) -> None:
        """Execute the Python of a pool's application, if it has one; this returns when it has none, or the node ends.

        Raises:
            SystemExit: it cannot be executed.
        """
        server, shared = self.catalina.server, self.app.shared
        if server is None or shared is None:
            return
        address, index = shared.listening.getsockname(), self.place - 1
        python = own_python(address, index, lambda: server.is_ending)
        if python is None:
            return
        try:
            execute(self.catalina, self.app.life, shared, self.place, self.ppid, python)
        except OSError as error:
            why = f"cannot run [{python.program}]: {error.strerror}"
            log.error("%s %s", self.describe(), why)
            tell_failure(address, index, f"its process {why}")
            sys.exit(BOOT_FAILED)

    def init_signals(self) -> None:
        """Signals as a JVM treats them; an ignored HUP stays ignored (nohup)."""
        for number in self.SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        for number in self.STOP_SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_stop_signal)
        faulthandler.register(signal.SIGQUIT, file=sys.stdout, all_threads=True)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)

    def _on_stop_signal(self, number: int, _: FrameType | None) -> None:
        now = time.monotonic()
        if self._stopped_by is None:
            self._stopped_by, self._told_at = number, now
        elif now - self._told_at > ONE_WORD_SECONDS:
            self._hurry.set()  # the second request to stop ends the wait for load balancers
        server = self.catalina.server
        if server is not None:
            server.stop_await()

    def _drain(self) -> None:
        """Go on serving for a while, but fail health checks, so that load balancers take this node out before it stops.

        The property ``catalina.drainSeconds`` says how long; without it the node stops at once, as Tomcat does.
        """
        catalina = self.catalina
        text = catalina.properties.get(DRAIN_SECONDS, "0")
        server = catalina.server
        if server is None or not text.isdecimal() or int(text) == 0:
            return
        if server.role is not None and server.role.others_serve:
            return  # the node goes on, or this is its keeper, whose workers have drained
        log.info("Draining for [%s] seconds: health checks fail, requests are still served", text)
        server.drain_connectors(True)
        self._hurry.wait(int(text))

    def _live(self) -> int:
        """Start, serve and stop the node; return the exit code."""
        catalina = self.catalina
        server = catalina.server
        if server is None:
            raise RuntimeError("the arbiter forked before it loaded the configuration")
        launch = self._launch(server)
        if launch is not None and self.app.shared is not None:
            return self._guard(launch, self.app.shared)
        server.reactor.on_dead = _end_at_once
        server.restarter = lambda limited: not limited or self.app.life.grant_restart(time.monotonic())
        server.reactor.start()
        part = self._part(server)
        if not part.before_start():
            return self._end(Stage.STOPPED)
        try:
            catalina.start()
        except CatalinaError:
            self.app.life.note(Stage.FAILED, self.place)
            return BOOT_FAILED  # start() has logged why
        part.after_start()
        self.app.life.note(Stage.SERVING, self.place)
        if part.reports:
            _report_start(server, catalina.properties.get(START_REPORT, ""))
        # All objects that live now live as long as the node, so no later collection has to visit them.
        gc.collect()
        gc.freeze()
        try:
            catalina.await_shutdown()
            part.before_stop()
            self._drain()
        finally:
            catalina.stop()
            part.after_stop()
            server.reactor.stop()
            close_logging()
            logging.shutdown()
        return self._end(Stage.RESTARTING if server.restart_reason else Stage.STOPPED)

    def _end(self, stage: Stage) -> int:
        self.app.life.note(stage, self.place)
        return STOPPED if self._stopped_by is None else 128 + self._stopped_by

    def describe(self) -> str:
        """The process, for the log."""
        if self.app.shared is None:
            return "The node"
        return "The keeper" if self.place == 0 else f"Worker [{worker_name(self.place - 1)}]"

    def _part(self, server: StandardServer) -> NodePart:
        """The part of the node that this process is."""
        shared, life = self.app.shared, self.app.life
        if shared is None:
            return WholeNode()
        if self.place == 0:
            return Keeper(server, self.catalina.root, shared, life, self.app.workers)
        shared.memory.close()  # it has passwords of logins, and applications run here
        return WorkerPart(server, shared.for_worker(), life, self.place - 1)

    def _launch(self, server: StandardServer) -> PoolLaunch | None:
        """The launch of the process that shall be here, if it has a user of its own; the keeper says so. None for
        every other process of the node, and when this one is told to end.
        """
        shared, index = self.app.shared, self.place - 1
        if shared is None or index not in POOL_SEATS:
            return None
        queries = KeeperQueries(shared.listening.getsockname(), index, server.reactor)
        try:
            while self._stopped_by is None:
                try:
                    told = queries.call(LAUNCH, None, LOOK_SECONDS)
                except CatalinaError as error:  # the keeper is not so far yet, or has given this place up
                    log.debug("Worker [%s] waits for the keeper: %s", worker_name(index), error)
                    time.sleep(WAIT_SECONDS)
                else:
                    return None if told is None else PoolLaunch.heard(told)
        finally:
            queries.close()
        return None

    def _guard(self, launch: PoolLaunch, shared: SharedParts) -> int:
        """Stay beside the process that runs as another user; returns the exit code."""
        index = self.place - 1
        name = worker_name(index)
        name_process(f"catalina-g{name}")
        temporary = Path(self.catalina.properties["java.io.tmpdir"])
        guard = PoolGuard(launch, self.app.life, self.place, index, temporary)
        try:
            return guard.run(shared.listening.getsockname(), shared.pairs[index][0].fileno(), name)
        finally:
            close_logging()
            logging.shutdown()


def _process_name(index: int) -> str:
    name = worker_name(index)
    return f"catalina-w{name}" if name.isdecimal() else f"catalina-{name}"


def _end_at_once(reason: str) -> None:
    """End this process without the usual stop: no thread serves the loop any more. The arbiter starts a new node."""
    log.critical("This node cannot go on and ends: %s", reason)
    faulthandler.dump_traceback(file=sys.stdout, all_threads=True)
    logging.shutdown()
    os._exit(LOOP_DEAD)


def _report_start(server: StandardServer, path: str) -> None:
    """Tell ``catalina.sh start`` that the node serves: the script's exit code, then a line for each part that does not.

    The script makes the file. It removes the file when it has waited long enough; this function then writes nothing.
    """
    if not path or not os.path.exists(path):
        return
    connectors = [connector for service in server.services for connector in service.connectors]
    silent = [connector for connector in connectors if not connector.state.available]
    lines = [str(1 if connectors and len(silent) == len(connectors) else 0)]
    lines += [f"{connector} is not in service" for connector in silent]
    lines += [
        f"Application [{state.name}] of host [{host.name}] is not in service" + (state.reason and f": {state.reason}")
        for service in server.services
        for host in (service.engine.children if service.engine is not None else ())
        if isinstance(host, StandardHost)
        for state in application_states(host)
        if not state.runs
    ]
    with open(path, "a", encoding="utf-8") as report:
        report.write("\n".join(lines) + "\n")
