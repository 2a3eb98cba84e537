"""Looking at a group while somebody watches, once for all."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from catalina.ha.tcp.live_facts import MAX_SHARE, LiveFacts
from catalina.ha.tcp.node_facts import Answer, NodeFacts
from catalina.lifecycle import LifecycleState
from catalina.manager.cluster import watch as watch_module
from catalina.manager.cluster.watch import ClusterWatch, TooManyWatchers
from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.membership.mcast_service import McastService
from tests.manager.cluster.nodes import member, said
from tests.support.stand_in import stand_in
from tests.support.waiting import wait_until


class Cluster:
    """A cluster that can be looked at."""

    name = "shop"

    def __init__(self) -> None:
        self.looks = 0
        self.members = [member(2)]
        self.local_member = member(1)
        self.state = LifecycleState.STARTED
        self.listeners: list[Any] = []
        self.channel = stand_in(GroupChannel,
            membership_service=stand_in(McastService, silence_of=lambda each: 0.1), is_guarded=True,
            add_membership_listener=self.listeners.append, remove_membership_listener=self.listeners.remove,
        )  # fmt: skip
        self.facts = stand_in(NodeFacts, live=stand_in(LiveFacts, own=self._own), ask=self._ask)

    def _own(self) -> Any:
        self.looks += 1
        return said("n1", float(self.looks))

    def _ask(self, members: Any, seconds: float, question: bytes) -> list[Answer]:
        return [Answer(each, live=said("n2", float(self.looks))) for each in members]


@pytest.fixture
def cluster(monkeypatch):
    monkeypatch.setattr(watch_module, "LOOK_SECONDS", 0.01)
    return Cluster()


def test_a_cluster_has_one_watch():
    one: Any = Cluster()
    two: Any = Cluster()
    assert ClusterWatch.of(one) is ClusterWatch.of(one)
    assert ClusterWatch.of(one) is not ClusterWatch.of(two)


def test_who_looks_once_sees_the_group_now_and_nobody_looks_again_for_the_next(cluster):
    watch = ClusterWatch(cluster)
    assert [node.label for node in watch.current().nodes] == ["n1", "n2"]
    watch.current()
    assert cluster.looks == 1


def test_a_java_node_is_not_asked_and_shown(cluster):
    cluster.members = [member(2), member(3, payload=b"")]
    asked = []
    ask = cluster.facts.ask
    cluster.facts.ask = lambda members, *rest: asked.extend(members) or ask(members, *rest)
    nodes = ClusterWatch(cluster).current().nodes
    assert asked == [member(2)]
    assert [node.is_java for node in nodes] == [False, False, True]
    assert nodes[2].seen.silence == 0.1


def test_nobody_looks_while_nobody_watches(cluster):
    watch = ClusterWatch(cluster)
    watch.enter()
    frames = watch.frames(lambda: False)
    assert b"n2" in next(frames)
    assert next(frames) != b""
    watch.leave()
    wait_until(lambda: not cluster.listeners, "it looks no more")
    looks = cluster.looks
    watch.enter()
    assert next(watch.frames(lambda: False))
    assert cluster.looks > looks
    watch.leave()


def test_a_slow_reader_gets_the_newest_picture_and_nothing_waits_for_it(cluster):
    watch = ClusterWatch(cluster)
    watch.enter()
    slow = watch.frames(lambda: False)
    next(slow)
    before = watch.picture.events
    watch.note("something was done")
    looks = cluster.looks
    wait_until(lambda: cluster.looks > looks + 5, "the looks go on")
    assert b"something was done" in next(slow)
    assert before == ()
    watch.leave()


def test_only_so_many_watch(cluster):
    watch = ClusterWatch(cluster)
    for _ in range(watch_module.MAX_WATCHERS):
        watch.enter()
    with pytest.raises(TooManyWatchers):
        watch.enter()
    watch.leave()
    watch.enter()
    for _ in range(watch_module.MAX_WATCHERS):
        watch.leave()
    assert watch.watchers == 0


def test_a_stream_ends_when_it_is_told(cluster):
    watch = ClusterWatch(cluster)
    watch.enter()
    assert len(list(watch.frames(lambda: True))) <= 1
    watch.leave()


def test_a_member_that_comes_or_goes_is_looked_at_at_once(cluster, monkeypatch):
    monkeypatch.setattr(watch_module, "LOOK_SECONDS", 60.0)
    watch = ClusterWatch(cluster)
    watch.enter()
    frames = watch.frames(lambda: False)
    next(frames)
    cluster.members = []
    watch.member_disappeared(member(2))
    assert b"n2 is gone" in next(frames)
    watch.leave()
    watch.member_added(member(2))
    wait_until(lambda: not cluster.listeners, "it looks no more")


def test_a_large_group_is_looked_at_less_often(cluster, monkeypatch):
    spent = iter((0.0, 0.05))
    monkeypatch.setattr("time.thread_time", lambda: next(spent))
    watch = ClusterWatch(cluster)
    watch.current()
    assert watch._pause == pytest.approx(0.05 / MAX_SHARE)


def test_a_look_that_fails_is_logged_and_the_next_watcher_looks_again(cluster, caplog):
    facts = cluster.facts
    cluster.facts = None
    watch = ClusterWatch(cluster)
    watch.enter()
    wait_until(lambda: "cannot be watched" in caplog.text, "it is logged")
    watch.leave()
    cluster.facts = facts
    wait_until(lambda: not watch._runs, "its thread has ended")
    watch.enter()
    assert b"n1" in next(watch.frames(lambda: False))
    watch.leave()


def test_a_cluster_that_does_not_run_has_nobody(cluster):
    cluster.state = LifecycleState.STOPPED
    assert ClusterWatch(cluster).current().nodes == ()


def test_watchers_of_all_threads_get_each_picture(cluster):
    watch = ClusterWatch(cluster)
    got: list[int] = []

    def work() -> None:
        watch.enter()
        frames = watch.frames(lambda: False)
        got.append(sum(bool(next(frames)) for _ in range(3)))
        watch.leave()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert got == [3, 3, 3, 3]
