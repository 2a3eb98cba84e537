from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.manager.jolokia.request import Parameters
from catalina.manager.jolokia.serializer import Serializer
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
