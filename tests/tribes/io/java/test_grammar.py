from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings

from catalina.tribes.io.java import EncodedValue, grammar
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.java.skim import skim
from tests.tribes.io.java.grammar_table import TABLE, TableReader
from tests.tribes.io.java.values import STREAMS, encoded_values


def test_codes_are_those_of_the_specification_in_order() -> None:
    codes = {name: code for name, code in vars(grammar).items() if name.startswith("TC_")}
    assert sorted(codes.values()) == list(range(0x70, 0x7F))
    assert codes["TC_NULL"] == 0x70
    assert codes["TC_ENUM"] == 0x7E


def test_limits_cannot_be_changed_for_everybody() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        grammar.DEFAULT_LIMITS.depth = 1  # type: ignore[misc]


def test_the_table_has_every_code() -> None:
    assert sorted(TABLE) == list(range(0x70, 0x7F))


@pytest.mark.parametrize(("name", "stream"), STREAMS)
def test_both_readers_follow_the_table_in_captured_streams(name: str, stream: bytes) -> None:
    table, nodes = TableReader(stream, 4), NodeReader(stream, 4)
    table.element()
    nodes.read_node()
    assert (table.position, len(table.handles)) == (nodes.position, len(nodes.handles))
    cut = skim(stream, 4, 0, 100)
    if cut is not None:  # it leaves the others to the reader of nodes
        assert (cut[1], cut[0].handles) == (table.position, len(table.handles))


@settings(max_examples=60)
@given(encoded_values)
def test_both_readers_follow_the_table_in_values_of_ours(value: EncodedValue) -> None:
    table, nodes = TableReader(value.data), NodeReader(value.data)
    table.element()
    nodes.read_node()
    cut = skim(value.data, 0, 0, 100)
    assert cut is not None
    assert (table.position, len(table.handles)) == (nodes.position, len(nodes.handles)) == (cut[1], cut[0].handles)
