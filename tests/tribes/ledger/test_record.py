from __future__ import annotations

import copy
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from catalina.tribes.ledger import record as module
from catalina.tribes.ledger.record import MAX_REMOVED, Record, bare_id, bucket_of
from catalina.tribes.ledger.version import NO_VERSION
from tests.tribes.ledger.support import at, value


def record(**values: str) -> Record:
    made = Record("X.n1", at(0))
    for name, text in values.items():
        made.take(name, value(text), at(1))
    return made


def test_the_later_change_of_a_field_holds_whatever_comes_first() -> None:
    known = record()
    known.take("a", value("late"), at(2))
    known.take("a", value("early"), at(1))
    assert known.values == {"a": value("late")}


def test_different_fields_are_changed_independently() -> None:
    known = record()
    known.take("a", value("1"), at(2, node=1))
    known.take("b", value("2"), at(1, node=2))
    assert known.values == {"a": value("1"), "b": value("2")}


def test_a_removal_is_a_change_like_another() -> None:
    known = record(a="1")
    known.take("a", None, at(3))
    known.take("a", value("crossed"), at(2))
    assert known.values == {}


def test_what_is_no_attribute_stands_apart() -> None:
    known = record()
    known.take((1, ""), value("joe"), at(1))
    assert (known.values, known.value_of((1, ""))) == ({}, value("joe"))


def test_removed_names_are_bounded_and_still_removed() -> None:
    known = record()
    for number in range(10 * MAX_REMOVED):
        known.take(f"n{number}", None, at(number))
    assert len(known.versions) <= MAX_REMOVED
    assert not known.take("n0", value("came late"), at(0))


def test_a_new_route_leaves_the_bare_id_in_use() -> None:
    known = record()
    assert known.rename("X.n1", "X.n2", at(1)) == "X.n1"
    assert known.id == "X.n2"
    assert known.leads_here("X")


def test_a_replaced_bare_id_leads_nowhere_any_more() -> None:
    known = record()
    known.rename("X.n1", "Y.n1", at(1))
    assert (known.leads_here("X"), known.leads_here("Y")) == (False, True)


def test_of_two_new_ids_that_cross_both_lead_here_and_the_later_one_is_shown() -> None:
    known = record()
    known.rename("X.n1", "Z.n2", at(2, node=2))
    assert known.rename("X.n1", "Y.n1", at(1, node=1)) is None
    assert known.id == "Z.n2"
    assert (known.leads_here("X"), known.leads_here("Y"), known.leads_here("Z")) == (False, True, True)


def test_an_older_copy_says_nothing_new() -> None:
    known = record(a="1")
    old = known.snapshot()
    known.take("a", value("2"), at(5))
    merged = known.merge(old)
    assert (merged.changed, merged.has_newer) == ([], True)
    assert known.values == {"a": value("2")}


def test_a_newer_copy_is_taken_with_what_it_changes() -> None:
    known = record(a="1", b="1")
    other = copy.deepcopy(known)
    other.take("a", value("2"), at(5))
    other.take("b", None, at(5))
    merged = known.merge(other.snapshot())
    assert sorted(merged.changed) == [("a", value("1"), value("2")), ("b", value("1"), None)]
    assert not merged.has_newer
    assert known.digest() == other.digest()


def test_a_copy_in_which_a_replaced_id_is_unknown_does_not_bring_it_back() -> None:
    known = record()
    old = known.snapshot()
    known.rename("X.n1", "Y.n1", at(1))
    known.merge(old)
    assert not known.leads_here("X")


def test_an_id_that_leads_nowhere_is_shown_no_more() -> None:
    known = record()
    known.learn_names({"X": at(1), "Y": NO_VERSION})
    assert known.id == "Y.n1"


def test_the_digest_follows_the_versions() -> None:
    known = record(a="1")
    before = known.digest()
    known.take("a", value("1"), at(5))
    assert known.digest() != before


def test_use_is_not_in_the_digest() -> None:
    known = record()
    before = known.digest()
    known.access = at(9)
    assert known.digest() == before


def test_a_bare_id_has_no_route() -> None:
    assert (bare_id("X.n1"), bare_id("X"), bare_id("X.a.b")) == ("X", "X", "X")


def test_buckets_are_the_same_on_every_node() -> None:
    assert (bucket_of("X"), bucket_of("\udc80")) == (1611, 1531)


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", (1, ""), "rename"]),
        st.one_of(st.none(), st.sampled_from(["1", "2"])),
        st.integers(0, 20),
        st.integers(1, 3),
    ),
    max_size=12,
    unique_by=lambda change: change[2:],
)


def apply(known: Record, changes: list[tuple[object, str | None, int, int]]) -> Record:
    for name, text, second, node in changes:
        if name == "rename" and at(second, node) > known.id_version:  # the node that renames has heard of the id before
            known.rename(known.id, f"{text or 'X'}.n{node}", at(second, node))
        elif name != "rename":
            known.take(name, None if text is None else value(text), at(second, node))  # type: ignore[arg-type]
    return known


def test_a_new_route_that_crosses_a_new_name_shows_the_new_name() -> None:
    one, other = record(), record()
    one.rename("X.n1", "LOGIN.n1", at(5, 1))
    other.rename("X.n1", "X.n2", at(6, 2))  # before it has heard of the login
    before = one.snapshot()
    assert one.rename("X.n1", "X.n2", at(6, 2)) == "LOGIN.n1"
    assert other.rename("X.n1", "LOGIN.n1", at(5, 1)) == "X.n2"
    assert (one.id, other.id, one.digest()) == ("LOGIN.n2", "LOGIN.n2", other.digest())
    third = record()
    third.rename("X.n1", "X.n2", at(6, 2))
    third.merge(before)
    assert (third.id, third.digest()) == ("LOGIN.n2", one.digest())


@given(CHANGES, st.randoms())
def test_the_same_changes_of_fields_give_the_same_record_in_any_order(changes: Any, random: Any) -> None:
    changes = [change for change in changes if change[0] != "rename"]
    one = apply(record(), changes)
    random.shuffle(changes)
    other = apply(record(), changes)
    assert (one.values, one.extras, one.digest()) == (other.values, other.extras, other.digest())


@given(CHANGES, CHANGES)
def test_two_copies_that_give_each_other_what_they_have_are_equal(ours: Any, theirs: Any) -> None:
    theirs = [(name, text, second, node + 3) for name, text, second, node in theirs]  # no two nodes make one version
    one, other = apply(record(), ours), apply(record(), theirs)
    before = one.snapshot()
    one.merge(other.snapshot())
    other.merge(before)
    assert (one.id, one.names, one.values, one.digest()) == (other.id, other.names, other.values, other.digest())
    assert not one.has_newer_than(other.snapshot())


def test_a_removal_that_is_remembered_by_its_time_only_reaches_a_node_that_has_missed_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_REMOVED", 1)
    known, missed = record(cart="1", kept="2"), record(cart="1", kept="2")
    known.take("kept", value("3"), at(9))
    known.take("cart", None, at(5))
    known.take("other", None, at(6))  # the removal of the cart is the older one, and is forgotten by name
    assert "cart" not in known.versions
    merged = missed.merge(known.snapshot())
    assert missed.values == {"kept": value("3")}
    assert ("cart", value("1"), None) in merged.changed
    assert missed.digest() == known.digest()


def test_a_change_after_a_forgotten_removal_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMOVED", 1)
    known, other = record(cart="1"), record(cart="1")
    known.take("cart", None, at(5))
    known.take("other", None, at(6))
    other.take("cart", value("2"), at(7))
    known.merge(other.snapshot())
    other.merge(known.snapshot())
    assert known.values == other.values == {"cart": value("2")}
    assert known.digest() == other.digest()


def test_a_field_below_the_other_copys_forgotten_removals_does_not_keep_the_copies_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_REMOVED", 1)
    one, other = record(), record()
    one.take("b", None, at(1, 1))
    other.take("c", None, at(0, 5))
    other.take("a", value("1"), at(0, 4))  # before the removal that both will have forgotten
    before = one.snapshot()
    one.merge(other.snapshot())
    other.merge(before)
    assert one.floor == other.floor == at(0, 5)
    one.merge(other.snapshot())
    other.merge(one.snapshot())
    assert one.values == other.values == {}
    assert one.digest() == other.digest()


@given(CHANGES, CHANGES)
def test_copies_that_have_forgotten_removals_are_equal_after_they_have_met(ours: Any, theirs: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_REMOVED", 1)
        theirs = [(name, text, second, node + 3) for name, text, second, node in theirs]
        one, other = apply(record(), ours), apply(record(), theirs)
        for _ in range(2):  # merging itself may forget a removal
            before = one.snapshot()
            one.merge(other.snapshot())
            other.merge(before)
    assert (one.values, one.extras, one.floor, one.digest()) == (
        other.values,
        other.extras,
        other.floor,
        other.digest(),
    )
