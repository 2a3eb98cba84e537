from __future__ import annotations

from catalina.tribes.io.java import ObjectInputStream, encode_value
from catalina.tribes.io.java.nodes import JavaArray
from catalina.tribes.io.java.python_form import MARK, PYTHON_CLASS_NAME


def test_a_python_value_is_a_byte_array_to_everybody_else() -> None:
    node = ObjectInputStream(encode_value((1, 2)).to_stream()).read_node()
    assert isinstance(node, JavaArray)
    assert node.class_name == "[B"
    assert isinstance(node.values, bytes)
    assert node.values.startswith(MARK)


def test_behind_the_mark_is_a_stream_with_one_python_object() -> None:
    node = ObjectInputStream(encode_value((1, 2)).to_stream()).read_node()
    assert isinstance(node, JavaArray)
    assert isinstance(node.values, bytes)
    inner = ObjectInputStream(node.values[len(MARK) :])
    assert inner.enter_object().name == PYTHON_CLASS_NAME
    assert inner.read_utf() == "tuple"
    assert inner.read_int() == 2
    assert [inner.read_boxed(), inner.read_boxed()] == [1, 2]
    inner.leave_object()
    assert inner.at_end
