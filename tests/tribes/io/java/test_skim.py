from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java import EncodedValue, encode_value
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.skim import skim
from tests.tribes.io.java.values import STREAMS, encoded_values

#: Streams that only the reader of nodes takes.
NOT_SKIMMED = {"dynamic proxy"}


@pytest.mark.parametrize(("name", "stream"), [case for case in STREAMS if case[0] not in NOT_SKIMMED])
def test_every_captured_value_is_cut_out_as_the_nodes_say(name: str, stream: bytes) -> None:
    cut = skim(stream, 4, 0, 100)
    assert cut is not None
    value, end = cut
    assert end == len(stream)
    assert value == encode_node(NodeReader(stream, 4).read_node())


@pytest.mark.parametrize(("name", "stream"), [case for case in STREAMS if case[0] in NOT_SKIMMED])
def test_what_needs_the_nodes_is_left_to_them(name: str, stream: bytes) -> None:
    assert skim(stream, 4, 0, 100) is None


@settings(max_examples=60)
@given(encoded_values, st.integers(0, 1000))
def test_a_value_is_cut_out_of_any_place_as_it_was_put_in(value: EncodedValue, handles: int) -> None:
    cut = skim(b"before" + value.at_handle(handles) + b"behind", 6, handles, 100)
    assert cut == (value, 6 + len(value.data))


def test_a_reference_to_what_came_before_is_left_to_the_nodes() -> None:
    assert skim(b"\x71\0\x7e\0\x02", 0, 3, 100) is None


def test_nesting_is_bounded() -> None:
    assert skim(encode_value([[[[1]]]]).data, 0, 0, 100) is not None
    assert skim(encode_value([[[[1]]]]).data, 0, 0, 3) is None


@pytest.mark.parametrize(("name", "stream"), STREAMS)
def test_a_value_cut_short_is_not_a_value(name: str, stream: bytes) -> None:
    for end in range(4, len(stream), max(1, len(stream) // 30)):
        assert skim(stream[:end], 4, 0, 100) is None


@settings(max_examples=300)
@given(st.sampled_from(STREAMS), st.data())
def test_whatever_is_cut_out_is_a_value_to_the_nodes_too(case: tuple[str, bytes], data: st.DataObject) -> None:
    wire = bytearray(case[1][4:])
    for _ in range(data.draw(st.integers(1, 3))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    cut = skim(bytes(wire), 0, 0, 100)
    if cut is None:
        return
    reader = NodeReader(bytes(wire))
    try:
        reader.read_node()
    except ProtocolError:  # the walk looks neither into texts nor at flags; who decodes the value finds out
        return
    assert reader.position == cut[1]
    assert len(reader.handles) == cut[0].handles
