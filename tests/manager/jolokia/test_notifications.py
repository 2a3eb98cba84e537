"""Listeners of clients, what they pull, and streams."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from catalina.manager.jolokia import notifications as notifications_module
from catalina.manager.jolokia.notifications import IDLE_SECONDS, MAX_ENTRIES, Notifications, TooManyStreams
from catalina.manager.jolokia.policy import Policy
from catalina.manager.jolokia.request import BadRequest, NotificationCommand
from catalina.mbeans.audit import Caller
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.registry import InstanceNotFound, Registry
from tests.manager.jolokia.shop import Shop, shops

ONE = ObjectName.parse("shop:type=Shop,name=one")
ALL = ObjectName.parse("shop:*")
STORE = ObjectName.parse("jolokia:type=NotificationStore")
DELEGATE = ObjectName.parse("JMImplementation:type=MBeanServerDelegate")


class Agent:
    """A client and what it asks."""

    def __init__(self, registry: Registry, policy: Policy) -> None:
        self.registry = registry
        self.seconds = 0.0
        self.asked = Notifications(registry, policy, lambda: self.seconds)
        self.client = self.asked.register(STORE)["id"]

    def add(self, bean: ObjectName = ONE, mode: str = "pull", **values: Any) -> str:
        return self.asked.add(NotificationCommand("add", self.client, mode, bean, **values))

    def change(self, count: int, bean: ObjectName = ONE, attribute: str = "count") -> None:
        self.registry.set(bean, attribute, count, Caller("test"))

    def pull(self, handle: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.asked.pull(self.client, handle) or "null")
        return value

    def news(self, handle: str) -> list[object]:
        return [one["newValue"] for one in self.pull(handle)["notifications"]]

    def open(self, last: int | None = None, most: int = 8, ended: bool = False) -> Any:
        command = NotificationCommand("open", self.client, "sse")
        return self.asked.open(command, last, most)(lambda: ended)


@pytest.fixture
def policy() -> Policy:
    return Policy()


@pytest.fixture
def agent(policy: Policy) -> Agent:
    return Agent(shops(), policy)


def told(frame: bytes) -> list[object]:
    data = next(line for line in frame.decode().split("\r\n") if line.startswith("data: "))
    return [one["newValue"] for one in json.loads(data.removeprefix("data: "))["notifications"]]


def test_a_pull_gives_what_was_heard_since_the_last_one(agent):
    agent.change(1)
    handle = agent.add()
    agent.change(2)
    agent.change(3)
    assert agent.news(handle) == [2, 3]
    agent.change(4)
    assert agent.news(handle) == [4]
    assert agent.news(handle) == []


def test_a_pattern_hears_all_its_beans_and_a_filter_chooses_types(agent):
    every, none = agent.add(ALL), agent.add(ALL, filter=("j2ee.", "JMX."))
    agent.change(1)
    agent.change(2, ObjectName.parse("shop:type=Shop,name=two"))
    assert agent.news(every) == [1, 2]
    assert agent.pull(none)["notifications"] == []


def test_beans_that_come_and_go_are_told(agent):
    handle = agent.add(DELEGATE, filter=("JMX.mbean.registered",)) if agent.registry.query(DELEGATE) else None
    if handle is None:  # the delegate is a bean of a whole server
        agent.registry.register(DELEGATE, Shop())
        handle = agent.add(DELEGATE, filter=("JMX.mbean.registered",))
    agent.registry.register(ObjectName.parse("shop:type=New"), Shop())
    (one,) = agent.pull(handle)["notifications"]
    assert one["mBeanName"] == {"objectName": "shop:type=New"}
    assert one["type"] == "JMX.mbean.registered"


def test_the_newest_are_kept_and_the_others_counted(agent):
    handle = agent.add()
    for count in range(MAX_ENTRIES + 5):
        agent.change(count)
    result = agent.pull(handle)
    assert result["dropped"] == 5
    assert result["notifications"][0]["newValue"] == 5
    for count in range(1100):
        agent.change(count)
    assert agent.pull(handle)["dropped"] == 1100 - MAX_ENTRIES


def test_what_the_policy_hides_is_not_told(policy, agent):
    handle, hidden = agent.add(ALL), ObjectName.parse("shop:type=Shop,name=two")
    policy.hidden.append(hidden)
    agent.change(1, hidden)
    assert agent.news(handle) == []
    policy.commands = frozenset({"notification"})
    agent.change(2)
    assert agent.news(handle) == []
    with pytest.raises(InstanceNotFound):
        agent.add(hidden)


@pytest.mark.parametrize(
    ("command", "error", "words"),
    [
        ({"client": "nobody"}, ValueError, "No client nobody"),
        ({"client": None}, ValueError, "No client <null>"),
        ({"mode": None}, BadRequest, "No mode"),
        ({"bean": None}, BadRequest, "No MBean"),
        ({"mode": "push"}, ValueError, "No notification backend of type 'push'"),
        ({"bean": ObjectName.parse("none:a=b")}, InstanceNotFound, "none"),
        ({"handback": "x" * 10_000}, ValueError, "at most 8192"),
    ],
)
def test_a_listener_that_cannot_be(agent, command, error, words):
    given = {"client": agent.client, "mode": "pull", "bean": ONE} | command
    with pytest.raises(error, match=words):
        agent.asked.add(NotificationCommand("add", **given))
    assert agent.asked.list(agent.client) == {}


def test_the_listeners_of_a_client_are_listed_and_removed(agent):
    handle = agent.add(filter=("jmx",), handback={"a": 1}, config={"priority": "low"})
    assert agent.asked.list(agent.client) == {
        handle: {"mbean": str(ONE), "filter": ["jmx"], "handback": {"a": 1}, "config": {"priority": "low"}}
    }
    agent.asked.remove(agent.client, handle)
    with pytest.raises(ValueError, match=f"No listener with handle {handle}"):
        agent.asked.remove(agent.client, handle)
    assert agent.asked.pull(agent.client, handle) is None
    assert agent.add() != handle


def test_clients_without_a_sign_of_life_make_room_for_others(agent, monkeypatch):
    monkeypatch.setattr(notifications_module, "MAX_CLIENTS", 1)
    with pytest.raises(ValueError, match="already"):
        agent.asked.register(STORE)
    agent.seconds = IDLE_SECONDS - 1
    agent.asked.ping(agent.client)
    agent.seconds += IDLE_SECONDS - 1
    with pytest.raises(ValueError, match="already"):
        agent.asked.register(STORE)
    agent.seconds += 1
    assert agent.asked.register(STORE)["backend"].keys() == {"pull", "sse"}
    with pytest.raises(ValueError, match="No client"):
        agent.asked.ping(agent.client)


def test_only_so_many_listeners_are_there(agent, monkeypatch):
    monkeypatch.setattr(notifications_module, "MAX_LISTENERS", 1)
    agent.add()
    with pytest.raises(ValueError, match="already"):
        agent.add()


def test_a_stream_tells_what_its_listeners_hear_since_they_listen(agent):
    agent.add(mode="sse")
    agent.add(mode="pull")
    agent.change(1)
    frames = agent.open()
    agent.change(2)
    first = next(frames)
    assert first.startswith(b"id: ")
    assert first.endswith(b"\r\n\r\n")
    assert [told(first), told(next(frames))] == [[1], [2]]


def test_a_reader_that_comes_again_goes_on_after_the_last_one_it_had(agent):
    agent.add(mode="sse")
    for count in range(3):
        agent.change(count)
    frames = [next(stream) for stream in [agent.open()] for _ in range(3)]
    last = int(frames[0].split()[1])
    assert told(next(agent.open(last))) == [1]


def test_a_new_stream_of_a_client_ends_the_one_before(agent):
    agent.add(mode="sse")
    first = agent.open()
    agent.change(1)
    assert told(next(first)) == [1]
    agent.open()
    agent.change(2)
    assert list(first) == []
    assert list(agent.open(ended=True)) == []


def test_a_quiet_stream_gives_signs_of_life_and_keeps_its_client(agent, monkeypatch):
    monkeypatch.setattr(notifications_module, "HEARTBEAT_SECONDS", 0.0)
    frames = agent.open()
    assert list(itertools.islice(frames, 2)) == [b": \r\n", b": \r\n"]
    agent.seconds = IDLE_SECONDS
    next(frames)
    agent.asked.register(STORE)
    agent.asked.ping(agent.client)


def test_streams_have_a_limit_and_need_a_client_and_the_mode(agent):
    agent.open(most=1)
    with pytest.raises(TooManyStreams):
        agent.open(most=1)
    agent.asked.leave()
    agent.open(most=1)
    for command, error in (
        (NotificationCommand("open", "nobody", "sse"), ValueError),
        (NotificationCommand("open", agent.client, "pull"), ValueError),
        (NotificationCommand("open", agent.client), BadRequest),
    ):
        with pytest.raises(error):
            agent.asked.open(command, None, 8)
