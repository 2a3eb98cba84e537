"""The keeper's word to its workers about applications: which to load, stop and exchange; and about hosts.

The keeper alone looks at files, unpacks, moves and deletes them. Its contexts stand for the applications: when one
starts, it is loaded in the workers, one after the other; when it does not start in the first, the others go on with
what they have, and the keeper's context has failed with that worker's reason.

Invariant: a worker that has joined has been told of every change since, or is being told; one that joins gets the table
as it is. So a worker that is replaced in the middle of a change has the state before it and the change, or the state
after it. While the files of an application are being changed, its requests wait: a worker that would join then waits,
too, because it could neither load the application nor let requests wait for it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from catalina.core.node_role import PoolState
from catalina.core.standard_context import StandardContext
from catalina.errors import CatalinaError, DeploymentError
from catalina.loader.own_packages import pool_reason
from catalina.util.context_name import ContextName
from catalina.workers.application_entry import (
    ApplicationEntry,
    ContextSource,
    application_key,
    files_of,
    manager_key,
    own_descriptor,
)
from catalina.workers.frames import CallError
from catalina.workers.node_hosts import NodeHosts
from catalina.workers.peers import process_of
from catalina.workers.placements import Placements
from catalina.workers.pool_account import account_of
from catalina.workers.pool_rights import PoolRights
from catalina.workers.pools import Pools, Seats, warn_of_walls
from catalina.workers.services import DISTRIBUTABLE, JOIN, JOINED, KNOWS_SESSION, RELOAD, REPLACE_ME, SEAT, SEAT_FAILED
from catalina.workers.shared_parts import worker_name

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost
    from catalina.core.standard_server import StandardServer
    from catalina.tribes.member import Member
    from catalina.workers.lasting_memory import LastingMemory
    from catalina.workers.pool_account import PoolAccount
    from catalina.workers.worker_links import WorkerLinks

__all__ = ["Followers"]

log = logging.getLogger("org.apache.catalina.workers.Followers")

#: Seconds between two looks whether the node ends while a worker loads an application.
LOOK_SECONDS = 0.5
#: Seconds that the keeper waits for the process that comes in the place of a worker that had to be restarted.
RESTART_SECONDS = 60.0
#: Seconds that a worker with a user of its own may take for an answer: it may never give one.
OWN_USER_SECONDS = 120.0
#: Characters of a reason that a worker gives.
MAX_REASON = 4000


class Followers:
    """The workers, as those who run what the keeper deploys.

    Args:
        declared: the contexts of server.xml, which workers have by themselves.
        count: how many workers the node is to have.
        seats: of the workers of pools.
        memory: what the next keeper needs to know.
        started: called when an application starts, or has gone, while workers are there.
    """

    def __init__(
        self,
        links: WorkerLinks,
        server: StandardServer,
        declared: set[StandardContext],
        count: Callable[[], int],
        seats: Seats,
        memory: LastingMemory,
        started: Callable[[StandardContext], None],
    ) -> None:
        self._links = links
        self._started = started
        #: Guarded by ``_changing``.
        self._placements = Placements(count, memory.section("placements"))
        #: How many workers the node is to have.
        self._count = count
        #: The keys of the applications that were deployed from files.
        self._deployed = memory.section("deployed")
        self.hosts = NodeHosts(memory.section("hosts"))
        self._server = server
        self._declared = declared
        #: One change at a time. Held while workers load.
        self._changing = threading.RLock()
        #: Guards what follows; never held while waiting for a worker.
        self._table = threading.Condition()
        self._entries: dict[str, ApplicationEntry] = {}
        self._contexts: dict[str, StandardContext] = {}
        #: The key of the paused application whose files are there again, and which is being loaded; empty for none.
        self._loaded = ""
        self._processes: dict[int, int] = {}  # the last one in each worker's place
        #: Workers that have the table.
        self._joined: list[Member] = []
        #: Reasons of applications that did not start with a worker, by worker; of those that have started.
        self._failures: dict[Member, dict[str, str]] = {}
        self._pools = Pools(seats, self._table, self._indexes, self._outcome, lambda: server.is_ending)
        #: The applications whose pools go on with what they run, because what was to follow does not start.
        self._kept: set[str] = set()
        #: The applications that serve on while another version is started.
        self._exchanged: set[str] = set()
        #: One fact about an application at a time.
        self._facts = threading.Lock()
        links.services.add(SEAT, self._seat, is_quick=True)
        links.services.add(SEAT_FAILED, self._seat_failed)
        #: Called before an application gets a pool; the account of its user, None for one that runs as the server does.
        self.prepare: Callable[[StandardContext], PoolAccount | None] = account_of
        links.rights = PoolRights(self.application_of)
        self._offer(links)
        links.on_lost.append(self._on_lost)

    def _offer(self, links: WorkerLinks) -> None:
        """Offer the services that workers call."""
        links.services.add(JOIN, self._join, is_quick=True)
        links.services.add(JOINED, self._note_start, is_quick=True)
        links.services.add(DISTRIBUTABLE, self._learn)
        links.services.add(RELOAD, self._reload)
        links.services.add(REPLACE_ME, self._replace_me)
        links.services.add(KNOWS_SESSION, self._knows_session)

    # -- as contexts see it: Elsewhere ---------------------------------------------------------------------------

    def start(self, context: StandardContext) -> None:
        """See :class:`Elsewhere`."""
        key = manager_key(context).decode()
        source = None if context in self._declared else ContextSource.of(context)
        with self._changing:
            with self._table:
                old = self._entries.get(key)
                self._contexts[key] = context
            if old is not None and key in self._kept:
                self._kept.discard(key)
                return
            files = files_of(context)
            if old is not None and key in self._exchanged and old.runs and (old.source, old.files) == (source, files):
                return
            if self._links.is_open:  # a keeper that begins may follow one, and does then again what was done
                self._started(context)
            if source is not None:
                self._deployed.put(key, True)
            serial = 1 if old is None else old.serial + 1
            waits = old is not None and old.is_paused
            entry = ApplicationEntry(context.host_path, context.name, files, serial, True, waits, source)
            entry = replace(entry, python=context.loader.own_python)
            with self._table:
                self._loaded = key
            try:
                entry = replace(entry, workers=self._workers_for(context, entry, old))
                with self._table:
                    self._entries[key] = entry
                    present = self._present()
                self._load(entry, present, asks_health=context.asks_health and not entry.seats)
            except DeploymentError:
                self._remember_pool(entry, old)
                raise
            finally:
                with self._table:
                    self._loaded = ""
            self._change(key, is_paused=False)
            self._pools.free(set(old.seats if old is not None else ()) - set(entry.seats))
            with self._table:
                pooled = [
                    each for key, each in self._contexts.items() if key in self._entries and self._entries[key].seats
                ]
            warn_of_walls(context, [each for each in pooled if each.host is context.host])

    def _remember_pool(self, entry: ApplicationEntry, old: ApplicationEntry | None) -> None:
        """An application does not start. The pool that it had stays in the table, so that it can go on, or be freed."""
        if old is not None and old.seats:
            with self._table:
                self._entries[entry.key] = old
            self._pools.free(set(entry.seats) - set(old.seats))

    def _workers_for(
        self, context: StandardContext, entry: ApplicationEntry, old: ApplicationEntry | None
    ) -> tuple[int, ...] | None:
        """Choose the workers that run an application. Those of a pool have started it when this returns.

        Raises:
            DeploymentError: it does not start in a pool of its own.
        """
        count = context.workers or self._count()
        wanted = pool_reason(context)
        if (
            wanted
            and context.isolation == "auto"
            and context.user is None
            and not self._pools.has_room(entry.key, count)
        ):
            log.warning("[%s] There are too few seats for workers of pools: it shares the node's workers",
                        entry.name or "/")  # fmt: skip
            wanted = ""
        if not wanted:
            context.warn_without_pool()
            return self._placements.choose(entry.key, context.workers)
        self._placements.forget(entry.key)
        log.info("[%s] has [%d] processes of its own, because of %s", entry.name or "/", count, wanted)
        account = self.prepare(context)
        before = self._links.rights.accounts.get(entry.key)
        self._note_account(entry.key, account)
        try:
            return self._pools.choose(entry, old, count, has_workers=self._links.is_open)
        except BaseException:
            self._note_account(entry.key, before)  # the processes that go on have the user that they had
            raise

    def _note_account(self, key: str, account: PoolAccount | None) -> None:
        accounts = self._links.rights.accounts
        if account is None:
            accounts.pop(key, None)
        else:
            accounts[key] = account

    def _load(self, entry: ApplicationEntry, present: list[Member], *, asks_health: bool) -> None:
        """Load an application in its workers, then tell the others who runs it."""
        runs, gone = 0, 0
        # Whoever waits, and runs what is there already, need not load it again; nor need the new workers of a pool.
        argument = {"entry": entry.told(), "new": not entry.is_paused and not entry.seats}
        workers = [worker for worker in present if entry.runs_in(_index(worker)) and self._hears(worker, entry.key)]
        for worker in workers:
            asks = asks_health and not runs  # the first answers for all
            result: Any = self._call(worker, "load", {**argument, "asks_health": asks})
            if result is not None and result.get("restarts"):
                result = self._restarted(worker, entry.key)
            if result is None:
                gone += 1
            elif not result["failure"]:
                self._note_outcome(worker, entry.key, "")
                runs += 1
            elif runs:
                self._note_outcome(worker, entry.key, result["failure"])
                log.error("[%s] does not start in worker [%d], and runs in others: %s",
                          entry.name or "/", _index(worker), result["failure"])  # fmt: skip
            else:
                self._change(entry.key, runs=False)
                raise DeploymentError(str(result["failure"]))
        if gone and gone == len(workers):
            self._change(entry.key, runs=False)
            raise DeploymentError(f"{entry.name or '/'}: every worker has ended while it started the application")
        for worker in present:
            if worker not in workers:
                self._tell(worker, "load", argument, entry.key)

    def _hears(self, worker: Member, key: str) -> bool:
        """False for a worker with a user of its own, whose application is another one."""
        rights = self._links.rights
        return not rights.has_user(worker) or rights.key_of(worker) == key

    def _tell(self, worker: Member, service: str, argument: object, key: str) -> object:
        """Tell a worker what happens to an application, unless that is not its business."""
        return self._call(worker, service, argument) if self._hears(worker, key) else None

    def _note_outcome(self, worker: Member, key: str, why: str) -> None:
        with self._table:
            failures = self._failures.get(worker)
            if failures is not None:
                failures.pop(key, None)
                failures.update({key: why} if why else {})

    def is_paused(self, context: StandardContext) -> bool:
        """See :class:`Elsewhere`."""
        with self._table:
            key = manager_key(context).decode()
            entry = self._entries.get(key)
            return key in self._exchanged or (entry is not None and entry.is_paused)

    def stop(self, context: StandardContext) -> None:
        """See :class:`Elsewhere`."""
        key = manager_key(context).decode()
        with self._changing:
            if not self.is_paused(context):
                for worker in self._change(key, runs=False):
                    self._tell(worker, "stop", {"key": key}, key)
                self._free_pool(key)

    def _free_pool(self, key: str) -> None:
        """Let the processes of an application's pool end, if it has one."""
        with self._table:
            entry = self._entries.get(key)
            if entry is None or not entry.seats:
                return
            self._entries[key] = replace(entry, workers=())
        self._pools.free(entry.seats)

    def keeps(self, context: StandardContext) -> bool:
        """See :class:`Elsewhere`."""
        key = manager_key(context).decode()
        with self._changing:
            entry = self._entries.get(key)
            if entry is None or not entry.runs or entry.is_paused or not entry.seats:
                return False
            self._kept.add(key)
            return True

    def remove(self, context: StandardContext) -> None:
        """See :class:`Elsewhere`."""
        with self._changing:
            if not self.is_paused(context):
                self._remove(manager_key(context).decode())

    def _remove(self, key: str) -> None:
        with self._changing:
            self._placements.forget(key)
            self._kept.discard(key)
            with self._table:
                entry = self._entries.pop(key, None)
                context = self._contexts.pop(key, None)
                workers = self._present()
            self._deployed.put(key, None)
            if context is not None:
                self._started(context)
            for worker in workers:
                self._tell(worker, "remove", {"key": key}, key)
            self._links.rights.accounts.pop(key, None)
            if entry is not None:
                self._pools.forget(entry)

    def pause(self, context: StandardContext) -> None:
        """See :class:`Elsewhere`."""
        key = manager_key(context).decode()
        with self._changing:
            for worker in self._change(key, is_paused=True):
                self._tell(worker, "pause", {"key": key}, key)

    def begin_exchange(self, context: StandardContext) -> None:
        """See :class:`Elsewhere`."""
        with self._changing, self._table:
            self._exchanged.add(manager_key(context).decode())

    def resume(self, host: StandardHost, name: str) -> None:
        """See :class:`Elsewhere`."""
        engine = host.parent
        key = application_key(f"{engine.name if engine is not None else ''}/{host.name}", name)
        context = host.find_child(name)
        with self._changing:
            with self._table:
                self._exchanged.discard(key)
            if not isinstance(context, StandardContext):
                self._remove(key)
            elif not context.state.available:
                self._change(key, is_paused=False)
                self.stop(context)

    def add_host(self, host: StandardHost) -> None:
        """See :class:`Elsewhere`."""
        with self._changing:
            with self._table:
                source = self.hosts.add(host)
                workers = self._present()
            for worker in workers:
                self._tell(worker, "add-host", source, "")

    def remove_host(self, engine: str, name: str) -> None:
        """See :class:`Elsewhere`."""
        with self._changing:
            with self._table:
                host = self.hosts.remove(engine, name)
                workers = self._present()
            for worker in workers:
                self._tell(worker, "remove-host", host, "")

    def _change(self, key: str, *, runs: bool | None = None, is_paused: bool | None = None) -> list[Member]:
        """Change an entry; the workers that have to hear of it."""
        with self._table:
            entry = self._entries.get(key)
            if entry is None:
                return []
            runs = entry.runs if runs is None else runs
            is_paused = entry.is_paused if is_paused is None else is_paused
            self._entries[key] = replace(entry, runs=runs, is_paused=is_paused)
            return self._present()

    # -- workers -------------------------------------------------------------------------------------------------

    def _present(self) -> list[Member]:
        present = self._links.members
        self._joined = [worker for worker in self._joined if worker in present]
        return list(self._joined)

    def workers(self) -> list[Member]:
        """Those who follow, in the order of their numbers. Any thread."""
        with self._table:
            return sorted(self._present(), key=_index)

    def context(self, key: str) -> StandardContext | None:
        """The keeper's context of an application, None for an unknown one. Any thread."""
        with self._table:
            return self._contexts.get(key)

    def ask_all(self, service: str, argument: object = None) -> dict[int, Any]:
        """The results of a service of every worker, by its number. One that has gone, or fails, is left out, and so is
        one with a user of its own: nothing that it says about the node is believed.
        """
        results = ((worker, self._tell(worker, service, argument, "")) for worker in self.workers())
        return {_index(worker): result for worker, result in results if result is not None}

    def _call(self, worker: Member, service: str, argument: object) -> object:
        """Call a service and wait for its result; None when the worker has gone."""
        done: Future[Any] = Future()
        reactor = self._server.reactor
        reactor.call_soon(lambda: _follow(self._links.call(worker, service, argument), done))
        if reactor.in_runner:
            with reactor.blocking():
                return self._wait(done, worker, service)
        return self._wait(done, worker, service)

    def _wait(self, done: Future[Any], worker: Member, service: str) -> object:
        deadline = time.monotonic() + OWN_USER_SECONDS
        while True:
            try:
                return done.result(LOOK_SECONDS)
            except TimeoutError:
                if self._server.is_ending and worker not in self._links.members:
                    return None
                if time.monotonic() > deadline and self._links.rights.has_user(worker):
                    log.warning("Worker [%s] has not answered [%s] within %g s", worker_name(_index(worker)), service,
                                OWN_USER_SECONDS)  # fmt: skip
                    return None
            except CallError as error:
                level = logging.WARNING if worker in self._links.members else logging.DEBUG
                log.log(level, "Worker [%d], [%s]: %s", _index(worker), service, error)
                return None

    def _restarted(self, worker: Member, key: str) -> dict[str, Any] | None:
        """The outcome of an application in the process that comes after a worker; None when none comes in time."""

        def next_one() -> Member | None:
            present = self._present()
            others = (each for each in self._failures if each != worker and _index(each) == _index(worker))
            return next((each for each in others if each in present), None)

        with self._table:
            self._table.wait_for(lambda: next_one() is not None or self._server.is_ending, RESTART_SECONDS)
            found = next_one()
            return None if found is None else {"failure": self._failures[found].get(key, "")}

    def workers_of(self, context: StandardContext) -> tuple[int, ...] | None:
        """See :class:`Elsewhere`."""
        with self._table:
            entry = self._entries.get(manager_key(context).decode())
            return None if entry is None else entry.workers

    def pool_of(self, context: StandardContext) -> PoolState | None:
        """See :class:`Elsewhere`."""
        with self._table:
            entry = self._entries.get(manager_key(context).decode())
            if entry is None or not entry.seats:
                return None
            processes = tuple(process_of(worker) for worker in self._present() if entry.runs_in(_index(worker)))
        return PoolState(processes, self._pools.restarts(entry.key))

    def application_of(self, index: int) -> str | None:
        """The key of the application that a pool's worker runs; None for a worker of no pool. Any thread."""
        with self._table:
            starting = self._pools.starting
            if starting is not None and index in (starting.workers or ()):
                return starting.key
            return next((entry.key for entry in self._entries.values() if index in entry.seats), None)

    def earlier(self, host: StandardHost) -> list[str]:
        """See :class:`Elsewhere`."""
        prefix = application_key(f"{host.parent.name if host.parent is not None else ''}/{host.name}", "")
        return [key.removeprefix(prefix) for key in self._deployed.items() if key.startswith(prefix)]

    def opened(self) -> None:
        """Everything is deployed: what an earlier keeper had besides has gone, and its seats are free."""
        with self._table:
            for key in self._deployed.items():
                if key not in self._entries:
                    self._deployed.put(key, None)
            self._pools.free_others(index for entry in self._entries.values() for index in entry.seats)

    def _indexes(self) -> set[int]:
        """The workers that are there: one that has closed its link, and has not ended yet, still has its place."""
        linked = {_index(worker) for worker in self._links.members}
        return linked | {index for index, process in list(self._processes.items()) if _is_there(process)}

    def _outcome(self, index: int, key: str) -> str | None:
        """Why an application does not run in a worker, empty when it does; None before it has said so."""
        present = self._links.members
        found = (why for worker, why in self._failures.items() if _index(worker) == index and worker in present)
        failures = next(found, None)
        return None if failures is None else failures.get(key, "")

    def _replace_me(self, caller: int | None, why: str) -> None:
        """A pool's worker has had enough: another one takes its place as soon as it has started the application."""
        if caller is None:
            raise CatalinaError("a process that is no worker has asked for another in its place")
        with self._changing:
            with self._table:
                entries = list(self._entries.values())
            entry = self._pools.replace_worker(entries, caller, str(why)[:MAX_REASON])
            with self._table:
                self._entries[entry.key] = entry
                present = self._present()
            for worker in present:
                if _index(worker) != caller:
                    self._tell(worker, "load", {"entry": entry.told(), "new": False}, entry.key)
            self._pools.free([caller])

    def _on_lost(self, index: int) -> None:
        """A worker has gone. In the runner."""
        self._pools.lost(index)
        if not self._server.is_ending:
            self._server.reactor.submit(self._move_applications)

    def _move_applications(self) -> None:
        """Find other workers for the applications of those that the node is no longer to have."""
        with self._changing:
            for key in self._placements.without_worker():
                with self._table:
                    context, old = self._contexts[key], self._entries[key]
                    chosen = self._placements.choose(key, context.workers)
                    entry = self._entries[key] = replace(old, workers=chosen)
                    present = self._present()
                argument = {"entry": entry.told(), "new": False}
                for worker in sorted(present, key=lambda each: not entry.runs_in(_index(each))):
                    self._tell(worker, "load", argument, key)

    # -- services ------------------------------------------------------------------------------------------------

    def _join(self, caller: int | None, _: object) -> dict[str, Any] | None:
        """A worker gets the table, and hears of changes from now on; None while files are being changed."""
        with self._table:
            if any(entry.is_paused and key != self._loaded for key, entry in self._entries.items()):
                return None
            worker = _newest(self._links.members, caller)
            if worker is None:
                raise CatalinaError(f"worker [{caller}] has no link to the keeper")
            if worker not in self._joined:
                self._joined.append(worker)
            self._processes[_index(worker)] = process_of(worker)
            entries = dict(self._entries)
            starting = self._pools.starting
            is_new = False
            hosts = self.hosts.told()
            if starting is not None and _index(worker) in (starting.workers or ()):
                entries[starting.key] = starting
                is_new = starting.key == self._loaded
            if self._links.rights.has_user(worker):
                own = self._links.rights.key_of(worker)
                entries = {key: _below_own_base(entry) for key, entry in entries.items() if key == own}
                hosts = {"hosts": [], "removed": []}
            return {
                **hosts,
                "new": is_new,
                "applications": [replace(entry, is_paused=False).told() for entry in entries.values()],
            }

    def _seat(self, caller: int | None, _: object) -> dict[str, Any] | None:
        """The process of a pool's worker asks what it shall run; None while no application has its seat."""
        with self._table:
            starting = self._pools.starting
            entries = [*([] if starting is None else [starting]), *self._entries.values()]
            found = next((entry for entry in entries if caller in entry.seats), None)
        return None if found is None else {"python": found.told()["python"]}

    def _seat_failed(self, caller: int | None, why: str) -> None:
        """The process in a seat cannot begin. An application that runs in no other worker has failed."""
        if caller is None or self._pools.cannot_begin(caller, why):
            return
        with self._changing:
            with self._table:
                entry = next((entry for entry in self._entries.values() if caller in entry.seats), None)
                if entry is None or any(self._outcome(index, entry.key) == "" for index in entry.seats):
                    return
                context = self._contexts.get(entry.key)
            if context is not None and context.state.available:
                context.fail(why)

    def _note_start(self, caller: int | None, failures: dict[str, str]) -> None:
        """A worker has started its applications, but for those with a reason why not."""
        with self._table:
            present = self._present()
            worker = _newest(present, caller)
            if worker is None:
                return
            self._failures = {each: why for each, why in self._failures.items() if each in present}
            self._failures[worker] = {key: str(why)[:MAX_REASON] for key, why in failures.items()}
            self._table.notify_all()
        if failures:
            self._server.reactor.submit(self._fail_what_runs_nowhere)

    def _fail_what_runs_nowhere(self) -> None:
        """An application that no worker could start at the node's start has failed, as one that is deployed later."""
        with self._changing:
            with self._table:
                outcomes = [(_index(worker), self._failures.get(worker)) for worker in self._present()]
                failed = {
                    key: why
                    for _, outcome in outcomes
                    for key, why in (outcome or {}).items()
                    if key in self._entries
                    and all(
                        each is None or key in each for index, each in outcomes if self._entries[key].runs_in(index)
                    )
                }
                contexts = [(self._contexts[key], why) for key, why in failed.items() if key in self._contexts]
            for context, why in contexts:
                if context.state.available:
                    context.fail(why)

    def _knows_session(self, _: int | None, argument: tuple[str, str]) -> bool:
        key, session_id = argument
        context = self.context(key)
        manager = None if context is None else context.manager
        return manager is not None and manager.find_session(session_id) is not None

    def _learn(self, _: int | None, fact: dict[str, Any]) -> None:
        """A worker has loaded an application and says if it is distributable."""
        with self._facts:
            with self._table:
                context = self._contexts.get(fact["key"])
            if context is None:  # its start here is not that far yet
                raise CatalinaError(f"the keeper has no application [{fact['key']}]")
            context.tell_distributable(bool(fact["distributable"]))

    def _reload(self, _: int | None, asked: dict[str, Any]) -> None:
        """A worker wants an application reloaded, here and everywhere."""
        with self._changing:
            with self._table:
                context, entry = self._contexts.get(asked["key"]), self._entries.get(asked["key"])
            if context is None or entry is None:
                raise CatalinaError(f"the keeper has no application [{asked['key']}]")
            if entry.serial != asked["serial"]:
                return  # it was reloaded meanwhile
            context.reload(by_command=bool(asked["by_command"]))
        if not context.state.available:
            raise CatalinaError(context.failure)


def _below_own_base(entry: ApplicationEntry) -> ApplicationEntry:
    """As a process with a user of its own sees it, which has a copy of the descriptor below a base of its own."""
    source = entry.source
    if source is None or source.descriptor is None:
        return entry
    name = ContextName(source.path, source.version).base_name
    return replace(entry, source=replace(source, descriptor=own_descriptor(entry.host, name)))


def _is_there(process: int) -> bool:
    """False when a process has ended and its parent has taken notice."""
    return os.path.exists(f"/proc/{process}")


def _index(worker: Member) -> int:
    return worker.port - 1


def _newest(workers: Sequence[Member], index: int | None) -> Member | None:
    """The worker with this number that came last, None without one."""
    return next((worker for worker in reversed(workers) if _index(worker) == index), None)


def _follow(source: Future[Any], target: Future[Any]) -> None:
    """Give the outcome of a call of the runner to whoever waits."""

    def done(ended: Future[Any]) -> None:
        error = ended.exception()
        if error is None:
            target.set_result(ended.result())
        else:
            target.set_exception(error)

    source.add_done_callback(done)
