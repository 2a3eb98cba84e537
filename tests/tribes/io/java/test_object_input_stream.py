from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import LimitError, ProtocolError
from catalina.tribes.io.java import (
    EncodedValue,
    Limits,
    ObjectInputStream,
    ObjectOutputStream,
    decode_value,
    encode_value,
)
from catalina.tribes.io.java.descriptors import EXTERNALIZABLE, describe
from catalina.tribes.io.java.node_reader import WriteAbortedError
from catalina.tribes.io.java.nodes import JavaObject
from tests.tribes.io.java.values import STREAMS, encoded_values
from tests.tribes.wire import cases

HEADER = bytes.fromhex("aced0005")
CAPTURED = {case["name"]: bytes.fromhex(case["hex"]) for case in cases("java_streams")}
EXTERNAL = describe("External", 1, EXTERNALIZABLE)


def captured(start: str) -> bytes:
    return next(stream for name, stream in CAPTURED.items() if name.startswith(start))


def test_primitive_values_and_objects_come_in_stream_order() -> None:
    stream = ObjectInputStream(captured("block data between objects"))
    assert stream.read_int() == 1
    assert stream.read_utf() == "abc"
    assert stream.read_string() == "x"
    assert stream.read_boolean() is True
    assert stream.read_string() == "x"
    assert stream.read_long() == 2
    assert stream.at_end


def test_block_data_is_one_stream_however_it_was_cut() -> None:
    stream = ObjectInputStream(captured("1500 raw bytes"))
    assert stream.read_bytes(1500) == bytes(i & 255 for i in range(1500))
    assert stream.read_int() == 7
    assert stream.at_end
    assert ObjectInputStream(captured("writeUTF of 300 x")).read_utf() == "x" * 300


def test_a_value_cut_inside_an_int_is_joined() -> None:
    stream = ObjectInputStream(HEADER + b"\x77\x01\x00\x77\x00\x7a\0\0\0\x02\x00\x01\x77\x02\x05\xff")
    assert stream.read_int() == 0x105
    assert stream.read_byte() == -1


def test_a_reset_forgets_the_handles() -> None:
    stream = ObjectInputStream(captured("TC_RESET"))
    assert [stream.read_string(), stream.read_string()] == ["a", "a"]
    assert stream.handles == 1


def test_shared_boxes_are_read_through_their_references() -> None:
    stream = ObjectInputStream(captured("1 2 1 3L true false true"))
    assert [stream.read_boxed() for _ in range(7)] == [1, 2, 1, 3, True, False, True]


def test_shared_boxes_are_cut_out_whole() -> None:
    stream = ObjectInputStream(captured("1 2 1 3L true false true"))
    assert [decode_value(stream.read_encoded()) for _ in range(7)] == [1, 2, 1, 3, True, False, True]


def test_cutting_out_and_reading_can_be_mixed() -> None:
    stream = ObjectInputStream(captured("1 2 1 3L true false true"))
    assert decode_value(stream.read_encoded()) == 1
    assert stream.read_boxed() == 2
    assert decode_value(stream.read_encoded()) == 1
    assert stream.read_boxed_int() == 3
    assert stream.read_boxed_bool() is True


def test_an_aborted_object_is_told_and_the_next_one_read() -> None:
    for read in (ObjectInputStream.read_encoded, ObjectInputStream.read_node):
        stream = ObjectInputStream(captured("Integer 1, aborted write"))
        assert stream.read_boxed() == 1
        with pytest.raises(WriteAbortedError, match="NotSerializableException"):
            read(stream)
        assert stream.read_boxed() == 2


def test_the_inside_of_an_object_reads_like_the_stream() -> None:
    out = ObjectOutputStream()
    out.begin_object(EXTERNAL)
    out.write_int(5)
    out.write_encoded(encode_value([1]))
    out.write_int(6)
    out.end_object()
    out.write_string("behind")
    stream = ObjectInputStream(out.getvalue())
    assert stream.enter_object().name == "External"
    assert stream.read_int() == 5
    assert not stream.at_end
    stream.leave_object()
    assert stream.read_string() == "behind"


def test_only_external_objects_can_be_entered() -> None:
    for value in (1, "x"):
        with pytest.raises(ProtocolError, match="expected an"):
            ObjectInputStream(encode_value(value).to_stream()).enter_object()


def test_a_reference_into_an_entered_object_makes_its_nodes() -> None:
    out = ObjectOutputStream()
    out.begin_object(EXTERNAL)
    out.write_encoded(encode_value("a"))
    data = out.getvalue() + b"\x71\0\x7e\0\x02" + b"\x78"
    stream = ObjectInputStream(data)
    stream.enter_object()
    assert decode_value(stream.read_encoded()) == "a"
    assert decode_value(stream.read_encoded()) == "a"
    stream.leave_object()
    assert stream.at_end


def test_an_aborted_write_inside_an_entered_object_breaks_the_stream() -> None:
    exception = dict(STREAMS)["exception"][4:]
    out = ObjectOutputStream()
    out.begin_object(EXTERNAL)
    stream = ObjectInputStream(out.getvalue() + b"\x7b" + exception)
    stream.enter_object()
    with pytest.raises(ProtocolError, match="inside an object"):
        stream.read_node()


@pytest.mark.parametrize(
    ("data", "read", "match"),
    [
        (b"\x74\0\x01a", ObjectInputStream.read_int, "more bytes of block data"),
        (b"\x77\x04\0\0\0\x01", ObjectInputStream.read_node, "got 4 bytes of block data"),
        (b"\x77\x05\0", ObjectInputStream.read_int, "block of 5 bytes, 1 are left"),
        (b"\x7a\xff\xff\xff\xff", ObjectInputStream.read_int, "block of -1 bytes"),
        (b"\x70", ObjectInputStream.read_string, "expected a String, got None"),
        (b"\x74\0\x01a", ObjectInputStream.read_boxed_int, "an Integer or a Long"),
        (b"\x74\0\x01a", ObjectInputStream.read_boxed_bool, "a Boolean"),
        (encode_value([]).data, ObjectInputStream.read_boxed, "a String, a number or a Boolean"),
        (b"", ObjectInputStream.read_node, "got the end"),
    ],
)
def test_something_else_than_asked_for_is_the_documented_error(data: bytes, read: object, match: str) -> None:
    with pytest.raises(ProtocolError, match=match):
        read(ObjectInputStream(HEADER + data))  # type: ignore[operator]


def test_more_bytes_than_there_are_cannot_be_asked_for() -> None:
    with pytest.raises(ProtocolError):
        ObjectInputStream(HEADER + b"\x77\x01\0").read_bytes(2**31)


@pytest.mark.parametrize("data", [b"", b"\xac\xed", b"\xac\xed\0\x04", b"GET / HTTP/1.1"])
def test_what_is_no_object_stream_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="expected a Java object stream"):
        ObjectInputStream(data)


def test_a_second_reference_to_a_value_costs_nothing() -> None:
    big = encode_value("x" * 10000).to_stream()
    stream = ObjectInputStream(big + b"\x71\0\x7e\0\0" * 100, Limits(expansion=50_000))
    _, first, *others = [stream.read_encoded() for _ in range(101)]
    assert decode_value(first) == "x" * 10000
    assert all(value is first for value in others)


def test_values_that_only_refer_cannot_grow_without_bound() -> None:
    big = encode_value("x" * 10000)
    data = big.to_stream()
    for _ in range(100):  # a list of its own each time, with the text in it
        data += b"\x75\x72\0\x13[Ljava.lang.Object;" + bytes(8) + b"\x02\0\0\x78\x70\0\0\0\x01\x71\0\x7e\0\0"
    stream = ObjectInputStream(data, Limits(expansion=50_000))
    for _ in range(5):
        stream.read_encoded()
    with pytest.raises(LimitError, match="50000 bytes"):
        stream.read_encoded()


@settings(max_examples=50)
@given(st.lists(encoded_values, max_size=4))
def test_cut_out_values_are_those_that_were_written(values: list[EncodedValue]) -> None:
    out = ObjectOutputStream()
    for number, value in enumerate(values):
        out.write_int(number)
        out.write_encoded(value)
    stream = ObjectInputStream(out.getvalue())
    for number, value in enumerate(values):
        assert stream.read_int() == number
        assert stream.read_encoded() == value
    assert stream.at_end


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["int", "utf", "node", "encoded", "boxed", "enter", "leave"]), max_size=8), st.binary())
def test_any_bytes_read_in_any_way_give_values_or_the_error(reads: list[str], data: bytes) -> None:
    stream = ObjectInputStream(HEADER + data)
    try:
        for read in reads:
            match read:
                case "int":
                    stream.read_int()
                case "utf":
                    stream.read_utf()
                case "node":
                    node = stream.read_node()
                    assert node is None or isinstance(node, JavaObject) or node is not None
                case "encoded":
                    stream.read_encoded()
                case "boxed":
                    stream.read_boxed()
                case "enter":
                    stream.enter_object()
                case "leave":
                    stream.leave_object()
    except ProtocolError:
        pass
