from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import LimitError, ProtocolError
from catalina.tribes.io.java import ClassDesc, JavaArray, JavaEnum, JavaObject, JavaString, Limits, encode_value
from catalina.tribes.io.java.node_reader import UNREAD, NeedsNodesError, NodeReader, WriteAbortedError
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import JavaClass, ProxyDesc
from tests.tribes.io.java.values import STREAMS

BY_NAME = dict(STREAMS)


def read(stream: bytes) -> object:
    return NodeReader(stream, 4).read_node()


@pytest.mark.parametrize(("name", "stream"), STREAMS)
def test_every_captured_value_is_read_to_its_end(name: str, stream: bytes) -> None:
    reader = NodeReader(stream, 4)
    reader.read_node()
    assert reader.position == len(stream)


@pytest.mark.parametrize(("name", "stream"), STREAMS)
def test_every_captured_value_is_written_again_to_the_byte(name: str, stream: bytes) -> None:
    assert encode_node(NodeReader(stream, 4).read_node()).to_stream() == stream


def test_an_object_of_an_unknown_class_has_its_fields() -> None:
    node = read(BY_NAME["bean"])
    assert isinstance(node, JavaObject)
    assert node.class_name == "Values$Point"
    assert 106 in node.data[0].fields.values()


def test_an_enum_constant_is_its_name() -> None:
    node = read(BY_NAME["enum"])
    assert isinstance(node, JavaEnum)
    assert node.constant.value == "GREEN"


def test_a_list_inside_itself_is_one_node() -> None:
    node = read(BY_NAME["self-containing list"])
    assert isinstance(node, JavaObject)
    assert node in node.annotation()


def test_a_throwable_that_is_its_own_cause_is_read() -> None:
    node = read(BY_NAME["exception"])
    assert isinstance(node, JavaObject)
    assert node.get("cause") is node


@pytest.mark.parametrize(("name", "stream"), STREAMS)
def test_a_stream_cut_anywhere_is_the_documented_error(name: str, stream: bytes) -> None:
    for end in range(4, len(stream), max(1, len(stream) // 40)):
        with pytest.raises(ProtocolError):
            NodeReader(stream[:end], 4).read_node()


@pytest.mark.parametrize(
    ("hex_bytes", "match"),
    [
        ("00", "expected an object, got code 0x0"),
        ("", "got the end"),
        ("7100000000", "handles exist"),
        ("71007e0000", "0 handles exist"),
        ("7370", "the class of an object"),
        ("73740001ff", "modified UTF-8"),
        ("7374000141", "a class descriptor"),
        ("757200025b427fffffffffffffff020000787000000005", "expected 5 bytes"),
        ("757200025b427fffffffffffffff0200007870ffffffff", "expected -1 bytes"),
        ("757200025b4c7fffffffffffffff02000078707fffffff", "at most 0 elements"),
        ("7572000141 7fffffffffffffff0200007870 00000000", "the class of an array"),
        ("7372000141 0000000000000001 06 0000 78 70", "flags of one kind"),
        ("7372000141 0000000000000001 04 0000 78 70", "external data in blocks"),
        ("7372000141 0000000000000001 02 0001 51 000161 78 70", "the type code"),
        ("7372000141 0000000000000001 02 0001 4c 000161 70 78 70", "the signature"),
        ("7372000141 0000000000000001 02 0002 4c 000161 74000178 49 000162 78 70", "primitive fields before"),
        ("7e7200014100000000000000001200007870 70", "the name of a constant"),
        ("7d7fffffff", "a number of interfaces"),
        ("7372000141 0000000000000001 02 0000 78 71007e0000", "its own superclass"),
    ],
)
def test_what_breaks_the_grammar_is_refused_with_the_reason(hex_bytes: str, match: str) -> None:
    with pytest.raises(ProtocolError, match=match):
        NodeReader(bytes.fromhex(hex_bytes)).read_node()


def test_nesting_is_bounded() -> None:
    value: list[object] = []
    for _ in range(40):
        value = [value]
    encoded = encode_value(value)
    assert NodeReader(encoded.data, limits=Limits(depth=60)).read_node() is not None
    with pytest.raises(LimitError, match="nested more than 20"):
        NodeReader(encoded.data, limits=Limits(depth=20)).read_node()


def test_an_endless_chain_of_superclasses_is_bounded() -> None:
    chain = b"".join(b"\x72\0\x01A" + bytes(8) + b"\x02\0\0\x78" for _ in range(5000))
    with pytest.raises(LimitError):
        NodeReader(b"\x73" + chain).read_node()


def test_an_aborted_write_takes_the_outermost_object_and_the_handles() -> None:
    data = encode_value([1]).data
    aborted = (
        data[: data.index(b"\x73\x72\0\x11java.lang.Integer")] + b"\x7b" + BY_NAME["exception"][4:] + b"\x74\0\x01x"
    )
    reader = NodeReader(aborted)
    with pytest.raises(WriteAbortedError, match="IllegalStateException") as caught:
        reader.read_node()
    assert isinstance(caught.value.reason, JavaObject)
    assert reader.handles == []
    assert str(reader.read_node()) == "x"


def test_a_reference_to_what_was_only_passed_over_is_told_apart_from_a_wrong_one() -> None:
    with pytest.raises(NeedsNodesError):
        NodeReader(b"\x71\0\x7e\0\0", handles=[UNREAD]).read_node()


def test_primitive_arrays_stay_bytes() -> None:
    node = read(BY_NAME["int[]"])
    assert isinstance(node, JavaArray)
    assert node.values == b"\0\0\0\x01\xff\xff\xff\xfe\0\0\0\x6a"


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_node_or_the_error(data: bytes) -> None:
    try:
        node = NodeReader(data).read_node()
    except ProtocolError:
        return
    others = (JavaString, JavaObject, JavaArray, JavaEnum, ClassDesc, JavaClass, ProxyDesc)
    assert node is None or isinstance(node, others)


@settings(max_examples=300)
@given(st.sampled_from(STREAMS), st.data())
def test_a_captured_value_with_any_byte_changed_gives_a_node_or_the_error(
    case: tuple[str, bytes], data: st.DataObject
) -> None:
    wire = bytearray(case[1][4:])
    for _ in range(data.draw(st.integers(1, 4))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        encode_node(NodeReader(bytes(wire)).read_node())
    except ProtocolError:
        pass


def test_a_serialisable_class_below_an_externalizable_one_is_refused() -> None:
    """Java cannot write it, and what is read of it would not be what is written."""
    number = bytes.fromhex("7200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b")  # up to its flags
    stream = BY_NAME["int"]
    at = stream.index(number) + len(number)
    with pytest.raises(ProtocolError, match="Externalizable"):
        read(stream[:at] + b"\x0c" + stream[at + 1 :])
