from __future__ import annotations

import pytest

from catalina.errors import LimitError
from catalina.tribes.io.java import JavaString
from catalina.tribes.io.java.descriptors import INTEGER, integer
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.java.node_writer import MAX_DEPTH, NodeWriter, encode_node, write_block
from catalina.tribes.io.java.nodes import Node
from tests.tribes.io.java import hostile
from tests.tribes.io.java.values import array_list


def test_a_node_that_stands_twice_is_a_reference_the_second_time() -> None:
    shared = JavaString("x")
    writer = NodeWriter()
    writer.write_node(shared)
    writer.write_node(shared)
    assert bytes(writer.out) == b"\x74\0\x01x\x71\0\x7e\0\0"
    assert writer.fixups == [5]


def test_equal_strings_stay_two() -> None:
    writer = NodeWriter()
    writer.write_node(JavaString("x"))
    writer.write_node(JavaString("x"))
    assert bytes(writer.out) == b"\x74\0\x01x" * 2
    assert writer.handles == 2


def test_the_second_object_of_a_class_refers_to_its_descriptor() -> None:
    writer = NodeWriter()
    writer.write_node(integer(1))
    start = len(writer.out)
    writer.write_node(integer(2))
    assert bytes(writer.out[start:]) == b"\x73\x71\0\x7e\0\0\0\0\0\x02"
    assert writer.handle_of(INTEGER) == 0


def test_handles_go_on_from_those_the_stream_has() -> None:
    shared = JavaString("x")
    writer = NodeWriter(handles=5)
    writer.write_node(shared)
    writer.write_node(shared)
    assert bytes(writer.out).endswith(b"\x71\0\x7e\0\x05")


def test_a_node_written_by_other_means_is_referred_to() -> None:
    writer = NodeWriter()
    shared = JavaString("x")
    writer.know(shared, 3)
    assert writer.knows(shared)
    writer.write_node(shared)
    assert bytes(writer.out) == b"\x71\0\x7e\0\x03"


@pytest.mark.parametrize(("size", "head"), [(0, b""), (1, b"\x77\x01"), (255, b"\x77\xff"), (256, b"\x7a\0\0\x01\0")])
def test_block_data_has_a_short_head_up_to_255_bytes(size: int, head: bytes) -> None:
    out = bytearray()
    write_block(out, bytes(size))
    assert bytes(out) == head + bytes(size)


@pytest.mark.parametrize("length", [65535, 65536])
def test_a_string_is_long_beyond_65535_bytes(length: int) -> None:
    data = encode_node(JavaString("x" * length)).data
    assert data[0] == (0x74 if length == 65535 else 0x7C)
    assert str(NodeReader(data).read_node()) == "x" * length


def test_a_tree_nested_too_deep_is_refused() -> None:
    node: Node = None
    for _ in range(MAX_DEPTH + 3):
        node = array_list([node])
    with pytest.raises(LimitError):
        encode_node(node)


def test_an_externalizable_class_with_fields_is_written_as_it_was_read() -> None:
    """Java never names fields in such a descriptor, and does not look at them."""
    external = hostile.external_with_field()
    assert encode_node(NodeReader(external).read_node()).data == external
