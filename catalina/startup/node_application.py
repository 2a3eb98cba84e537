"""The arbiter: the process that the operator starts, signals and stops.

It is gunicorn's arbiter. It reads the configuration and binds the connectors' sockets, so that a bad file or a taken
port shows before anything runs. It forks the node, which is one process, or a keeper and workers, and restarts a
process that dies.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from gunicorn.systemd import sd_notify

from catalina.errors import ConfigurationError, LifecycleError
from catalina.startup.arbiter_log import ArbiterLog
from catalina.startup.keeper_need import needs_keeper
from catalina.startup.node_life import NodeLife, Stage
from catalina.startup.node_worker import NodeWorker
from catalina.startup.worker_count import worker_count
from catalina.startup.worker_limits import WorkerLimits
from catalina.workers.shared_parts import POOL_SEATS, SharedParts

if TYPE_CHECKING:
    from catalina.startup.catalina import Catalina

__all__ = ["NodeApplication"]

log = logging.getLogger("org.apache.catalina.startup.Catalina")

#: Seconds that an orderly stop may take before the node is killed. Tomcat sets no limit; the operator has ``stop
#: -force``.
STOP_SECONDS = 24 * 3600
#: A node that lived for a shorter time died of something that will happen again at once, so each restart waits longer.
SHORT_LIFE_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 10.0
#: Seconds before a pool's worker that has died is started again; the rest of the node goes on meanwhile.
POOL_AGAIN_SECONDS = 1.0
#: Seconds between two looks at a worker that is being replaced.
LOOK_SECONDS = 0.1
#: Seconds between two looks for children and signals, besides the signals themselves: the system may give a signal to
#: another thread, and the main thread learns of it only when its wait ends.
IDLE_SECONDS = 10.0


class NodeApplication(BaseApplication):  # type: ignore[misc]  # gunicorn has no type hints
    """Runs one loaded node under an arbiter.

    Args:
        catalina: loaded, not initialised.
        life, shared: of the arbiter, in the process of a worker that runs another program than it.
    """

    def __init__(self, catalina: Catalina, life: NodeLife | None = None, shared: SharedParts | None = None) -> None:
        self.catalina = catalina
        self.life = NodeLife() if life is None else life
        #: The arbiter is another program.
        self.is_executed = life is not None
        self.workers = self.life.workers if self.is_executed else worker_count(catalina.properties, os.environ)
        if catalina.server is not None:
            catalina.server.workers = self.workers
        WorkerLimits(catalina.properties, 0)  # a limit that is none is refused before anything runs
        if not self.is_executed:
            self.life.workers = self.workers
        #: The parts that keeper and workers share; None for a node in one process. Made before the first fork, or a
        #: later one, when an application has come that wants processes of its own.
        self.shared = shared
        #: The place of the process that is forked next: 0 the node or its keeper, then the workers.
        self.next_place = 0
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's settings; everything about serving is in server.xml."""
        settings = {
            "workers": 1,
            "worker_class": NodeWorker,
            "logger_class": ArbiterLog,
            "timeout": 0,  # a slow request is not a dead node, so no heartbeat watches the node
            "graceful_timeout": STOP_SECONDS,
            "control_socket_disable": True,
            "proc_name": f"catalina {self.catalina.base}",
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> None:
        """There is no WSGI application to load: the node's contexts load theirs."""

    def become(self, place: int, parent: int) -> None:
        """Be the process in a place of the node, and exit.

        Args:
            parent: process id of the arbiter.
        """
        self.next_place = place
        NodeWorker(0, parent, [], self, 0, self.cfg, ArbiterLog(self.cfg)).init_process()

    @property
    def processes(self) -> int:
        """How many processes the node begins with: one, or the keeper and the workers."""
        return 1 if self.shared is None else 1 + self.workers

    def choose_keeper(self) -> None:
        """Give the node a keeper if it needs one and has none. Before the fork of its first process, or of the one that
        follows it. Raises ConfigurationError.
        """
        server = self.catalina.server
        if self.shared is None and server is not None and (why := needs_keeper(server, self.workers)):
            self.shared = SharedParts.make(self.workers)
            log.info("The node has a keeper and [%d] workers, as %s", self.workers, why)

    def run(self) -> int:
        """Initialise, fork, and wait until the node has ended for good; returns the exit code."""
        try:
            self.catalina.init()
        except LifecycleError as error:
            log.error("%s", error, extra={"keeps_lines": True})
            return 1
        try:
            self.choose_keeper()
            self.cfg.set("workers", self.processes)
            NodeArbiter(self).run()
        except ConfigurationError as error:
            log.error("%s", error)
            return 1
        except SystemExit as ended:
            return ended.code if isinstance(ended.code, int) else 1
        return 0


class NodeArbiter(Arbiter):  # type: ignore[misc]  # gunicorn has no type hints
    """The processes of one node, and the exit codes that Tomcat's scripts know."""

    #: The keeper and the workers: for gunicorn all are workers.
    num_workers: int

    def __init__(self, app: NodeApplication) -> None:
        super().__init__(app)
        self.exit_status = 0
        self._ending = False
        self._short_lives = 0
        #: Places whose workers are to be replaced, and the place of the one that is being replaced.
        self._to_replace: deque[int] = deque()
        self._replaced: int | None = None
        #: Until when a pool's worker is not started again, by its place.
        self._not_before: dict[int, float] = {}
        #: Processes that were told to end, and not because of a fault.
        self._told: set[int] = set()
        #: systemd waits to hear that the node serves.
        self._is_to_notify = "NOTIFY_SOCKET" in os.environ

    def start(self) -> None:
        """Make no sockets: the connectors have bound theirs."""
        self._stats["start_time"] = time.time()
        self.pid = os.getpid()
        self.init_signals()

    def init_signals(self) -> None:
        """As in gunicorn, but an ignored HUP stays ignored (nohup)."""
        ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        super().init_signals()
        if ignored:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def wait_for_signals(self, timeout: float = IDLE_SECONDS) -> list[int]:
        """Sleep until a signal; gunicorn would wake up each second to check heartbeats."""
        is_waiting = self._to_replace or self._replaced is not None or self._is_to_notify or self._not_before
        timeout = LOOK_SECONDS if is_waiting else max(timeout, IDLE_SECONDS)
        signals: list[int] = super().wait_for_signals(timeout=timeout)
        return signals

    def handle_term(self) -> None:
        """Stop in order, as for INT and HUP."""
        self._end_by(signal.SIGTERM)

    def handle_int(self) -> None:
        """Stop in order, for Control-C."""
        self._end_by(signal.SIGINT)

    def handle_hup(self) -> None:
        """Replace the workers one by one, while the others serve: they load the applications anew.

        A node in one process stops in order, and so does one in a terminal, which has gone: a JVM does the same.
        """
        if self.app.shared is None or _has_terminal():
            self._end_by(signal.SIGHUP)
        log.info("The workers are replaced one by one")
        self._to_replace = deque([*range(1, self.num_workers), *self._pool_places()])

    def handle_quit(self) -> None:
        """Let the node write the stacks of its threads and continue."""
        self.kill_workers(signal.SIGQUIT)

    def handle_usr1(self) -> None:
        """The keeper wants other workers for its pools: :meth:`manage_workers` looks which."""

    def handle_usr2(self) -> None:
        """Refused: a second arbiter beside this one would be a second node with the same name on the same ports."""
        log.warning("USR2 (gunicorn's upgrade in place) is refused: two nodes of one name cannot be in the group. "
                    "HUP replaces the workers of a node that has several; else restart the node")  # fmt: skip

    def handle_winch(self) -> None:
        """Nothing to do: the size of a terminal says nothing about workers."""

    def handle_ttin(self) -> None:
        """One worker more."""
        self._add_workers(1)

    def handle_ttou(self) -> None:
        """One worker less."""
        self._add_workers(-1)

    def _add_workers(self, more: int) -> None:
        shared = self.app.shared
        workers = self.num_workers - 1 + more
        if shared is None:
            log.warning("This node is one process: workers can be added to one that has begun with at least 2")
        elif not 1 <= workers <= shared.capacity:
            log.warning("There are to be [%d] workers; this node can have 1 to [%d]", workers, shared.capacity)
        else:
            self.num_workers = 1 + workers
            self.app.life.workers = workers
            log.info("There are [%d] workers from now on", workers)

    def _end_by(self, number: signal.Signals) -> None:
        self.exit_status = 128 + number
        raise StopIteration

    def stop(self, graceful: bool = True) -> None:
        """Stop the node in order, in place of gunicorn's own way."""
        self._ending = True
        self.app.life.end()
        sd_notify("STOPPING=1\nSTATUS=Stopping", self.log)
        super().stop(True)

    def halt(self, reason: str | None = None, exit_status: int = 0) -> None:
        """Stop the node and exit; gunicorn's log does not take a stop by a signal for an error."""
        try:
            super().halt(reason, exit_status)
        except SystemExit:
            sys.exit(exit_status or self.exit_status)

    def spawn_worker(self) -> object:
        """Fork a process; what is in memory now is shared with it, so no collection may touch it there."""
        place = self.app.next_place
        self.app.life.note(Stage.STARTING, place)
        gc.collect()
        gc.freeze()
        sys.stdout.flush()
        sys.stderr.flush()
        return super().spawn_worker()

    def manage_workers(self) -> None:
        """Fork what is missing, end what is too much; a node that ends gets no new process."""
        if self.app.life.is_ending:
            return
        now = time.monotonic()
        self._not_before = {place: until for place, until in self._not_before.items() if until > now}
        if self.app.shared is None and not self.WORKERS and self.worker_age:  # the next process may need a keeper
            self.app.choose_keeper()
            self.num_workers = self.app.processes
        places = [*range(self.num_workers), *self._pool_places()]
        taken = {worker.place for worker in self.WORKERS.values()}
        for place in places:
            if place not in taken and place not in self._not_before:
                self.app.next_place = place
                self.spawn_worker()
        for pid, worker in list(self.WORKERS.items()):
            if worker.place not in places:
                self._tell_to_end(pid)
        self._replace_next()
        self._notify_when_ready()

    def _pool_places(self) -> list[int]:
        """The places of the workers of pools, as the keeper wants them."""
        life = self.app.life
        return [1 + index for number, index in enumerate(POOL_SEATS) if life.seat(number)]

    def _notify_when_ready(self) -> None:
        """Tell systemd, where it waits for it (Type=notify), that every process of the node serves."""
        stages = [self.app.life.stage(place) for place in range(self.num_workers)]
        if self._is_to_notify and all(stage is Stage.SERVING for stage in stages):
            self._is_to_notify = False
            sd_notify("READY=1\nSTATUS=Serving requests", self.log)

    def _replace_next(self) -> None:
        """End the next worker that is to be replaced, when the process that follows the last one serves."""
        pids = {worker.place: pid for pid, worker in self.WORKERS.items()}
        place = self._replaced
        if place is not None and (place < self.num_workers or place in self._pool_places()):
            has_ended = pids.get(place) not in self._told
            if not has_ended or self.app.life.stage(place) is not Stage.SERVING:
                return
        self._replaced = self._to_replace.popleft() if self._to_replace else None
        if self._replaced in pids:
            self._tell_to_end(pids[self._replaced])

    def _tell_to_end(self, pid: int) -> None:
        if pid not in self._told:
            self._told.add(pid)
            self.kill_worker(pid, signal.SIGTERM)

    def reap_workers(self) -> None:
        """A process has ended: exit with the node, or restart it.

        Raises:
            StopIteration: the shutdown command ended it.
            HaltServer: the node could not start.
        """
        while (ended := _ended_child()) is not None:
            pid, code = ended
            worker = self.WORKERS.pop(pid, None)
            if worker is not None:  # as process 1 of a container, it also reaps orphans of others
                worker.tmp.close()
                if not self._ending:
                    self._after(pid, code, worker)

    def _after(self, pid: int, code: int, worker: NodeWorker) -> None:
        life, place = self.app.life, worker.place
        is_pool = place - 1 in POOL_SEATS
        if self.app.shared is not None and place > 0 and not is_pool:
            self.app.shared.counts.ended(place - 1)
        stage: Stage = life.stage(place)
        name = worker.describe()
        if stage is Stage.STOPPED and code == 0 and place == 0:
            raise StopIteration
        if stage is Stage.FAILED and not is_pool:
            raise HaltServer(f"{name} did not start", 1)
        was_told = pid in self._told
        self._told.discard(pid)
        if life.is_ending:
            return
        if was_told and stage is Stage.STOPPED:
            log.info("%s (process %d) has ended, as it was told to", name, pid)
            return
        if stage is Stage.RESTARTING or (stage is Stage.STOPPED and code == 0):
            log.info("%s (process %d) has ended to be started again", name, pid)
            return
        if is_pool and stage is Stage.STARTING and not was_told:
            life.note(Stage.FAILED, place)  # the keeper waits for it
        died_of = f"signal {-code}" if code < 0 else f"exit code {code}"
        log.error("%s (process %d) has ended by %s; it is started again", name, pid, died_of)
        if is_pool:
            self._not_before[place] = time.monotonic() + POOL_AGAIN_SECONDS
        else:
            self._wait_if_short_lived(worker.born)

    def _wait_if_short_lived(self, born: float) -> None:
        if time.monotonic() - born > SHORT_LIFE_SECONDS:
            self._short_lives = 0
            return
        self._short_lives += 1
        if self._short_lives > 1:
            time.sleep(min(LONGEST_WAIT_SECONDS, 0.1 * 2**self._short_lives))


def _has_terminal() -> bool:
    """True when this process belongs to a terminal, and a HUP means that it goes (tty(4))."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _ended_child() -> tuple[int, int] | None:
    """Process id and exit code (minus the signal) of an ended child, None when there is none."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, os.waitstatus_to_exitcode(status)) if pid else None
