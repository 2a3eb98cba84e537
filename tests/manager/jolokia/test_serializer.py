from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.manager.jolokia.request import BadRequest, Parameters
from catalina.manager.jolokia.serializer import JsonText, Serializer, with_inner
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.open_data import CompositeData, CompositeType, TabularData
from tests.manager.jolokia.shop import MEMORY, Shop

USAGE = CompositeData(MEMORY, {"used": 5, "max": 1 << 60})
NESTED = {"a": {"used": 1, "max": 2}, "b": {"used": 3}, "c": 4}


def made(value, path=None, kind="", **parameters):
    return Serializer(Parameters.of(parameters)).json_of(value, path, kind)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (["a", "used"], 1),
        (["a"], {"used": 1, "max": 2}),
        ([None, "used"], {"a": 1, "b": 3}),
        ([None, "max"], {"a": 2}),
        (["x"], None),
        (["c", "used"], None),
        ([None, "x"], None),
    ],
)
def test_a_path_leads_into_a_value_and_filters(path, found):
    assert made(NESTED, path) == found


def test_a_list_has_numbers_as_path():
    assert made(["a", "b"], ["1"]) == "b"
    assert made(["a", "b"], ["2"]) is None
    assert made(["a", "b"], ["x"]) is None
    assert made([{"n": 1}, {"m": 2}], [None, "n"]) == [1]


def test_records_and_tables_become_objects():
    assert made(USAGE) == {"used": 5, "max": 1 << 60}
    assert made(Shop()._table) == {"x": 1, "y": 2}
    row = CompositeType("row", "row", {"a": ("int", ""), "b": ("int", "")})
    table = TabularData("t", "t", row, ("a", "b"), (CompositeData(row, {"a": 1, "b": 2}),))
    assert made(table) == {"1": {"2": {"a": 1, "b": 2}}}
    assert made(ObjectName("a", {"b": "c"})) == {"objectName": "a:b=c"}


def test_limits_of_the_client_hold():
    assert made([1, 2, 3], maxCollectionSize=2) == [1, 2]
    assert made(NESTED, maxDepth=1) == {"a": str(NESTED["a"]), "b": str(NESTED["b"]), "c": "4"}
    assert made([1, 2, 3], maxObjects=2) == [1, "[Object limit exceeded]", "[Object limit exceeded]"]


def test_longs_are_texts_when_the_client_cannot_count_to_them():
    assert made(USAGE, serializeLong="string") == {"used": "5", "max": str(1 << 60)}
    assert made(7, kind="long", serializeLong="string") == "7"
    assert made(7, kind="int", serializeLong="string") == 7
    assert made([7], kind="[J", serializeLong="string") == ["7"]


@pytest.mark.parametrize(("value", "text"), [(float("nan"), "NaN"), (float("-inf"), "-Infinity")])
def test_what_json_has_no_word_for_is_text(value, text):
    assert made(value) == text


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES, st.lists(st.none() | st.text(max_size=3), max_size=3), st.integers(0, 3), st.integers(0, 3))
def test_any_value_and_path_give_json(value, path, depth, size):
    json.dumps(made(value, path, maxDepth=depth, maxCollectionSize=size, maxObjects=size), allow_nan=False)


def test_a_part_of_a_value_is_replaced_in_a_copy():
    value = {"a": [1, {"b": 2}], "c": None}
    assert with_inner(value, ("a", "1", "b"), 3) == ({"a": [1, {"b": 3}], "c": None}, 2)
    assert with_inner(value, ("new",), 4) == ({**value, "new": 4}, None)
    assert value == {"a": [1, {"b": 2}], "c": None}
    whole, old = with_inner(JsonText([1, 2]), ("0",), 5)
    assert (str(whole), old) == ("[5, 2]", 1)


@pytest.mark.parametrize("path", [("a", "x"), ("a", "0", "b"), (None, "b"), ("d", "e")])
def test_a_part_that_is_no_part_of_a_map_or_list_cannot_be_replaced(path):
    with pytest.raises(BadRequest):
        with_inner({"a": [1], "d": CompositeData(MEMORY, {"used": 5, "max": 6})}, path, 3)


@pytest.mark.parametrize("path", [("a", "7"), ("b", "0"), ("c", "0")])
def test_a_path_that_leads_nowhere_says_so(path):
    with pytest.raises(ValueError, match=r"leads to nothing|parent object is not set"):
        with_inner({"a": [1], "c": None}, path, 3)
