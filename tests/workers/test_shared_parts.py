"""The parts that keeper and workers share."""

import json
import os
import socket

import pytest

from catalina.workers.shared_parts import POOL_SEATS, SharedParts, worker_name


def test_workers_reach_the_keeper_under_a_name_that_no_file_has() -> None:
    shared = SharedParts.make(2)
    name = shared.listening.getsockname()
    assert isinstance(name, bytes)
    assert name.startswith(b"\0")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(name)
    shared.close()


def test_each_worker_has_a_way_for_connections() -> None:
    shared = SharedParts.make(3)
    assert shared.capacity == 8, "some can be added later"
    shared.close()


def test_a_pools_worker_has_a_name_and_a_place_of_its_own() -> None:
    assert [worker_name(index) for index in (0, 7, 512, 513)] == ["0", "7", "p0", "p1"]
    shared = SharedParts.make(2)
    assert set(shared.pairs) == {*range(8), *POOL_SEATS}
    shared.close()


def test_another_program_gets_all_parts_by_their_descriptors() -> None:
    shared = SharedParts.make(2)
    told = json.loads(json.dumps(shared.told()))
    copies = {number: os.dup(number) for number in shared.descriptors}
    told["listening"], told["counts"] = copies[told["listening"]], copies[told["counts"]]
    told["pairs"] = {index: [copies[number] for number in pair] for index, pair in told["pairs"].items()}
    heard = SharedParts.heard(told)
    assert heard.capacity == shared.capacity
    assert heard.listening.getsockname() == shared.listening.getsockname()
    heard.pairs[3][1].send(b"moved")
    assert shared.pairs[3][0].recv(10) == b"moved"
    with pytest.raises(BlockingIOError):
        heard.pairs[3][0].recv(10)
    shared.counts.note(1, 3)
    assert heard.counts.accepts(1)
    heard.close()
    shared.close()
