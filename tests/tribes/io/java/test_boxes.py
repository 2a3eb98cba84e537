from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java import ObjectInputStream, ObjectOutputStream, encode_value
from catalina.tribes.io.java.boxes import Boxes
from catalina.tribes.io.java.descriptors import BOOLEAN, INTEGER, LONG, integer
from catalina.tribes.io.java.nodes import JavaObject

RUN = Boxes(LONG, INTEGER, BOOLEAN, LONG)
COUNT = Boxes(INTEGER)

integers = st.integers(-(2**31), 2**31 - 1)
longs = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.tuples(longs, integers, st.booleans(), longs), max_size=4))
def test_runs_come_back_the_first_and_the_later_ones(runs: list[tuple[int, int, bool, int]]) -> None:
    out = ObjectOutputStream()
    for run in runs:
        RUN.write(out, run)
        out.write_string("between")
        COUNT.write(out, (7,))
    stream = ObjectInputStream(out.getvalue())
    for run in runs:
        assert tuple(RUN.read(stream)) == run
        assert stream.read_string() == "between"
        assert tuple(COUNT.read(stream)) == (7,)
    assert stream.at_end


def test_the_bytes_are_those_of_single_objects() -> None:
    out, single = ObjectOutputStream(), ObjectOutputStream()
    for number in range(3):
        COUNT.write(out, (number,))
        single.write_node(integer(number))
    assert out.getvalue() == single.getvalue()


def test_a_later_object_may_refer_to_a_box_that_was_read_in_one_piece() -> None:
    out = ObjectOutputStream()
    for number in range(2):
        RUN.write(out, (number, 5, True, 6))
    shared = out.handles - 3  # the second Integer
    out.write_raw(b"\x71" + (0x7E0000 + shared).to_bytes(4, "big"), 0)
    stream = ObjectInputStream(out.getvalue())
    assert [tuple(RUN.read(stream)) for _ in range(2)] == [(0, 5, True, 6), (1, 5, True, 6)]
    node = stream.read_node()
    assert isinstance(node, JavaObject)
    assert (node.class_name, node.get("value")) == ("java.lang.Integer", 5)


def test_a_long_stands_for_an_integer() -> None:
    out = ObjectOutputStream()
    for _ in range(2):
        out.write_encoded(encode_value(2**40))
    stream = ObjectInputStream(out.getvalue())
    assert [tuple(COUNT.read(stream)) for _ in range(2)] == [(2**40,), (2**40,)]


def test_after_a_reset_the_classes_are_looked_for_again() -> None:
    first, second = ObjectOutputStream(), ObjectOutputStream(header=False)
    for number in range(2):
        COUNT.write(first, (number,))
        COUNT.write(second, (number + 2,))
    stream = ObjectInputStream(first.getvalue() + b"\x79" + second.getvalue())
    assert [tuple(COUNT.read(stream)) for _ in range(4)] == [(0,), (1,), (2,), (3,)]


@pytest.mark.parametrize("value", ["text", None, 1.5, True, [1]])
def test_another_class_is_the_documented_error(value: object) -> None:
    out = ObjectOutputStream()
    COUNT.write(out, (1,))
    out.write_encoded(encode_value(value))
    stream = ObjectInputStream(out.getvalue())
    COUNT.read(stream)
    with pytest.raises(ProtocolError):
        COUNT.read(stream)


def test_a_run_that_is_cut_short_is_the_documented_error() -> None:
    out = ObjectOutputStream()
    for _ in range(2):
        RUN.write(out, (1, 2, False, 3))
    wire = out.getvalue()
    first = ObjectInputStream(wire)
    RUN.read(first)
    for end in range(first.position, len(wire)):
        stream = ObjectInputStream(wire[:end])
        RUN.read(stream)
        with pytest.raises(ProtocolError):
            RUN.read(stream)
