"""Twice the bytes, at most about twice the work: every reader of object streams, every hostile stream."""

from __future__ import annotations

import collections
import decimal
from collections.abc import Callable

import pytest

from catalina.errors import LimitError, ProtocolError
from catalina.ha.session.delta_request import DeltaRequest
from catalina.ha.session.map_session import decode_session_object
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.ha.session.session_data import decode_sessions
from catalina.ha.session.session_message import SessionMessage
from catalina.session.session_record import dump_session, load_session
from catalina.session.standard_manager import StandardManager
from catalina.tribes.io.java import EncodedValue, ObjectInputStream, decode_value, encode_value, grammar, loads
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.java.skim import skim
from tests.session.support import FakeContext
from tests.support.work import assert_linear
from tests.tribes.io.java import hostile, values
from tests.tribes.io.java.values import allow_here


@pytest.fixture(autouse=True)
def no_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what small streams may cost beyond their size: it would hide how the cost grows."""
    monkeypatch.setattr(grammar, "EXPANSION_FLOOR", 0)


def read_all(data: bytes) -> None:
    stream = ObjectInputStream(hostile.stream(data))
    while not stream.at_end:
        stream.read_encoded()


def general(data: bytes) -> None:
    """A delta whose value is the piece, in a form that only the general reader takes, and four references to it."""
    head = b"\0\x01s\0\0\0\0\x05"
    action = b"\0\0\0\0\0\0\0\0\0\x01%c\x01"
    body = hostile.stream(b"\x77" + bytes([len(head)]) + head)
    for index in range(5):
        block = action % (97 + index)
        body += b"\x77" + bytes([len(block)]) + block + (hostile.reference(1) if index else data)
    DeltaRequest.decode(body)


def stored(data: bytes) -> None:
    """A stored session whose one attribute is the piece, and is read."""
    manager = StandardManager()
    manager.context = FakeContext()
    session = manager.create_session("S")
    session.restore_attribute("a", EncodedValue(data, 0))
    stored = manager.new_session("")
    load_session(dump_session(session), stored)
    for name in stored.attribute_names():
        stored.get_attribute(name)


READERS: dict[str, Callable[[bytes], object]] = {
    "skim": lambda data: skim(data, 0, 0, 100),
    "nodes": lambda data: NodeReader(data).read_node(),
    "stream": read_all,
    "value": lambda data: decode_value(EncodedValue(data, 0), allow_here),
    "loads": lambda data: loads(hostile.stream(data)),
    "delta": general,
    "message": lambda data: SessionMessage.decode(hostile.stream(data)),
    "sessions": lambda data: list(decode_sessions(hostile.stream(data))),
    "session object": lambda data: decode_session_object(hostile.stream(data)),
    "stored session": stored,
    "principal": lambda data: SerializablePrincipal.decode(EncodedValue(data, 0)),
}


@pytest.mark.parametrize("shape", hostile.MAKERS)
@pytest.mark.parametrize("name", READERS)
def test_work_is_linear_in_the_bytes(name: str, shape: str) -> None:
    read = READERS[name]

    def make(size: int) -> Callable[[], object]:
        data = hostile.MAKERS[shape](size)

        def call() -> None:
            try:
                read(data)
            except ProtocolError:
                pass

        return call

    assert_linear(make, 150)


def _subclasses(count: int) -> object:
    return [values.Stack.__new__(values.Stack) for _ in range(count)]


PYTHON: dict[str, Callable[[int], object]] = {
    "tuples": lambda size: [(index,) for index in range(size)],
    "one tuple in many": lambda size: [(("x",) * size, index) for index in range(size)][:1] * size,
    "keys that share a part": lambda size: {(tuple(range(size)), index): None for index in range(3)},
    "frozensets": lambda size: [frozenset({index, str(index)}) for index in range(size)],
    "carts": lambda size: [values.Cart("joe", [index]) for index in range(size)],
    "subclasses": _subclasses,
    "slots": lambda size: {values.Money(decimal.Decimal(index), "EUR"): index for index in range(size)},
    "decimals": lambda size: [decimal.Decimal(index) / 3 for index in range(size)],
    "numbers": lambda size: [1 << index for index in range(size)],
    "deque": lambda size: collections.deque(range(size)),
    "enum members": lambda size: [values.Colour.RED, values.Right.READ | values.Right.RUN] * size,
    "nested": lambda size: _nested(80, size),
}


def _nested(depth: int, width: int) -> object:
    value: object = ("x",) * width
    for _ in range(depth):
        value = (value, 1)
    return value


@pytest.mark.parametrize("shape", PYTHON)
def test_work_is_linear_in_what_python_values_hold(shape: str) -> None:
    def make(size: int) -> Callable[[], object]:
        encoded = encode_value(PYTHON[shape](size))
        return lambda: decode_value(encoded, allow_here)

    assert_linear(make, 150)


def test_a_class_may_have_as_many_superclasses_as_java_has_and_not_as_many_as_one_likes() -> None:
    assert NodeReader(hostile.class_chain(33)).read_node() is not None
    assert skim(hostile.class_chain(33), 0, 0, 100) is not None
    with pytest.raises(LimitError, match="more than 32 superclasses"):
        NodeReader(hostile.class_chain(34)).read_node()
    assert skim(hostile.class_chain(34), 0, 0, 100) is None


def test_an_object_of_a_class_that_is_not_yet_described_is_refused() -> None:
    with pytest.raises(ProtocolError, match="described before its objects"):
        NodeReader(hostile.in_class_of_itself(1)).read_node()


def test_a_field_that_is_declared_twice_is_refused() -> None:
    with pytest.raises(ProtocolError, match="each field once"):
        NodeReader(hostile.field_twice()).read_node()


@pytest.mark.parametrize(("kind", "code", "size"), [("Integer", "I", 4), ("Short", "S", 2)])
def test_a_block_of_sessions_costs_what_it_is_long_whatever_boxes_it_uses(kind: str, code: str, size: int) -> None:
    """Sessions written with classes that the quick way does not know were looked for in all handles each time."""

    def box(kind: str, code: str, value: bytes) -> bytes:
        fields = b"\0\x01" + code.encode() + b"\0\x05value"
        return b"\x73" + hostile.class_desc(f"java.lang.{kind}", fields=fields) + value

    def number(value: int) -> bytes:
        return box(kind, code, value.to_bytes(size, "big"))

    long, boolean = box("Long", "J", bytes(8)), box("Boolean", "Z", b"\0")
    times = long + long + number(0) + boolean + boolean + long + long
    one = times + b"\x77\x01\0" + b"\x74\0\x01s\x70\x70" + number(0) * 2

    def make(size: int) -> Callable[[], object]:
        data = hostile.stream(number(size) + one * size)
        assert len(list(decode_sessions(data))) == size
        return lambda: list(decode_sessions(data))

    assert_linear(make, 40)
