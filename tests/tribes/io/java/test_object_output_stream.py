from __future__ import annotations

import pytest

from catalina.tribes.io.java import JavaString, ObjectInputStream, ObjectOutputStream, encode_value
from catalina.tribes.io.java.descriptors import EXTERNALIZABLE, INTEGER, describe, integer
from tests.tribes.wire import cases

CAPTURED = {case["name"]: bytes.fromhex(case["hex"]) for case in cases("java_streams")}


def captured(start: str) -> bytes:
    return next(stream for name, stream in CAPTURED.items() if name.startswith(start))


def test_block_data_between_objects_is_written_as_java_does() -> None:
    out = ObjectOutputStream()
    shared = JavaString("x")
    out.write_int(1)
    out.write_utf("abc")
    out.write_node(shared)
    out.write_boolean(True)
    out.write_node(shared)
    out.write_long(2)
    assert out.getvalue() == captured("block data between objects")


def test_long_block_data_is_cut_as_java_cuts_it() -> None:
    out = ObjectOutputStream()
    out.write_bytes(bytes(i & 255 for i in range(1500)))
    out.write_int(7)
    assert out.getvalue() == captured("1500 raw bytes")
    out = ObjectOutputStream()
    out.write_utf("x" * 300)
    assert out.getvalue() == captured("writeUTF of 300 x")


def test_no_empty_block_stands_before_an_object() -> None:
    out = ObjectOutputStream()
    out.write_bytes(b"")
    out.write_string("x")
    assert out.getvalue() == bytes.fromhex("aced0005") + b"\x74\0\x01x"


def test_a_text_too_long_for_its_length_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 65535"):
        ObjectOutputStream().write_utf("x" * 65536)


@pytest.mark.parametrize("text", ["", "x", "\u20ac" * 30000, "x" * 30000, None])
def test_a_string_of_any_length_comes_back(text: str | None) -> None:
    out = ObjectOutputStream()
    out.write_string(text)
    assert ObjectInputStream(out.getvalue()).read_boxed() == text


def test_an_encoded_value_is_moved_to_the_handles_of_the_stream() -> None:
    out = ObjectOutputStream()
    out.write_node(integer(1))
    value = encode_value([1, 2])
    out.write_encoded(value)
    assert out.getvalue().endswith(value.at_handle(3))
    assert out.handles == 3 + value.handles
    assert out.handle_of(INTEGER) == 0


def test_an_external_object_holds_what_was_written_between_its_ends() -> None:
    out = ObjectOutputStream(header=False)
    out.begin_object(describe("A", 1, EXTERNALIZABLE))
    out.write_byte(-1)
    out.end_object()
    assert out.to_encoded().data == bytes.fromhex("73720001410000000000000001 0c0000 78 70 7701ff 78")
    assert out.to_encoded().handles == 2
