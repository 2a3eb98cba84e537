"""Replicated maps and RPC of ours in one group with the real Java classes, without any container."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.group.rpc_channel import ALL_REPLY, RpcChannel
from catalina.tribes.io.java import EncodedValue, decode_value, encode_value
from catalina.tribes.member import Member
from catalina.tribes.tipis.abstract_replicated_map import AbstractReplicatedMap
from catalina.tribes.tipis.lazy_replicated_map import LazyReplicatedMap
from catalina.tribes.tipis.replicated_map import ReplicatedMap
from tests.support.needs import need_java_tomcat
from tests.support.ports import free_port, free_udp_port
from tests.tribes.groups import make_channel, until

pytestmark = pytest.mark.interop


class JavaMaps:
    """The driver's process; every command is answered by one line."""

    def __init__(self, class_path: str, mcast_port: int) -> None:
        command = ["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true"]
        arguments = ["MapDriver", str(free_port()), str(mcast_port)]
        self.process = subprocess.Popen(
            [*command, "-cp", class_path, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._collect, name="map-driver", daemon=True)
        self._thread.start()
        assert self.line(60) == "started"

    def _collect(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.strip())

    def line(self, seconds: float = 20) -> str:
        return self._lines.get(timeout=seconds)

    def tell(self, command: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        answer = self.line()
        assert not answer.startswith("failed"), answer
        return answer

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._thread.join(10)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


class Group:
    def __init__(self, java: JavaMaps, channel: GroupChannel) -> None:
        self.java = java
        self.channel = channel


@pytest.fixture(scope="module")
def class_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("maps")
    jars = [str(jar) for jar in sorted(need_java_tomcat().glob("*.jar")) if "i18n" not in jar.name]
    path = ":".join([str(folder), *jars, "/usr/share/tomcat10/bin/tomcat-juli.jar"])
    source = Path(__file__).with_name("MapDriver.java")
    subprocess.run(["javac", "-nowarn", "-cp", path, "-d", str(folder), str(source)], check=True, timeout=120)
    return path


@pytest.fixture(scope="module")
def group(class_path: str) -> Iterator[Group]:
    mcast_port = free_udp_port()
    channel, _ = make_channel(mcast_port, frequency=100, drop_time=2000)
    java = JavaMaps(class_path, mcast_port)
    try:
        channel.start()
        until(lambda: len(channel.members) == 1, "we see Java")
        until(lambda: java.tell("members") == "members 1", "Java sees us")
        yield Group(java, channel)
    finally:
        java.close()
        channel.stop()


def new_map(group: Group, kind: type[AbstractReplicatedMap], name: str, first: str) -> AbstractReplicatedMap:
    """A map on both sides, ours or Java's first."""
    made: AbstractReplicatedMap = kind(group.channel, name, rpc_timeout_ms=5000)
    command = f"{'copies' if kind is ReplicatedMap else 'lazy'} {name}"
    if first == "ours":
        made.start()
        made.put("early", "from python")
        group.java.tell(command)
    else:
        group.java.tell(command)
        group.java.tell("put early java")
        made.start()
    until(lambda: len(made.members) == 1, "Java is a member of the map")
    return made


@pytest.mark.parametrize("first", ["ours", "java"])
def test_a_map_of_copies_is_the_same_on_both_sides(group: Group, first: str) -> None:
    shared = new_map(group, ReplicatedMap, f"copies-{first}", first)
    try:
        early = "from python" if first == "ours" else "java"
        assert group.java.tell("get early") == f"value {early}"
        assert shared.get("early") == early
        assert shared.put("p", "python").wait(5)
        assert group.java.tell("get p") == "value python"
        group.java.tell("put j java")
        until(lambda: shared.peek("j") == "java", "Java's entry comes")
        group.java.tell("put p changed")
        until(lambda: shared.peek("p") == "changed", "Java's change comes")
        shared.remove("j")
        until(lambda: group.java.tell("keys") == "keys [early, p]", "our removal comes")
        group.java.tell("remove p")
        until(lambda: shared.keys() == ["early"], "Java's removal comes")
    finally:
        shared.stop()


@pytest.mark.parametrize("first", ["ours", "java"])
def test_a_map_of_owners_and_backups_is_the_same_on_both_sides(group: Group, first: str) -> None:
    shared = new_map(group, LazyReplicatedMap, f"lazy-{first}", first)
    try:
        assert shared.put("p", "python").wait(5)
        assert group.java.tell("get p") == "value python"
        until(lambda: shared.entry("p") is not None and not shared.entry("p").is_primary, "Java owns it now")  # type: ignore[union-attr]
        assert shared.get("p") == "python"
        group.java.tell("put j java")
        until(lambda: "j" in shared, "Java's entry is known")
        assert shared.get("j") == "java"
        assert group.java.tell("get early") == f"value {'from python' if first == 'ours' else 'java'}"
        group.java.tell("remove j")
        until(lambda: "j" not in shared, "Java's removal comes")
    finally:
        shared.stop()


class Echo:
    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue | None:
        return encode_value(f"python:{decode_value(message)}")

    def left_over(self, message: EncodedValue, sender: Member) -> None: ...


def test_questions_are_answered_both_ways(group: Group) -> None:
    rpc = RpcChannel(group.channel, b"rpc", Echo())
    try:
        answers: list[Any] = rpc.send(group.channel.members, encode_value("hello"), ALL_REPLY, 2, 5)
        assert [decode_value(answer.message) for answer in answers] == ["java:hello"]
        assert group.java.tell("ask hello") == "answers 1 python:hello"
    finally:
        rpc.close()


def test_an_rpc_channel_that_we_do_not_have_is_not_waited_for(group: Group) -> None:
    assert group.java.tell("askother hello") == "nobody 0 true"


def test_the_death_of_java_leaves_its_entries_here(class_path: str) -> None:
    mcast_port = free_udp_port()
    channel, _ = make_channel(mcast_port, frequency=100, drop_time=2000)
    java = JavaMaps(class_path, mcast_port)
    try:
        channel.start()
        until(lambda: len(channel.members) == 1, "we see Java")
        until(lambda: java.tell("members") == "members 1", "Java sees us")
        shared = LazyReplicatedMap(channel, "lazy", rpc_timeout_ms=5000)
        shared.start()
        java.tell("lazy lazy")
        java.tell("put j java")
        until(lambda: shared.peek("j") == "java", "we are the backup")
        java.process.kill()
        until(lambda: not channel.members, "its death is noticed", 20)
        until(lambda: shared.entry("j") is not None and shared.entry("j").is_primary, "we own it")  # type: ignore[union-attr]
        assert shared.get("j") == "java"
        shared.stop()
    finally:
        java.close()
        channel.stop()
