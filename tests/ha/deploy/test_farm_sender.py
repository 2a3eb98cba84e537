"""Sending to members, and who has missed what."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from catalina.ha.deploy import farm_sender
from catalina.ha.deploy.farm_sender import WINDOW, FarmSender, FarmTransfer
from catalina.ha.deploy.farm_state import FarmState, Removal
from catalina.ha.deploy.file_message import FileMessage
from catalina.ha.deploy.file_message_factory import PIECE_SIZE, sha256_of
from catalina.tribes.channel import Delivery
from tests.ha.deploy.farm import FakeChannel, FakeCluster, farm_file, member
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


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a.war"
    path.write_bytes(b"x" * (20 * PIECE_SIZE + 5))
    return str(path), farm_file(size=20 * PIECE_SIZE + 5, digest=sha256_of(str(path)))


def test_every_piece_goes_to_every_member_once(file):
    channel = FakeChannel()
    transfer = FarmTransfer(file[0], file[1], [ONE, TWO])
    transfer.run(channel)
    assert {to for to, _ in channel.posted} == {(ONE, TWO)}
    assert [FileMessage.decode(data).message_number for _, data in channel.posted] == list(range(1, 22))
    assert (transfer.percent, transfer.failed, transfer.finished) == (100, {}, True)


def test_a_member_that_fails_is_left_out_and_known(file):
    channel = FakeChannel()
    channel.dead.add(TWO)
    transfer = FarmTransfer(file[0], file[1], [ONE, TWO])
    transfer.run(channel)
    assert set(transfer.failed) == {TWO}
    assert channel.posted[-1][0] == (ONE,)


def test_with_nobody_left_it_ends(file):
    channel = FakeChannel()
    channel.dead |= {ONE}
    transfer = FarmTransfer(file[0], file[1], [ONE])
    transfer.run(channel)
    assert len(channel.posted) == WINDOW


def test_no_more_than_the_window_is_in_flight(file):
    flying, most = [], []

    class Slow(FakeChannel):
        def post(self, to, message, options):
            delivery = Delivery(1)
            flying.append(delivery)
            most.append(sum(not each.done for each in flying))
            threading.Timer(0.002, delivery.succeeded).start()
            return delivery

    FarmTransfer(file[0], file[1], [ONE]).run(Slow())
    assert max(most) <= WINDOW


def test_a_member_that_never_acknowledges_has_failed(file, monkeypatch):
    monkeypatch.setattr(farm_sender, "PIECE_SECONDS", 0.05)

    class Silent(FakeChannel):
        def post(self, to, message, options):
            return Delivery(1)

    transfer = FarmTransfer(file[0], file[1], [ONE])
    transfer.run(Silent())
    assert isinstance(transfer.failed[ONE], TimeoutError)


def test_it_tells_how_far_it_is(file):
    transfer = FarmTransfer(file[0], file[1], [ONE, TWO])
    assert str(transfer) == f"a.war 0% 0/{file[1].size} bytes, 0/2 members done"
    transfer.run(FakeChannel())
    assert str(transfer) == f"a.war 100% {file[1].size}/{file[1].size} bytes, 2/2 members done"
