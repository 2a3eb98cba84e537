"""Sending to members, and who has missed what."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from catalina.ha.deploy.farm_sender import FarmSender
from catalina.ha.deploy.farm_state import FarmState, Removal
from catalina.ha.deploy.file_message import FileMessage
from catalina.ha.deploy.file_message_factory import sha256_of
from tests.ha.deploy.farm import FakeCluster, farm_file, member
from tests.support.waiting import wait_until

ONE, TWO = member(1), member(2)


class Place:
    def __init__(self, path):
        self.path = path

    def place(self, name):
        return str(self.path / name)


@pytest.fixture
def farm(tmp_path):
    (tmp_path / "a.war").write_bytes(b"hello")
    cluster: Any = FakeCluster()
    place: Any = Place(tmp_path)
    state = FarmState()
    sender = FarmSender(cluster, place, state, "test-farm-send")
    file = farm_file(size=5, digest=sha256_of(str(tmp_path / "a.war")))
    yield cluster, state, sender, file
    sender.stop()


def test_a_file_goes_to_all_members_at_once(farm):
    cluster, state, sender, file = farm
    state.put(file)
    sender.submit_file(file, [ONE, TWO])
    wait_until(lambda: cluster.channel.posted, "sent")
    ((to, data),) = cluster.channel.posted
    assert to == (ONE, TWO)
    assert FileMessage.decode(data).data == b"hello"


def test_a_member_that_missed_a_file_is_remembered_until_it_has_it(farm):
    cluster, state, sender, file = farm
    state.put(file)
    cluster.channel.dead.add(TWO)
    sender.submit_file(file, [ONE, TWO])
    wait_until(lambda: sender.has_missed(TWO), "missed")
    assert sender.has_missed(TWO) == {"a.war"}
    assert not sender.has_missed(ONE)
    cluster.channel.dead.clear()
    sender.submit_file(file, [TWO])
    wait_until(lambda: not sender.has_missed(TWO), "delivered")


def test_a_file_that_no_longer_counts_is_not_sent(farm):
    cluster, state, sender, file = farm
    state.put(farm_file(stamp=2))
    sender.submit_file(file, [ONE])
    sender.submit_bytes(b"end", ONE)
    wait_until(lambda: cluster.channel.posted, "the end")
    assert [data for _, data in cluster.channel.posted] == [b"end"]


def test_a_removal_is_javas_message(farm):
    cluster, _, sender, _ = farm
    sender.submit_removal(Removal("/a", 5), [ONE, TWO])
    wait_until(lambda: len(cluster.sent) == 2, "sent")
    message, to = cluster.sent[0]
    assert (message.context_name, message.timestamp_ms, to) == ("/a", 5, ONE)


def test_a_file_that_cannot_be_read_is_missed_by_all(farm, tmp_path, caplog):
    _, state, sender, file = farm
    state.put(file)
    (tmp_path / "a.war").unlink()
    sender.submit_file(file, [ONE])
    wait_until(lambda: sender.has_missed(ONE), "missed")
    assert "Error sending [a.war] to the farm" in caplog.text


def test_a_file_that_waits_for_a_member_already_is_not_sent_twice(farm):
    cluster, state, sender, file = farm
    state.put(file)
    held, told = threading.Event(), list[Any]()
    sender._worker.submit(held.wait)
    for _ in range(3):
        sender.submit_file(file, [ONE], told.append)
    sender.submit_file(file, [ONE, TWO], told.append)
    held.set()
    wait_until(lambda: len(told) == 4, "all are told")
    assert [to for to, _ in cluster.channel.posted] == [(ONE,), (TWO,)]
    assert told.count("is being sent already") == 2
    sender.submit_file(file, [ONE])
    wait_until(lambda: len(cluster.channel.posted) == 3, "it can be sent again")
