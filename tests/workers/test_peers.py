"""Keeper and workers as members."""

from catalina.tribes.transport.nio.parallel_nio_sender import keeps_order
from catalina.workers.peers import KEEPER, process_of, worker_member


def test_each_process_is_a_member_of_its_own() -> None:
    members = {KEEPER, worker_member(0, 100), worker_member(1, 101), worker_member(0, 102)}
    assert len(members) == 4
    assert worker_member(0, 100) == worker_member(0, 100)
    assert process_of(worker_member(3, 4_194_304)) == 4_194_304


def test_they_speak_as_members_of_this_software() -> None:
    assert keeps_order(KEEPER)
    assert keeps_order(worker_member(0, 100))
