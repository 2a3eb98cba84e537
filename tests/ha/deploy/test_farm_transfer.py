"""One file on its way to members."""

from __future__ import annotations

import threading

import pytest

from catalina.ha.deploy import farm_transfer
from catalina.ha.deploy.farm_transfer import WINDOW, FarmTransfer
from catalina.ha.deploy.file_message import FileMessage
from catalina.ha.deploy.file_message_factory import PIECE_SIZE, sha256_of
from catalina.tribes.channel import Delivery
from tests.ha.deploy.farm import FakeChannel, farm_file, member

ONE, TWO = member(1), member(2)


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
    monkeypatch.setattr(farm_transfer, "PIECE_SECONDS", 0.05)

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
