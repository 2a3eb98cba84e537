"""The effect of an event on one ledger; what happens between several is in tests/simulation."""

from __future__ import annotations

import pytest

from catalina.tribes.ledger import ledger as ledger_module
from catalina.tribes.ledger.commands import Ask, Born, Changed, Ended, Renamed, Tell, TellEnded, Used
from catalina.tribes.ledger.graves import Graves
from catalina.tribes.ledger.ledger import Ledger
from catalina.tribes.ledger.version import VersionClock, life_tag
from tests.simulation.ledgers import World
from tests.tribes.ledger.support import at, new_ledger, us, value

PEER = "n2"


def with_record() -> Ledger:
    ledger = new_ledger()
    record = ledger.create("X.n1", us(0))
    ledger.change(record, [("a", value("1"))], us(1))
    return ledger


# -- what happens here


def test_a_record_is_found_whatever_the_route_behind_its_id() -> None:
    ledger = with_record()
    record = ledger.find("X.n1")
    assert record is not None
    assert ledger.find("X.n9") is record
    assert ledger.find("X") is record
    assert len(ledger) == 1


def test_a_second_record_of_the_same_id_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a new id, got 'X\.n2', which a record has"):
        with_record().create("X.n2", us(1))


def test_a_changed_id_leads_clients_by_the_new_name_only_and_peers_by_both() -> None:
    ledger = with_record()
    record = ledger.find("X.n1")
    assert record is not None
    ledger.rename(record, "Y.n1", us(2))
    assert (ledger.find("X.n1"), ledger.find("Y.n1")) == (None, record)
    assert ledger.addressed("X.n1") is record


def test_an_id_of_another_record_is_refused() -> None:
    ledger = with_record()
    other = ledger.create("Y.n1", us(1))
    with pytest.raises(ValueError, match="which another record has"):
        ledger.rename(other, "X.n1", us(2))


def test_an_ended_record_leaves_a_grave() -> None:
    ledger = with_record()
    record = ledger.find("X.n1")
    assert record is not None
    grave = ledger.end(record, us(2), now=0)
    assert ledger.find("X.n1") is None
    assert ledger.grave_of("X.n7") == grave
    assert len(ledger) == 0


def test_a_record_of_an_id_that_ended_is_another_one() -> None:
    ledger = with_record()
    record = ledger.find("X.n1")
    assert record is not None
    ledger.end(record, us(2), now=0)
    again = ledger.create("X.n1", us(3))
    assert again is not record
    assert ledger.heard_changes(PEER, "X.n1", [("a", value("old"))], at(1), now=0) == [Used(again)]
    assert again.values == {}


# -- what other nodes say


def test_a_peers_record_is_born_once() -> None:
    ledger = new_ledger()
    (born,) = ledger.heard_created(PEER, "X.n2", at(1), now=0)
    assert isinstance(born, Born)
    assert ledger.heard_created(PEER, "X.n2", at(1), now=0) == []


def test_a_later_change_is_taken_and_an_earlier_one_is_a_use() -> None:
    ledger = with_record()
    record = ledger.find("X")
    assert record is not None
    later = ledger.heard_changes(PEER, "X.n1", [("a", value("2"))], at(9), now=0)
    assert later == [Changed(record, [("a", value("1"), value("2"))])]
    assert ledger.heard_changes(PEER, "X.n1", [("a", value("0"))], at(0), now=0) == [Used(record)]
    assert record.values == {"a": value("2")}


def test_what_this_node_changes_next_is_later_than_what_it_heard() -> None:
    ledger = with_record()
    record = ledger.find("X")
    assert record is not None
    ledger.heard_changes(PEER, "X.n1", [("a", value("2"))], at(3600), now=0)
    ledger.change(record, [("a", value("3"))], us(2))
    assert record.values == {"a": value("3")}
    assert record.versions["a"] > at(3600)


def test_a_change_of_an_unknown_record_is_asked_for() -> None:
    assert new_ledger().heard_changes(PEER, "X.n2", [], at(1), now=0) == [Ask(PEER, "X.n2")]


def test_of_who_cannot_be_asked_the_change_waits_for_the_record() -> None:
    ledger = new_ledger()
    assert ledger.heard_changes(PEER, "X.n2", [("a", value("1"))], at(2), now=0, can_ask=False) == []
    assert ledger.find("X.n2") is None
    ledger.heard_created(PEER, "X.n2", at(1), now=1)
    record = ledger.find("X.n2")
    assert record is not None
    assert record.values == {"a": value("1")}


def test_what_is_never_born_is_forgotten() -> None:
    ledger = new_ledger()
    ledger.heard_changes(PEER, "X.n2", [("a", value("1"))], at(2), now=0, can_ask=False)
    assert ledger.forget(ledger_module.UNBORN_SECONDS) == 1


def test_what_is_never_born_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "MAX_UNBORN", 10)
    monkeypatch.setattr(ledger_module, "MAX_UNBORN_BYTES", 100)
    ledger = new_ledger()
    for number in range(100):
        ledger.heard_changes(PEER, f"{number}", [("a", value("1"))], at(2), now=0, can_ask=False)
        ledger.heard_changes(PEER, "99", [(f"{number}", value("x" * 60))], at(2), now=0, can_ask=False)
    assert ledger.forget(1e9) == 10


def test_a_change_of_an_ended_record_is_answered_with_its_end() -> None:
    ledger = with_record()
    record = ledger.find("X")
    assert record is not None
    grave = ledger.end(record, us(2), now=0)
    assert ledger.heard_changes(PEER, "X.n1", [("a", value("2"))], at(9), now=0) == [TellEnded(PEER, grave)]
    assert ledger.find("X") is None


def test_an_end_for_idleness_is_refused_by_who_knows_of_a_later_use() -> None:
    ledger = with_record()
    record = ledger.find("X")
    assert record is not None
    assert ledger.heard_end(PEER, "X.n1", at(100), access=at(0), now=0) == [Tell(PEER, record)]
    assert ledger.find("X") is record


def test_an_end_for_idleness_holds_where_nobody_knows_better() -> None:
    ledger = with_record()
    record = ledger.find("X")
    assert record is not None
    assert ledger.heard_end(PEER, "X.n1", at(100), access=record.access, now=0) == [Ended(record)]


def test_who_has_ended_an_idle_record_takes_it_back_from_who_has_used_it() -> None:
    ledger = with_record()
    record = ledger.find("X")
    assert record is not None
    used = record.snapshot()
    used.access = at(50)
    ledger.end(record, us(100), now=0, is_idle=True)
    (born,) = ledger.heard_record(PEER, used, now=1)
    assert isinstance(born, Born)
    assert ledger.grave_of("X") is None


def test_a_final_end_wins_over_a_copy_that_comes_later() -> None:
    ledger = with_record()
    record = ledger.find("X")
    assert record is not None
    copy = record.snapshot()
    copy.access = at(50)
    grave = ledger.end(record, us(2), now=0)
    assert ledger.heard_record(PEER, copy, now=1) == [TellEnded(PEER, grave)]
    assert ledger.find("X") is None


def test_a_record_that_comes_back_is_not_found_by_a_replaced_name_that_its_bearer_has_not_heard_of() -> None:
    ledger = with_record()
    record = ledger.find("X")
    assert record is not None
    old = record.snapshot()
    old.access = at(50)
    ledger.rename(record, "Y.n1", us(2))
    ledger.end(record, us(100), now=0, is_idle=True)
    ledger.heard_record(PEER, old, now=1)
    assert ledger.find("X.n1") is None
    assert ledger.find("Y.n1") is not None


def test_a_peers_new_id_is_shown() -> None:
    ledger = with_record()
    record = ledger.find("X")
    assert record is not None
    assert ledger.heard_rename(PEER, "X.n1", "Y.n2", at(9), now=0) == [Renamed(record, "X.n1")]
    assert (ledger.find("X"), ledger.find("Y.n2")) == (None, record)


def test_one_record_under_two_keys_becomes_one() -> None:
    """A Java node hands a renamed session on under its new id alone."""
    one, other = with_record(), new_ledger(node=2)
    record = one.find("X")
    assert record is not None
    one.rename(record, "A.n1", us(2))
    other.heard_created("java", "A.n1", at(0), now=0)
    for command in other.heard_record("n1", record.snapshot(), now=0):
        if isinstance(command, Tell):
            one.heard_record("n2", command.record.snapshot(), now=0)
    theirs = other.find("A.n1")
    assert theirs is not None
    assert (record.key, record.digest()) == (theirs.key, theirs.digest())
    assert (len(one), len(other)) == (1, 1)


def test_past_the_horizon_an_unknown_old_record_counts_as_ended() -> None:
    ledger = Ledger(VersionClock(life_tag(b"1", 0)), Graves(most=1))
    for name in ("A", "B"):
        ledger.end(ledger.create(name, us(100)), us(101), now=0)
    old = with_record().find("X")
    assert old is not None
    (told,) = ledger.heard_record(PEER, old.snapshot(), now=0)
    assert isinstance(told, TellEnded)


def test_the_memory_of_ends_and_names_goes_with_time() -> None:
    ledger = Ledger(VersionClock(life_tag(b"1", 0)), Graves(seconds=10))
    record = ledger.create("X", us(0))
    ledger.rename(record, "Y", us(1))
    ledger.end(record, us(2), now=0)
    assert ledger.grave_of("Y") is not None
    ledger.forget(11)
    assert (ledger.grave_of("X"), ledger.grave_of("Y")) == (None, None)


# -- several nodes


@pytest.mark.parametrize("seed", range(24))
def test_nodes_agree_after_trouble(seed: int) -> None:
    World(seed, nodes=3 + seed % 3).run()


def test_an_end_reaches_a_record_that_is_known_here_by_another_of_its_names_only() -> None:
    one, other = new_ledger(1), new_ledger(2)
    record = one.create("A.n1", us(1))
    one.rename(record, "B.n1", us(2))
    other.heard_created("java", "B.n1", at(2.5, 3), 0.0)  # as a Java node has it: under its present id
    there = other.find("B.n1")
    assert there is not None
    grave = one.end(record, us(3), 0.0)
    assert other.heard_grave("one", grave, 0.0) == [Ended(there)]
    assert other.find("B.n1") is None
    assert other.grave_of("A") is not None
    assert other.grave_of("B") is not None


def test_two_records_that_turn_out_to_be_one_are_united() -> None:
    one, other = new_ledger(1), new_ledger(2)
    record = one.create("A.n1", us(1))
    other.heard_record("one", record.snapshot(), 0.0)
    other.heard_created("java", "B.n1", at(2.5, 3), 0.0)  # news of a new id, as of a new session
    there = other.find("B.n1")
    assert there is not None
    other.take(there, [("b", value("java"))], at(2.6, 3))
    one.rename(record, "B.n1", us(2))
    one.change(record, [("a", value("ours"))], us(3))
    commands = other.heard_record("one", record.snapshot(), 0.0)
    assert Ended(there) in commands
    found = other.find("B.n1")
    assert found is not None
    assert (found.key, sorted(found.values), len(other)) == ("A", ["a", "b"], 1)


def test_a_record_made_under_a_name_of_one_that_has_ended_is_found() -> None:
    one = new_ledger(1)
    record = one.create("A.n1", us(1))
    one.rename(record, "B.n1", us(2))
    one.end(record, us(3), 0.0)
    one.heard_created("java", "B.n1", at(4, 3), 0.0)
    found = one.find("B.n1")
    assert found is not None
    assert found.key == "B"
