"""The keeper chooses the workers of applications that want few."""

from catalina.workers.placements import Placements


def test_an_application_that_wants_all_or_more_runs_in_all() -> None:
    placements = Placements(lambda: 3)
    assert [placements.choose("a", wanted) for wanted in (0, 3, 7, -1)] == [None] * 4


def test_the_workers_with_the_fewest_applications_are_chosen() -> None:
    placements = Placements(lambda: 3)
    assert [placements.choose(key, 1) for key in "abcd"] == [(0,), (1,), (2,), (0,)]
    assert placements.choose("e", 2) == (1, 2)


def test_an_application_keeps_its_workers() -> None:
    placements = Placements(lambda: 3)
    for key in "abc":
        placements.choose(key, 1)
    placements.forget("a")
    assert placements.choose("c", 1) == (2,)
    assert placements.choose("c", 2) == (0, 2)


def test_a_worker_that_the_node_no_longer_has_is_replaced_by_another() -> None:
    count = 3
    placements = Placements(lambda: count)
    for key in "abc":
        placements.choose(key, 1)
    assert placements.without_worker() == []
    count = 2
    assert placements.without_worker() == ["c"]
    assert placements.choose("c", 1) == (0,)
