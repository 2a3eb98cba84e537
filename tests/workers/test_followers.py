"""The keeper's word to workers about applications; the workers here are real links with services that take notes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.deploy.virtual_environment import OwnPython
from catalina.errors import DeploymentError
from catalina.lifecycle import LifecycleState
from catalina.workers.application_entry import ApplicationEntry
from catalina.workers.followers import Followers
from catalina.workers.services import SEAT, SEAT_FAILED
from tests.support.stand_in import stand_in
from tests.support.waiting import wait_until
from tests.workers.fake_seats import FakeSeats
from tests.workers.small_node import SmallNode, SmallWorker

KEY = "Catalina/localhost//shop"


class Following:
    """A keeper's followers, and what its workers were told."""

    def __init__(self, node: SmallNode) -> None:
        self.node = node
        self.told: list[tuple[int, str, Any]] = []
        #: Reasons why the application does not start, by worker.
        self.failures: dict[int, str] = {}
        server: Any = stand_in(StandardServer, reactor=node.keeper.reactor, is_ending=False)
        self.seats = FakeSeats()
        self._server = server
        self.started: list[StandardContext] = []
        self.followers = self.next_followers()
        engine = StandardEngine(name="Catalina", default_host="localhost")
        self.host = StandardHost(name="localhost")
        engine.add_child(self.host)
        self.context = StandardContext(path="/shop")
        self.context.document_root = Path("none")
        self.host.add_child(self.context)
        for worker in node.workers:
            self.follow(worker)

    def next_followers(self) -> Followers:
        """As the next keeper begins."""
        node = self.node
        count = node.workers.__len__
        return Followers(node.keeper.links, self._server, set(), count, self.seats, node.memory, self.started.append)

    def follow(self, worker: SmallWorker) -> list[Any]:
        """Join as a worker does at its start; returns the applications of the table that it gets."""
        index = worker.channel.index

        def note(service: str, result: Any) -> None:
            def take(_: int | None, asked: Any) -> Any:
                self.told.append((index, service, asked))
                return {"failure": self.failures.get(index, "")} if service == "load" else result

            worker.channel.services.add(service, take)

        for service in ("load", "stop", "remove", "pause", "add-host", "remove-host"):
            note(service, None)
        table: Any = worker.queries.call("join", None)
        self.hosts, self.removed, self.is_new = table["hosts"], table["removed"], table["new"]
        applications: list[Any] = table["applications"]
        return applications

    def told_of(self, service: str) -> list[int]:
        return [index for index, name, _ in self.told if name == service]


@pytest.fixture
def following(make_node: Callable[..., SmallNode]) -> Following:
    return Following(make_node())


def test_an_application_is_loaded_in_one_worker_after_the_other(following: Following) -> None:
    following.followers.start(following.context)
    assert following.told_of("load") == [0, 1]
    entry = ApplicationEntry.heard(following.told[0][2]["entry"])
    assert (entry.key, entry.runs, entry.serial) == (KEY, True, 1)
    assert following.told[0][2]["new"] is True


def test_one_that_does_not_start_in_the_first_worker_is_not_tried_in_the_next(following: Following) -> None:
    following.failures[0] = "listener [shop:Listener]: no such module"
    with pytest.raises(DeploymentError, match="no such module"):
        following.followers.start(following.context)
    assert following.told_of("load") == [0]


def test_one_that_fails_in_a_later_worker_runs_all_the_same(
    following: Following, caplog: pytest.LogCaptureFixture
) -> None:
    following.failures[1] = "the port is taken"
    following.followers.start(following.context)
    assert "does not start in worker [1], and runs in others: the port is taken" in caplog.text


def test_a_worker_that_has_gone_decides_nothing(following: Following) -> None:
    following.node.workers[0].end()
    following.followers.start(following.context)
    assert following.told_of("load") == [1]


def test_a_worker_that_comes_later_gets_the_table(following: Following) -> None:
    following.followers.start(following.context)
    [entry] = following.follow(following.node.replace_worker(1))
    assert ApplicationEntry.heard(entry).key == KEY


def test_an_application_that_is_removed_is_in_no_table(following: Following) -> None:
    following.followers.start(following.context)
    following.followers.remove(following.context)
    assert following.told_of("remove") == [0, 1]
    assert following.follow(following.node.replace_worker(1)) == []


def test_workers_have_the_hosts_that_are_added_and_not_those_that_are_removed(following: Following) -> None:
    added = StandardHost(name="b.org", app_base="b")
    added.parent = following.host.parent
    following.followers.add_host(added)
    following.followers.remove_host("Catalina", "localhost")
    following.follow(following.node.replace_worker(1))
    [host] = following.hosts
    assert (host["name"], host["app_base"], following.told_of("add-host")) == ("b.org", "b", [0, 1])
    assert following.removed == [{"engine": "Catalina", "name": "localhost"}]
    following.followers.remove_host("Catalina", "b.org")
    following.follow(following.node.replace_worker(1))
    assert following.hosts == []


def test_the_next_keeper_knows_what_was_deployed_from_files(following: Following) -> None:
    following.followers.start(following.context)
    after = following.next_followers()
    assert after.earlier(following.host) == ["/shop"]
    after.opened()
    assert following.next_followers().earlier(following.host) == [], "it has not deployed it"


def test_who_starts_or_goes_is_said_but_for_the_start_of_the_node(following: Following) -> None:
    following.followers.start(following.context)
    following.followers.remove(following.context)
    assert following.started == [following.context, following.context]
    following.node.keeper.links.is_open = False
    following.followers.start(following.context)
    assert len(following.started) == 2


def test_a_stopped_application_stays_in_the_table(following: Following) -> None:
    following.followers.start(following.context)
    following.followers.stop(following.context)
    assert following.told_of("stop") == [0, 1]
    assert not ApplicationEntry.heard(following.follow(following.node.replace_worker(1))[0]).runs


def test_between_two_versions_nothing_is_stopped_and_the_old_one_need_not_load(following: Following) -> None:
    followers, context = following.followers, following.context
    followers.start(context)
    followers.pause(context)
    assert following.told_of("pause") == [0, 1]
    followers.stop(context)
    followers.remove(context)
    following.failures[0] = "broken"
    with pytest.raises(DeploymentError):
        followers.start(context)
    assert followers.is_paused(context)
    following.failures.clear()
    followers.start(context)
    assert not followers.is_paused(context)
    assert following.told_of("stop") == following.told_of("remove") == []
    assert [asked["new"] for _, service, asked in following.told if service == "load"] == [True, True, *[False] * 3]


def test_no_worker_joins_while_files_are_changed_and_one_that_joins_later_loads_the_new_ones(
    following: Following,
) -> None:
    followers, context = following.followers, following.context
    followers.start(context)
    followers.pause(context)
    worker = following.node.add_worker()
    assert worker.queries.call("join", None) is None
    tables: list[list[Any]] = []

    def join_while_the_first_loads(_: int | None, asked: Any) -> dict[str, str]:
        tables.append(following.follow(worker))
        return {"failure": ""}

    following.node.workers[0].channel.services.add("load", join_while_the_first_loads)
    followers.start(context)
    [[entry]] = tables
    assert (entry["runs"], entry["is_paused"], entry["serial"]) == (True, False, 2)
    assert following.told_of("load") == [0, 1, 1], "the third worker has loaded the application by itself"


def test_a_pause_that_ends_without_an_application_stops_it(following: Following) -> None:
    following.followers.start(following.context)
    following.followers.pause(following.context)
    following.followers.resume(following.host, following.context.name)
    assert following.told_of("stop") == [0, 1]


def test_a_pause_that_ends_without_a_context_removes_it(following: Following) -> None:
    following.followers.start(following.context)
    following.followers.pause(following.context)
    following.host.remove_child(following.context)
    following.followers.resume(following.host, "/shop")
    assert following.told_of("remove") == [0, 1]


def test_the_code_says_if_an_application_is_distributable(following: Following) -> None:
    following.followers.start(following.context)
    said: list[bool] = []
    following.context.tell_distributable = said.append  # type: ignore[assignment,method-assign]
    following.node.workers[0].queries.call("distributable", {"key": KEY, "distributable": True})
    assert said == [True]


def test_an_application_that_no_worker_starts_has_failed(following: Following) -> None:
    following.followers.start(following.context)
    failed: list[str] = []
    following.context.fail = failed.append  # type: ignore[assignment,method-assign]
    following.context.state = following.context.state.STARTED
    for worker in following.node.workers:
        worker.queries.call("joined", {KEY: "no database"})
    wait_until(lambda: failed, "the failure of the keeper's context")
    assert failed[0] == "no database"


def test_a_worker_has_an_application_reloaded_once(following: Following) -> None:
    followers, context = following.followers, following.context
    followers.start(context)
    context.state = context.state.STARTED
    reloads: list[bool] = []

    def reload(by_command: bool = False) -> bool:
        reloads.append(by_command)
        followers.start(context)
        return True

    context.reload = reload  # type: ignore[method-assign]
    for worker in following.node.workers:
        worker.queries.call("reload", {"key": KEY, "serial": 1, "by_command": False})
    assert reloads == [False], "the second worker has seen the same change"


def test_all_workers_are_asked(following: Following) -> None:
    for worker in following.node.workers:
        worker.channel.services.add("size", lambda caller, asked: 7)
    assert following.followers.ask_all("size") == {0: 7, 1: 7}


def test_an_application_that_wants_one_worker_runs_there_and_the_others_hear_of_it(following: Following) -> None:
    following.context.workers = 1
    following.failures[1] = "not asked for"
    following.followers.start(following.context)
    assert following.told_of("load") == [0, 1]
    assert ApplicationEntry.heard(following.told[1][2]["entry"]).workers == (0,)
    assert following.followers.workers_of(following.context) == (0,)


def test_an_application_moves_when_the_node_is_to_have_fewer_workers(make_node: Callable[..., SmallNode]) -> None:
    following = Following(make_node(workers=3))
    following.context.workers = 2
    other = StandardContext(path="/other", workers=1)
    other.document_root = Path("none")
    following.host.add_child(other)
    following.followers.start(other)
    following.followers.start(following.context)
    assert following.followers.workers_of(following.context) == (1, 2)
    following.node.workers.pop().end()
    wait_until(lambda: following.followers.workers_of(following.context) is None, "it runs in all that are left")
    wait_until(lambda: following.told_of("load")[-2:] == [0, 1], "the workers hear of it")


def test_whoever_asks_hears_if_a_session_exists(following: Following) -> None:
    following.followers.start(following.context)
    following.context.manager = following.node.keeper.manager
    session = following.node.workers[0].request(count=1)
    assert session is not None
    call = following.node.workers[1].queries.call
    wait_until(lambda: call("knows-session", [KEY, session.id]), "the keeper has it")
    assert call("knows-session", [KEY, "A" * 32]) is False
    assert call("knows-session", ["other", session.id]) is False


def is_told(following: Following, index: int) -> dict[str, Any]:
    """The entry that a worker of a pool joins with, and its word that the application runs there."""
    worker = following.node.add_worker(index)
    (entry,) = following.follow(worker)
    return dict(entry)


def test_an_application_gets_workers_of_its_own_before_the_others_hear_of_it(following: Following) -> None:
    following.context.isolation, following.context.workers = "process", 1
    start = threading.Thread(target=lambda: following.followers.start(following.context))
    start.start()
    wait_until(lambda: any(following.seats.owners), "a seat is taken")
    assert following.followers.workers_of(following.context) is None
    assert is_told(following, 512)["workers"] == [512]
    assert following.is_new, "it has to be in health"
    following.node.workers[-1].queries.call("joined", {})
    start.join(15)
    assert following.followers.workers_of(following.context) == (512,)
    assert following.told_of("load") == [512, 0, 1]
    assert [asked["new"] for _, service, asked in following.told if service == "load"] == [False] * 3
    is_told(following, 512)
    assert not following.is_new, "a process that comes in the place of one that has died serves in any case"


def test_a_pool_that_does_not_start_changes_nothing(following: Following) -> None:
    following.followers.start(following.context)
    following.context.isolation, following.context.workers = "process", 1
    errors: list[str] = []

    def start() -> None:
        try:
            following.followers.start(following.context)
        except DeploymentError as error:
            errors.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    wait_until(lambda: any(following.seats.owners), "a seat is taken")
    is_told(following, 512)
    following.node.workers[-1].queries.call("joined", {KEY: "no such module"})
    thread.join(15)
    assert errors == ["no such module"]
    assert following.followers.workers_of(following.context) is None
    assert not any(following.seats.owners)
    assert not following.followers.keeps(following.context), "it runs in no pool"


def test_in_an_exchange_the_old_version_serves_and_what_does_not_start_changes_nothing(following: Following) -> None:
    followers, context = following.followers, following.context
    followers.start(context)
    followers.begin_exchange(context)
    assert followers.is_paused(context)
    followers.stop(context)
    followers.remove(context)
    before = list(following.told)
    followers.start(context)
    assert following.told == before, "nobody hears of the one that goes on"
    followers.resume(following.host, "/shop")
    assert not followers.is_paused(context)
    assert following.told_of("stop") == [0, 1], "it does not run here"


def test_a_pool_is_remembered_when_its_application_does_not_start_in_the_nodes_workers(following: Following) -> None:
    followers, context = following.followers, following.context
    context.isolation, context.workers = "process", 1
    start = threading.Thread(target=lambda: followers.start(context))
    start.start()
    wait_until(lambda: any(following.seats.owners), "a seat is taken")
    is_told(following, 512)
    following.node.workers[-1].queries.call("joined", {})
    start.join(15)
    followers.pause(context)
    context.isolation, context.workers = "shared", 0
    following.failures[0] = "broken"
    with pytest.raises(DeploymentError, match="broken"):
        followers.start(context)
    context.isolation, context.workers = "process", 1
    followers.start(context)
    assert followers.workers_of(context) == (512,)
    assert sum(map(bool, following.seats.owners)) == 1


def test_the_first_worker_alone_asks_the_health_of_a_new_version(following: Following) -> None:
    following.context.asks_health = True
    following.followers.start(following.context)
    asked = [asked["asks_health"] for _, service, asked in following.told if service == "load"]
    assert asked == [True, False]


def test_the_process_in_a_seat_hears_which_python_it_runs(following: Following) -> None:
    following.context.isolation, following.context.workers = "process", 1
    python = following.context.loader.own_python = OwnPython("/srv/venv/bin/python", "3.13", ("/srv/server",))
    start = threading.Thread(target=lambda: following.followers.start(following.context))
    start.start()
    wait_until(lambda: any(following.seats.owners), "a seat is taken")
    worker = following.node.add_worker(512)
    wait_until(lambda: worker.queries.call(SEAT, None) is not None, "the keeper knows the seat")
    assert worker.queries.call(SEAT, None) == {"python": {**asdict(python), "imports": ["/srv/server"]}}
    following.follow(worker)
    worker.queries.call("joined", {})
    start.join(15)
    assert worker.queries.call(SEAT, None) == {"python": {**asdict(python), "imports": ["/srv/server"]}}
    assert following.node.workers[0].queries.call(SEAT, None) is None, "it has no seat"


def test_a_process_that_cannot_begin_says_why_to_whoever_waits_for_it(following: Following) -> None:
    following.context.isolation, following.context.workers = "process", 1
    errors: list[str] = []

    def start() -> None:
        try:
            following.followers.start(following.context)
        except DeploymentError as error:
            errors.append(str(error))

    thread = threading.Thread(target=start)
    thread.start()
    wait_until(lambda: any(following.seats.owners), "a seat is taken")
    worker = following.node.add_worker(512)
    wait_until(lambda: worker.queries.call(SEAT, None) is not None, "the keeper waits for it")
    worker.queries.call(SEAT_FAILED, "its Python has gone")
    thread.join(15)
    assert errors == ["its Python has gone"]
    assert not any(following.seats.owners)


def test_an_application_whose_only_process_cannot_begin_again_has_failed(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    following.context.isolation, following.context.workers = "process", 1
    thread = threading.Thread(target=lambda: following.followers.start(following.context))
    thread.start()
    wait_until(lambda: any(following.seats.owners), "a seat is taken")
    is_told(following, 512)
    worker = following.node.workers[-1]
    worker.queries.call("joined", {})
    thread.join(15)
    failed: list[str] = []
    monkeypatch.setattr(following.context, "fail", failed.append)
    following.context.state = LifecycleState.STARTED
    worker.queries.call(SEAT_FAILED, "another process of it is there")
    assert failed == []
    worker.channel.close()
    links = following.node.keeper.links
    wait_until(lambda: 513 not in [member.port for member in links.members], "the process has gone")
    worker.queries.call(SEAT_FAILED, "its Python has gone")
    following.node.workers[0].queries.call(SEAT_FAILED, "it has no seat")
    assert failed == ["its Python has gone"]


def test_a_seat_is_not_given_again_before_its_process_has_ended(following: Following) -> None:
    following.context.isolation, following.context.workers = "process", 1
    links = following.node.keeper.links
    for seat in (512, 513):
        start = threading.Thread(target=lambda: following.followers.start(following.context))
        start.start()
        wait_until(lambda: any(following.seats.owners), "a seat is taken")
        is_told(following, seat)
        worker = following.node.workers[-1]
        worker.queries.call("joined", {})
        start.join(15)
        assert following.followers.workers_of(following.context) == (seat,)
        worker.channel.close()
        wait_until(lambda: not [each for each in links.members if each.port > 512], "its link has gone")
        following.followers.stop(following.context)
