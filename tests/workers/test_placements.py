"""The keeper chooses the workers of applications that want few."""

from catalina.workers.lasting_memory import LastingMemory
from catalina.workers.placements import Placements


def test_an_application_that_wants_all_or_more_runs_in_all(memory: LastingMemory) -> None:
    placements = Placements(lambda: 3, memory.section("p"))
    assert [placements.choose("a", wanted) for wanted in (0, 3, 7, -1)] == [None] * 4


def test_the_workers_with_the_fewest_applications_are_chosen(memory: LastingMemory) -> None:
    placements = Placements(lambda: 3, memory.section("p"))
    assert [placements.choose(key, 1) for key in "abcd"] == [(0,), (1,), (2,), (0,)]
    assert placements.choose("e", 2) == (1, 2)


def test_an_application_keeps_its_workers(memory: LastingMemory) -> None:
    placements = Placements(lambda: 3, memory.section("p"))
    for key in "abc":
        placements.choose(key, 1)
    placements.forget("a")
    assert placements.choose("c", 1) == (2,)
    assert placements.choose("c", 2) == (0, 2)


def test_a_worker_that_the_node_no_longer_has_is_replaced_by_another(memory: LastingMemory) -> None:
    count = 3
    placements = Placements(lambda: count, memory.section("p"))
    for key in "abc":
        placements.choose(key, 1)
    assert placements.without_worker() == []
    count = 2
    assert placements.without_worker() == ["c"]
    assert placements.choose("c", 1) == (0,)


def test_the_next_keeper_chooses_the_same_workers(memory: LastingMemory) -> None:
    first = Placements(lambda: 3, memory.section("p"))
    for key in "abc":
        first.choose(key, 1)
    first.forget("a")
    second = Placements(lambda: 3, memory.section("p"))
    assert second.choose("c", 1) == (2,), "whatever comes first, its modules may have state"
    assert second.choose("b", 1) == (1,)
