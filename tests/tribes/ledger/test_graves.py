from __future__ import annotations

from catalina.tribes.ledger.graves import Graves
from catalina.tribes.ledger.record import BUCKETS, bucket_of
from catalina.tribes.ledger.version import NO_VERSION
from tests.tribes.ledger.support import at

NAMES = {"X": NO_VERSION}


def test_nothing_that_happened_before_a_final_end_brings_the_record_back() -> None:
    grave, _ = Graves().dig("X", at(5), None, NAMES, now=0)
    assert grave.is_final
    assert grave.holds_against(born=at(1), access=at(9))


def test_a_record_that_is_made_after_the_end_is_another_one() -> None:
    grave, _ = Graves().dig("X", at(5), None, NAMES, now=0)
    assert not grave.holds_against(born=at(6), access=at(6))


def test_an_end_for_idleness_gives_way_to_a_later_use() -> None:
    grave, _ = Graves().dig("X", at(50), at(5), NAMES, now=0)
    assert grave.holds_against(born=at(1), access=at(5))
    assert not grave.holds_against(born=at(1), access=at(6))


def test_a_final_end_stays_final() -> None:
    graves = Graves()
    graves.dig("X", at(5), None, NAMES, now=0)
    grave, _ = graves.dig("X", at(9), at(8), NAMES, now=0)
    assert grave.is_final


def test_the_names_of_both_sides_are_kept() -> None:
    graves = Graves()
    graves.dig("X", at(5), None, {"X": at(2), "Y": NO_VERSION}, now=0)
    grave, _ = graves.dig("X", at(5), None, {"X": NO_VERSION}, now=0)
    assert grave.names == {"X": at(2), "Y": NO_VERSION}


def test_an_end_is_forgotten_when_nobody_can_contradict_it_any_more() -> None:
    graves = Graves(seconds=10)
    graves.dig("X", at(5), None, NAMES, now=0)
    assert graves.forget(9) == []
    assert [grave.key for grave in graves.forget(10)] == ["X"]
    assert len(graves) == 0


def test_past_the_bound_the_oldest_go_and_leave_the_horizon() -> None:
    graves = Graves(most=2)
    for second, key in enumerate("ABC"):
        _, gone = graves.dig(key, at(second), None, {}, now=0)
    assert [grave.key for grave in gone] == ["A"]
    assert graves.horizon == at(0)
    assert [grave.key for grave in graves] == ["B", "C"]


def test_a_record_that_lives_after_all_has_no_end() -> None:
    graves = Graves()
    graves.dig("X", at(5), at(1), NAMES, now=0)
    assert graves.open("X") is not None
    assert graves.get("X") is None


def test_a_bucket_has_the_graves_that_are_remembered_and_no_others() -> None:
    graves = Graves(most=3, seconds=10)
    for number in range(5):
        graves.dig(f"S{number}", at(number), None, {}, now=number)
    graves.open("S3")
    graves.forget(now=12)
    assert [grave.key for bucket in range(BUCKETS) for grave in graves.in_bucket(bucket)] == ["S4"]
    assert graves.in_bucket(bucket_of("S4")) == list(graves)
