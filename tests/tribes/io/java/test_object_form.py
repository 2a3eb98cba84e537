from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java import ObjectInputStream, dumps
from catalina.tribes.io.java.descriptors import byte_array, describe, new_object, string
from catalina.tribes.io.java.grammar import TC_OBJECT
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import ClassDesc, JavaObject
from catalina.tribes.io.java.object_form import BYTES, COMMON_BYTES, TEXT, ClassHead, ObjectForm, ObjectSink

TEXT_TYPE = "Ljava/lang/String;"
BASE = describe("Base", 1, fields="J time")
#: Numbers of two classes, texts and one byte array: nothing in it can refer to anything.
PLAIN = ObjectForm(
    describe("Plain", 2, fields=f"I kind, Z set, {TEXT_TYPE} name, [B body, {TEXT_TYPE} id", super_desc=BASE)
)
#: Byte arrays that refer to the class of the first one.
REFERRING = ObjectForm(describe("Referring", 3, fields=f"I kind, [B first, {TEXT_TYPE} name, [B second, [B third"))

texts = st.none() | st.text(max_size=20)
arrays = st.none() | st.binary(max_size=300)
numbers = st.integers(-(2**31), 2**31 - 1)


@given(numbers, numbers, st.booleans(), texts, arrays, texts)
def test_all_readers_give_what_was_written(
    time: int, kind: int, is_set: bool, name: str | None, body: bytes | None, id: str | None
) -> None:
    wire = PLAIN.stream((time, kind, is_set), (name, body, id))
    assert PLAIN.read(wire) == [time, kind, is_set, name, body, id]
    assert PLAIN.read_usual(wire) == PLAIN.read_any(wire) == PLAIN.read(wire)


@given(numbers, arrays, texts, arrays, arrays)
def test_so_do_they_where_fields_refer_to_each_other(
    kind: int, first: bytes | None, name: str | None, second: bytes | None, third: bytes | None
) -> None:
    wire = REFERRING.stream((kind,), (first, name, second, third))
    assert REFERRING.read_usual(wire) == REFERRING.read_any(wire) == [kind, first, name, second, third]


@given(arrays, texts, arrays, arrays, st.integers(1, 100))
def test_an_object_stands_in_any_stream(
    first: bytes | None, name: str | None, second: bytes | None, third: bytes | None, handles: int
) -> None:
    sink = ObjectSink()
    REFERRING.write(sink, (1,), (first, name, second, third))
    value = sink.to_encoded()
    reader = NodeReader(value.at_handle(handles), 0, [None] * handles)
    assert REFERRING.values_of(reader.read_node()) == [1, first, name, second, third]
    assert len(reader.handles) == handles + value.handles


def test_the_bytes_are_those_of_the_general_writer() -> None:
    desc = describe("Same", 3, fields=f"I kind, [B first, {TEXT_TYPE} name, [B second, {TEXT_TYPE} id")
    node = new_object(
        desc, kind=7, first=byte_array(b"a"), name=string("n"), second=byte_array(b"b"), id=string("\u00e4\0")
    )
    assert ObjectForm(desc).stream((7,), (b"a", "n", b"b", "\u00e4\0")) == encode_node(node).to_stream()


def test_of_objects_in_one_stream_each_class_is_described_once_and_what_they_share_stands_once() -> None:
    form = ObjectForm(describe("Entry", 1, fields=f"[B key, [B map, {TEXT_TYPE} name"), {"map": COMMON_BYTES})
    entries = [[b"key%d" % number, b"the map of all", "n"] for number in range(3)]
    sink = ObjectSink(shares=True)
    for entry in entries:
        form.write(sink, (), entry)
    reader = NodeReader(bytes(sink.out))
    nodes = [reader.read_node() for _ in entries]
    assert [form.values_of(node) for node in nodes] == entries
    assert bytes(sink.out).count(b"the map of all") == bytes(sink.out).count(b"Entry") == 1
    assert len({id(node.get("map")) for node in nodes if isinstance(node, JavaObject)}) == 1


def test_a_class_whose_descriptor_refers_to_itself_stands_behind_others() -> None:
    form = ObjectForm(describe("Twice", 1, fields=f"{TEXT_TYPE} one, {TEXT_TYPE} two"))
    sink = ObjectSink()
    sink.append(BYTES.head, b"\0\0\0\0")
    form.write(sink, (), ("1", "2"))
    reader = NodeReader(bytes(sink.out))
    reader.read_node()
    assert form.values_of(reader.read_node()) == ["1", "2"]


def test_fields_in_another_order_missing_and_unknown_are_read_as_java_reads_them() -> None:
    desc = describe("Plain", 2, fields=f"Z set, I new, [B body, {TEXT_TYPE} other")
    node = new_object(desc, set=True, new=5, body=byte_array(b"b"), other=string("x"))
    assert PLAIN.read(encode_node(node).to_stream()) == [0, 0, True, None, b"b", None]


@pytest.mark.parametrize(
    ("fields", "values"),
    [("[B kind", {"kind": byte_array(b"")}), (f"{TEXT_TYPE} body", {"body": string("x")}), ("D kind", {"kind": 1.5})],
)
def test_a_field_of_another_type_is_the_documented_error(fields: str, values: dict[str, Any]) -> None:
    node = new_object(describe("Plain", 2, fields=fields), **values)
    with pytest.raises(ProtocolError, match=r"kind|body"):
        PLAIN.read(encode_node(node).to_stream())


@pytest.mark.parametrize("data", [b"", b"\xac\xed\0\x05", b"nonsense", dumps(1), dumps("x")])
def test_other_objects_are_the_documented_error(data: bytes) -> None:
    assert not PLAIN.matches(data)
    with pytest.raises(ProtocolError):
        PLAIN.read(data)


def test_its_own_objects_are_known_by_their_beginning() -> None:
    assert PLAIN.matches(PLAIN.stream((1, 2, False), (None, None, None)))
    assert not PLAIN.matches(REFERRING.stream((1,), (None, None, None, None)))


@pytest.mark.parametrize("form", [PLAIN, REFERRING])
def test_an_object_cut_anywhere_is_the_documented_error(form: ObjectForm) -> None:
    wire = form.stream(
        (1, 2, True)[: 3 if form is PLAIN else 1], ("n", b"b", "i") if form is PLAIN else (b"", "n", b"b", b"c")
    )
    for end in range(len(wire)):
        with pytest.raises(ProtocolError):
            form.read(wire[:end])


@settings(max_examples=300)
@given(st.sampled_from([PLAIN, REFERRING]), st.data())
def test_any_byte_changed_gives_what_the_general_reader_gives(form: ObjectForm, data: st.DataObject) -> None:
    values: tuple[Any, Any] = (
        ((1, 2, True), ("n\u00e4", b"body", "id")) if form is PLAIN else ((1,), (b"a", "n", b"b", b"c"))
    )
    changed = bytearray(form.stream(*values))
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    wire = bytes(changed)
    try:
        expected = form.read_any(wire)
    except ProtocolError:
        with pytest.raises(ProtocolError):
            form.read(wire)
    else:
        assert form.read(wire) == expected


def test_bytes_behind_the_object_are_ignored() -> None:
    wire = PLAIN.stream((1, 2, True), ("n", b"b", "i"))
    assert PLAIN.read(wire + b"more") == PLAIN.read(wire)


def test_a_text_too_long_for_its_length_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 65535"):
        TEXT.alone("x" * 65536)


def test_a_class_with_numbers_behind_other_fields_has_no_form() -> None:
    with pytest.raises(ValueError, match="numbers of all classes"):
        ObjectForm(describe("Below", 1, fields="I number", super_desc=describe("Above", 1, fields="[B body")))


def test_the_head_of_a_class_says_how_the_next_object_begins() -> None:
    desc = describe("Any", 1)
    assert isinstance(desc, ClassDesc)
    head = ClassHead.of(TC_OBJECT, desc)
    stream = ObjectInputStream(b"\xac\xed\0\5" + head.data + head.again(0))
    assert [stream.read_encoded().class_name, stream.read_encoded().class_name] == ["Any", "Any"]
