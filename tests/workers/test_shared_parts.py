"""The parts that keeper and workers share."""

import socket

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
