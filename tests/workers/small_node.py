"""A keeper and workers in one process: real managers over real Unix sockets, each with an event loop of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from catalina.core.standard_engine import StandardEngine
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.reactor import Reactor
from catalina.session.standard_session import StandardSession
from catalina.tribes.channel import SEND_OPTIONS_ASYNCHRONOUS
from catalina.workers.keeper_backup_manager import KeeperBackupManager
from catalina.workers.keeper_channel import KeeperChannel
from catalina.workers.keeper_queries import KeeperQueries
from catalina.workers.lasting_memory import LastingMemory
from catalina.workers.stored_sessions import keeping_manager
from catalina.workers.worker_cluster import WorkerCluster
from catalina.workers.worker_links import WorkerLinks
from catalina.workers.worker_manager import WorkerManager
from tests.session.support import FakeContext
from tests.support.stand_in import stand_in
from tests.support.waiting import wait_until
from tests.workers.links import listening_socket

__all__ = ["KEY", "SmallKeeper", "SmallNode", "SmallWorker"]

KEY = b"Catalina/localhost/shop"


def _cluster(send_options: int) -> SimpleTcpCluster:
    cluster = SimpleTcpCluster(channel_send_options=send_options)
    cluster.container = stand_in(StandardEngine, name="Catalina")
    return cluster


class SmallKeeper:
    """One life of a keeper."""

    def __init__(self, listening: Any, awaited: int, context: Any, cluster: Any, declared: Any) -> None:
        self.reactor = Reactor("keeper")
        self.reactor.start()
        self._listening = listening.dup()
        self.links = WorkerLinks(self._listening, self.reactor, awaited)
        self.manager: Any = (
            self._in_map(context, cluster, declared) if cluster is not None else self._alone(context, declared)
        )
        self.copies: Any = self.manager.copies
        self.manager.start()
        self.links.open()

    def _alone(self, context: Any, declared: Any) -> DeltaManager:
        manager = keeping_manager(declared, self.reactor)
        manager.context = context
        _cluster(SEND_OPTIONS_ASYNCHRONOUS).register_manager(manager)
        manager.copies = self.links.add(KEY, manager)
        return manager

    def _in_map(self, context: Any, cluster: Any, declared: Any) -> KeeperBackupManager:
        manager = KeeperBackupManager(declared, self.reactor)
        manager.name = "localhost#/app"
        manager.context = context
        manager.cluster = cluster
        manager.join(self.links, KEY)
        return manager

    def read_all(self) -> None:
        """Wait until what workers have posted is read, and the round has ended."""
        for _ in range(2):
            done = threading.Event()
            self.reactor.call_soon(lambda done=done: self._read_and(done))  # type: ignore[misc]
            assert done.wait(15)

    def _read_and(self, done: threading.Event) -> None:
        for member in self.links.members:
            self.links.catch_up(member)
        self.reactor.at_round_end(done.set)

    def end(self) -> None:
        """As a process ends that is killed: sockets close, nothing is said."""
        self.reactor.stop()
        self.links.close()
        self._listening.close()


class SmallWorker:
    """One life of a worker."""

    def __init__(self, index: int, address: Any, send_options: int, context: Any, declared: Any = None) -> None:
        self.reactor = Reactor(f"worker-{index}")
        self.reactor.start()
        self.stopped = False
        self.channel = KeeperChannel(address, index, self.reactor, self._on_stop)
        self.queries = KeeperQueries(address, index, self.reactor)
        cluster = WorkerCluster(_cluster(send_options), self.channel, self.queries)
        self.manager: WorkerManager = cluster.manager_for(KEY, context, declared)
        self.channel.open()
        assert self.channel.wait_ready(15)
        self.manager.start()

    def _on_stop(self) -> None:
        self.stopped = True

    def request(self, session_id: str | None = None, **changes: object) -> StandardSession | None:
        """Do as a request: find or make the session, change it, replicate, and wait as its answer would.

        A request comes through the worker's loop, which has read by then what the keeper had sent.
        """
        was_read = threading.Event()
        self.reactor.call_soon(was_read.set)
        assert was_read.wait(15)
        session: Any = self.manager.find_session(session_id) if session_id else self.manager.create_session()
        if session is None:
            return None
        session.access()
        for name, value in changes.items():
            session.set_attribute(name, value)
        delivery = self.manager.request_completed(session, None)
        if delivery is not None:
            assert delivery.wait(15)
        session.end_access()
        found: StandardSession = session
        return found

    def pause_application(self) -> None:
        """As a reload or an exchange begins: the manager stops, and its sessions stay with this worker."""
        context: Any = self.manager.context
        context.paused = True
        self.manager.stop()

    def resume_application(self) -> None:
        """The application runs again."""
        context: Any = self.manager.context
        self.manager.start()
        context.paused = False

    def end(self) -> None:
        """As a process ends that is killed."""
        self.channel.close()
        self.queries.close()
        self.reactor.stop()


class SmallNode:
    """A keeper and so many workers.

    Args:
        cluster: with the channel of a group, whose map the keeper joins; None for a DeltaManager without a group.
        declared: makes the ``<Manager>`` of server.xml, once for each process.
        context: of the FakeContext of each process.
    """

    def __init__(
        self,
        workers: int = 2,
        send_options: int = SEND_OPTIONS_ASYNCHRONOUS,
        cluster: Any = None,
        declared: Callable[[], Any] = lambda: None,
        **context: Any,
    ) -> None:
        self.listening = listening_socket()
        self.memory = LastingMemory()
        self.cluster = cluster
        self._declared = declared
        self._context = context
        self.keeper = self._keeper(0)
        self._send_options = send_options
        self.workers = [self._worker(index) for index in range(workers)]
        wait_until(lambda: len(self.keeper.links.members) == workers, "the workers at the keeper")

    def _worker(self, index: int) -> SmallWorker:
        context = FakeContext("/shop", **self._context)
        return SmallWorker(index, self.listening.getsockname(), self._send_options, context, self._declared())

    def _keeper(self, awaited: int) -> SmallKeeper:
        context = FakeContext("/shop", **self._context)
        return SmallKeeper(self.listening, awaited, context, self.cluster, self._declared())

    def replace_worker(self, index: int) -> SmallWorker:
        """Another process in the place of a worker that is killed."""
        self.workers[index].end()
        self.workers[index] = self._worker(index)
        return self.workers[index]

    def add_worker(self, index: int | None = None) -> SmallWorker:
        """One worker more, with the next index or another one."""
        self.workers.append(self._worker(len(self.workers) if index is None else index))
        return self.workers[-1]

    def kill_keeper(self) -> None:
        self.keeper.end()

    def start_keeper(self) -> SmallKeeper:
        self.keeper = self._keeper(len(self.workers))
        return self.keeper

    def restart(self) -> None:
        """All processes end in order and are started again."""
        for worker in self.workers:
            worker.manager.stop()
            worker.end()
        wait_until(lambda: not self.keeper.links.members, "the keeper is alone")
        self.keeper.manager.stop()
        self.keeper.end()
        self.keeper = self._keeper(0)
        self.workers = [self._worker(index) for index in range(len(self.workers))]

    def close(self) -> None:
        for worker in self.workers:
            worker.end()
        self.keeper.end()
        self.listening.close()
        self.memory.close()
