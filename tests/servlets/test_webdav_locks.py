"""Locks: what stands in the way of whom, and the If field."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.servlets import webdav_locks
from catalina.servlets.webdav_locks import BadIfError, LockedError, LockTable, if_holds, parse_timeout, tokens_of


def test_an_exclusive_lock_needs_its_token() -> None:
    table = LockTable()
    lock = table.acquire("/a", exclusive=True, deep=False, owner="", timeout=60)
    table.check("/a", [lock.token])
    table.check("/b", [])
    with pytest.raises(LockedError):
        table.check("/a", ["opaquelocktoken:other"])
    with pytest.raises(LockedError):
        table.acquire("/a", exclusive=False, deep=False, owner="", timeout=60)


def test_of_shared_locks_one_token_is_enough() -> None:
    table = LockTable()
    first = table.acquire("/a", exclusive=False, deep=False, owner="", timeout=60)
    table.acquire("/a", exclusive=False, deep=False, owner="", timeout=60)
    table.check("/a", [first.token])
    with pytest.raises(LockedError):
        table.check("/a", [])
    with pytest.raises(LockedError):
        table.acquire("/a", exclusive=True, deep=False, owner="", timeout=60)


def test_a_deep_lock_covers_what_is_below_and_only_that() -> None:
    table = LockTable()
    table.acquire("/d", exclusive=True, deep=True, owner="", timeout=60)
    with pytest.raises(LockedError):
        table.check("/d/x", [])
    table.check("/dx", [])


def test_a_lock_below_stands_in_the_way_of_a_deep_one() -> None:
    table = LockTable()
    table.acquire("/d/x", exclusive=True, deep=False, owner="", timeout=60)
    with pytest.raises(LockedError):
        table.acquire("/d", exclusive=False, deep=True, owner="", timeout=60)
    with pytest.raises(LockedError):
        table.check("/d", [], with_below=True)
    table.check("/d", [])


def test_locks_end_are_renewed_and_given_back() -> None:
    table = LockTable()
    lock = table.acquire("/a", exclusive=True, deep=False, owner="", timeout=60)
    assert table.covering("/a", now=time.monotonic() + 59) == [lock]
    renewed = table.refresh("/a", [lock.token], 600)
    assert renewed is not None
    assert renewed.token == lock.token
    assert table.covering("/a", now=time.monotonic() + 599) == [renewed]
    assert not table.release("/b", lock.token)
    assert table.release("/a", lock.token)
    again = table.acquire("/a", exclusive=True, deep=False, owner="", timeout=60)
    assert table.covering("/a", now=time.monotonic() + 61) == []
    assert table.refresh("/a", [again.token], 60) is None


def test_what_is_gone_is_not_locked() -> None:
    table = LockTable()
    for path in ("/d", "/d/x", "/dx"):
        table.acquire(path, exclusive=True, deep=False, owner="", timeout=60)
    table.forget("/d")
    assert [bool(table.covering(path)) for path in ("/d", "/d/x", "/dx")] == [False, False, True]


def test_what_remains_stays_locked() -> None:
    table = LockTable()
    locks = {
        path: table.acquire(path, exclusive=True, deep=False, owner="", timeout=60) for path in ("/d/x", "/d/y", "/e")
    }
    assert table.closed_below("/d", [locks["/d/y"].token]) == {"/d/x"}
    table.forget("/d", lambda path: path == "/d/x")
    assert [bool(table.covering(path)) for path in ("/d/x", "/d/y", "/e")] == [True, False, True]


def test_there_is_an_end_to_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webdav_locks, "MAX_LOCKS", 1)
    table = LockTable()
    table.acquire("/a", exclusive=True, deep=False, owner="", timeout=60)
    with pytest.raises(LockedError):
        table.acquire("/b", exclusive=True, deep=False, owner="", timeout=60)


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        (None, 3600), ("Second-10", 10), ("Infinite", 604_800), ("x, second-20", 20), ("Second-0", 3600),
        ("Second-0, Second-5", 5),
        ("Second-99999999999999999999", 604_800), ("Second-x", 3600),
    ],
)  # fmt: skip
def test_timeouts(field: str | None, seconds: int) -> None:
    assert parse_timeout(field) == seconds


def test_tokens_of_a_field() -> None:
    assert tokens_of('</a> (<opaquelocktoken:1> ["x"]) (Not <urn:uuid:2>)') == ["opaquelocktoken:1", "urn:uuid:2"]
    assert tokens_of(None) == []


@pytest.mark.parametrize(
    ("field", "holds"),
    [
        ("(<urn:1>)", True), ("(<urn:2>)", False), ("(Not <urn:2>)", True), ("(Not <urn:1>)", False),
        ('(<urn:1> ["e"])', True), ('(<urn:1> ["f"])', False), ('(<urn:2>) (["e"])', True), ('</a> (["e"])', True),
        ('</z> (["e"])', False), ('</z> (["e"]) </a> (<urn:1>) (["f"])', True), (' (["e"]) ', True),
    ],
)  # fmt: skip
def test_the_if_field(field: str, holds: bool) -> None:
    assert if_holds(field, lambda tag: None if tag == "/z" else (["urn:1"], '"e"')) is holds


@pytest.mark.parametrize(
    "field", ["", "()", "<urn:1>", '(["e"]) x', '</a> </b> (["e"])', '(["e"]) </a>', "(x)", "(<urn:1>) (Not)", '(["e)']
)
def test_a_malformed_if_field(field: str) -> None:
    with pytest.raises(BadIfError):
        if_holds(field, lambda tag: (["urn:1"], '"e"'))


@given(st.text('<>()[]Not "urn:1W/e', max_size=40) | st.text(max_size=40))
def test_any_if_field_holds_or_not_or_is_malformed(field: str) -> None:
    try:
        assert if_holds(field, lambda tag: None if tag else (["urn:1"], '"e"')) in (True, False)
    except BadIfError:
        return
