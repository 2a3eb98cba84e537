"""The values that are remembered for clients."""

from __future__ import annotations

import pytest

from catalina.manager.jolokia import history as history_module
from catalina.manager.jolokia.history import History
from catalina.manager.jolokia.request import JolokiaRequest, Parameters, from_path
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName

BEAN = "shop:type=Shop,name=one"


@pytest.fixture
def history() -> History:
    return History()


def request(path: str) -> JolokiaRequest:
    return from_path(path, Parameters())


def read(history: History, value: object, now: int = 0, path: str = f"read/{BEAN}/count") -> object:
    return history.seen(request(path), value, now)


def values(older: object) -> list[object]:
    assert isinstance(older, list)
    return [each["value"] for each in older]


def test_nothing_is_remembered_before_it_is_switched_on(history):
    assert read(history, 1) is None
    history.set_history_limit_for_attribute(BEAN, "count", None, None, 5, 0)
    assert read(history, 2) == []
    assert read(history, 3, 7) == [{"value": 2, "timestamp": 0}]


def test_so_many_values_are_kept_the_newest_first(history):
    history.set_history_entries_for_attribute(BEAN, "count", None, None, 2)
    for value in range(4):
        read(history, value)
    assert values(read(history, 4)) == [3, 2]


def test_values_that_are_older_than_the_newest_by_more_go(history):
    history.set_history_limit_for_attribute(BEAN, "count", None, None, 0, 10)
    for now in (0, 5, 20):
        read(history, now, now)
    assert values(read(history, 30, 30)) == [20]


def test_no_more_are_kept_than_the_bean_allows_at_all(history):
    history.set_history_limit_for_attribute(BEAN, "count", None, None, 5, 0)
    history.history_max_entries = 1
    read(history, 1)
    read(history, 2)
    assert values(read(history, 3)) == [2]


def test_a_write_remembers_what_was_sent_and_a_call_its_result(history):
    history.set_history_limit_for_attribute(BEAN, "count", None, None, 5, 0)
    history.set_history_limit_for_operation(BEAN, "add", None, 5, 0)
    assert history.seen(request(f"write/{BEAN}/count/7"), 3, 0) == []
    assert values(read(history, 7)) == ["7"]
    assert history.seen(request(f"exec/{BEAN}/add/1/2"), 3, 0) == []
    assert values(history.seen(request(f"exec/{BEAN}/add/1/2"), 3, 0)) == [3]


def test_a_path_is_a_value_of_its_own(history):
    history.set_history_limit_for_attribute(BEAN, "usage", "used", None, 5, 0)
    assert read(history, 1, path=f"read/{BEAN}/usage") is None
    assert read(history, 1, path=f"read/{BEAN}/usage/used") == []


def test_several_attributes_have_their_histories_by_name(history):
    history.set_history_limit_for_attribute(BEAN, "count", None, None, 5, 0)
    both = {"count": 1, "title": "x"}
    assert read(history, both, path=f"read/{BEAN}/count,title") == {"count": []}
    older = read(history, {"shop:name=one,type=Shop": both}, path="read/shop:*/count")
    assert older == {"shop:name=one,type=Shop": {"count": [{"value": 1, "timestamp": 0}]}}


def test_a_pattern_means_its_attribute_in_all_beans(history):
    history.set_history_limit_for_attribute("shop:*", "count", None, None, 5, 0)
    assert read(history, 1) == []
    assert values(read(history, 2)) == [1]
    assert read(history, 1, path=f"read/{BEAN}/title") is None
    history.set_history_limit_for_attribute("shop:*", "count", None, None, 0, 0)
    assert read(history, 1) is None


def test_two_zeros_and_a_reset_forget(history):
    for forget in (lambda: history.set_history_entries_for_attribute(BEAN, "count", None, None, 0),
                   history.reset_history_entries):  # fmt: skip
        history.set_history_entries_for_attribute(BEAN, "count", None, None, 5)
        assert read(history, 1) is not None
        forget()
        assert read(history, 2) is None
        assert history.history_size == 0


@pytest.mark.parametrize(("target", "entries", "seconds"), [("http://other", 1, 0), (None, -1, 0), (None, 0, -1)])
def test_limits_that_make_no_sense_are_refused(history, target, entries, seconds):
    with pytest.raises(ValueError, match="expected"):
        history.set_history_limit_for_attribute(BEAN, "count", None, target, entries, seconds)


def test_all_values_together_have_a_limit_in_bytes(history, monkeypatch):
    monkeypatch.setattr(history_module, "MAX_BYTES", 100)
    history.set_history_limit_for_attribute(BEAN, "title", None, None, 10, 0)
    for letter in "abc":
        read(history, letter * 40, path=f"read/{BEAN}/title")
    assert values(read(history, "d" * 200, path=f"read/{BEAN}/title")) == ["c" * 40, "b" * 40]
    assert history.history_size == 0


def test_only_so_many_values_are_remembered(history, monkeypatch):
    monkeypatch.setattr(history_module, "MAX_KEYS", 1)
    history.set_history_limit_for_attribute("shop:*", "count", None, None, 5, 0)
    assert read(history, 1) == []
    assert read(history, 1, path="read/shop:a=b/count") is None
    with pytest.raises(ValueError, match="already"):
        history.set_history_limit_for_attribute(BEAN, "title", None, None, 5, 0)


def test_the_bean_has_jolokias_names(history):
    bean = ManagedBean(history, ObjectName("jolokia", {"type": "History"}))
    assert {"HistoryMaxEntries", "HistorySize"} <= set(bean.names())
    assert bean.operation("setHistoryLimitForOperation", 5).signature == (
        "java.lang.String", "java.lang.String", "java.lang.String", "int", "long",
    )  # fmt: skip
