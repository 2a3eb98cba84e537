"""A worker's applications: it loads what the keeper's table says, and changes them on the keeper's word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from catalina.connector.carried import FoundMapping
from catalina.core.standard_context import StandardContext
from catalina.startup.context_maker import name_context
from catalina.startup.worker_applications import WorkerApplications
from catalina.util.context_name import ContextName
from catalina.workers.application_entry import ApplicationEntry, ContextSource, files_of
from catalina.workers.keeper_queries import KeeperQueries
from catalina.workers.services import Services
from tests.deploy.archives import hello
from tests.startup.hosts import Base, running
from tests.support.stand_in import stand_in
from tests.support.waiting import wait_until

BROKEN = "raise RuntimeError('it does not start')\n"


class FakeChannel:
    """Writes down of which applications the sessions are left to the keeper alone."""

    def __init__(self, services: dict[str, Any]) -> None:
        self.services = stand_in(Services, add=services.__setitem__)
        self.on_next_keeper: Any = None
        self.left_alone: list[bytes] = []

    def leave_alone(self, key: bytes) -> None:
        self.left_alone.append(key)


class FakeRole:
    """The way to a keeper with a table; calls of the keeper are made by the test."""

    def __init__(self) -> None:
        self.index = 0
        self.runs_one = False
        self.has_user = False
        self.serials: dict[str, int] = {}
        self.placements: dict[str, tuple[int, ...]] = {}
        self.table: list[ApplicationEntry] = []
        self.hosts: list[dict[str, Any]] = []
        self.removed: list[dict[str, str]] = []
        self.calls: list[tuple[str, Any]] = []
        self.told: list[str] = []
        #: How often the keeper is just changing files when it is asked for its table.
        self.refusals = 0
        self.services: dict[str, Any] = {}
        self.channel = FakeChannel(self.services)
        self.queries = stand_in(KeeperQueries, call=self._call)

    def _call(self, service: str, argument: Any, seconds: float = 0) -> Any:
        self.calls.append((service, argument))
        if service != "join":
            return None
        self.refusals -= 1
        applications = [entry.told() for entry in self.table]
        table = {"hosts": self.hosts, "removed": self.removed, "new": False, "applications": applications}
        return None if self.refusals >= 0 else table

    def tell_changes(self) -> None:
        self.calls.append(("changes", None))

    def tell(self, context: StandardContext) -> None:
        self.told.append(context.name)


class Worker:
    """A worker with one host, where /shop lies as a directory."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.role = FakeRole()
        self.directory = base.webapps / "shop"
        self.write("one")
        role: Any = self.role
        self.applications = WorkerApplications(base.server, role)

    def write(self, text: str, source: str = "") -> None:
        """Put another state of the application into its place, as an exchange does: in another directory."""
        if self.directory.exists():
            self.directory.rename(self.base.directory / f"old-{len(list(self.base.directory.iterdir()))}")
        self.directory.mkdir(parents=True)
        (self.directory / "wsgi.py").write_text(source or hello(text))

    def entry(self, **values: Any) -> ApplicationEntry:
        """The keeper's entry about the files as they are."""
        known = StandardContext()
        name_context(known, self.base.host, ContextName.of_path("/shop"), str(self.directory), None)
        known.document_root = self.directory
        given = {"serial": 1, "runs": True, "is_paused": False, **values}
        return ApplicationEntry("Catalina/localhost", "/shop", files_of(known), source=ContextSource.of(known), **given)

    def load(self, *, new: bool = True, **values: Any) -> Any:
        return self.role.services["load"](None, {"entry": self.entry(**values).told(), "new": new})

    def word(self, service: str) -> None:
        self.role.services[service](None, {"key": "Catalina/localhost//shop"})

    def mapped(self) -> FoundMapping:
        return self.base.service.mapper.map("localhost", "/shop/")


@contextmanager
def started(tmp_path: Path, *entries: str) -> Iterator[Worker]:
    """A worker that has started with ``shop`` in the keeper's table, or with an empty one."""
    worker = Worker(Base(tmp_path))
    worker.role.table = [worker.entry() for _ in entries]
    worker.applications.join()
    with running(worker.base):
        worker.applications.started()
        yield worker


def test_a_worker_starts_with_the_keepers_table_and_looks_at_no_files(tmp_path: Path) -> None:
    with started(tmp_path, "shop") as worker:
        assert worker.base.ask("/shop") == "one"
        assert worker.role.calls == [("join", None), ("joined", {})]
        assert worker.base.config not in worker.base.host.lifecycle_listeners


def test_a_host_that_was_added_is_there_and_goes_with_a_keeper_that_does_not_know_it(tmp_path: Path) -> None:
    worker = Worker(Base(tmp_path))
    engine: Any = worker.base.host.parent
    worker.role.hosts = [
        {"engine": "Catalina", "name": "b.org", "app_base": "b", "aliases": ["www.b.org"], "settings": {}}
    ]
    worker.applications.join()
    with running(worker.base):
        worker.applications.started()
        added = engine.find_child("b.org")
        assert added.state.available
        assert list(added.aliases) == ["www.b.org"]
        worker.role.hosts = []
        worker.applications.join()  # as with the table of the next keeper
        assert engine.find_child("b.org") is None


def test_what_lies_there_and_is_not_in_the_table_is_not_deployed(tmp_path: Path) -> None:
    with started(tmp_path) as worker:
        assert worker.base.ask("/shop") == "(none)"


def test_the_keeper_hears_why_an_application_does_not_start(tmp_path: Path) -> None:
    worker = Worker(Base(tmp_path))
    worker.write("", BROKEN)
    worker.role.table = [worker.entry()]
    worker.applications.join()
    with running(worker.base):
        worker.applications.started()
        [(_, failures)] = [call for call in worker.role.calls if call[0] == "joined"]
        assert "it does not start" in failures["Catalina/localhost//shop"]


def test_an_application_comes_and_goes_on_the_keepers_word(tmp_path: Path) -> None:
    with started(tmp_path) as worker:
        assert worker.load() == {"failure": ""}
        assert worker.base.ask("/shop") == "one"
        assert worker.role.serials == {"Catalina/localhost//shop": 1}
        worker.word("remove")
        assert worker.base.ask("/shop") == "(none)"


def test_a_reload_keeps_the_context_and_its_code_is_new(tmp_path: Path) -> None:
    with started(tmp_path, "shop") as worker:
        before = worker.base.context("/shop")
        (worker.directory / "wsgi.py").write_text(hello("edited"))
        assert worker.load() == {"failure": ""}
        assert worker.base.context("/shop") is before
        assert worker.base.ask("/shop") == "edited"


def test_other_files_are_another_context(tmp_path: Path) -> None:
    with started(tmp_path, "shop") as worker:
        before = worker.base.context("/shop")
        worker.word("pause")
        worker.write("two")
        assert worker.load(new=False, is_paused=True) == {"failure": ""}
        assert worker.base.context("/shop") is not before
        assert worker.base.ask("/shop") == "two"
        assert worker.mapped().context is worker.base.context("/shop")


def test_who_waits_and_has_the_files_already_goes_on_without_a_load(tmp_path: Path) -> None:
    with started(tmp_path, "shop") as worker:
        context = worker.base.context("/shop")
        worker.word("pause")
        assert context is not None
        assert context.paused
        assert worker.load(new=False, is_paused=True) == {"failure": ""}
        assert worker.base.context("/shop") is context
        assert not context.paused


def test_requests_wait_when_a_new_version_fails_until_the_old_one_is_back(tmp_path: Path) -> None:
    with started(tmp_path, "shop") as worker:
        worker.word("pause")
        worker.write("", BROKEN)
        assert "it does not start" in worker.load(new=False, is_paused=True)["failure"]
        waiting = worker.mapped().context
        assert waiting is not None
        assert waiting.paused
        worker.write("one")
        assert worker.load(new=False, is_paused=True) == {"failure": ""}
        assert worker.mapped().context is worker.base.context("/shop")
        assert worker.base.ask("/shop") == "one"


@pytest.mark.parametrize("word", ["stop", "remove"])
def test_requests_wait_no_more_when_nothing_comes_back(tmp_path: Path, word: str) -> None:
    with started(tmp_path, "shop") as worker:
        worker.word("pause")
        worker.write("", BROKEN)
        worker.load(new=False, is_paused=True)
        worker.word(word)
        assert worker.mapped().context is None


def test_a_new_version_that_fails_without_a_pause_is_not_found(tmp_path: Path) -> None:
    with started(tmp_path, "shop") as worker:
        worker.write("", BROKEN)
        assert worker.load()["failure"]
        assert worker.mapped().context is None


def test_a_stopped_application_stays_known(tmp_path: Path) -> None:
    with started(tmp_path, "shop") as worker:
        worker.word("stop")
        assert worker.base.ask("/shop") == "(STOPPED)"
        assert worker.load() == {"failure": ""}
        assert worker.base.ask("/shop") == "one"


def test_a_worker_that_starts_while_files_are_changed_waits_for_the_new_ones(tmp_path: Path) -> None:
    worker = Worker(Base(tmp_path))
    worker.role.table = [worker.entry()]
    worker.role.refusals = 2
    worker.applications.join()
    assert [service for service, _ in worker.role.calls] == ["join"] * 3
    with running(worker.base):
        assert worker.base.ask("/shop") == "one"


def test_the_next_keeper_hears_the_facts_and_its_table_counts(tmp_path: Path) -> None:
    with started(tmp_path, "shop") as worker:
        worker.base.server.reactor.start()
        try:
            before = worker.base.context("/shop")
            assert before is not None
            worker.role.table = [worker.entry(serial=1)]
            worker.applications._follow_next_keeper()()
            assert worker.role.told == ["/shop"]
            wait_until(lambda: worker.role.calls[-1][0] == "joined", "the report")
            assert worker.base.context("/shop") is before
            worker.word("pause")  # by a keeper that dies before the pause ends
            worker.role.table = [worker.entry(runs=False)]
            worker.applications._follow_next_keeper()()
            wait_until(lambda: worker.base.ask("/shop") == "(STOPPED)", "the stop of what does not start there")
            assert not before.paused
            worker.role.table = []
            worker.applications._follow_next_keeper()()
            wait_until(lambda: worker.base.context("/shop") is None, "the end of what the next keeper has not")
        finally:
            worker.base.server.reactor.stop()


def test_a_pools_worker_finishes_with_its_application_when_others_take_it_over(tmp_path: Path) -> None:
    worker = Worker(Base(tmp_path))
    worker.role.index, worker.role.runs_one = 512, True
    worker.role.table = [worker.entry(workers=(512,))]
    worker.applications.join()
    with running(worker.base):
        worker.applications.started()
        context = worker.base.context("/shop")
        assert worker.load(new=False, workers=(513,)) == {"failure": ""}
        assert worker.base.context("/shop") is context
        assert worker.base.ask("/shop") == "one"
        assert worker.role.placements["Catalina/localhost//shop"] == (513,)
