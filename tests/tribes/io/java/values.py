"""Values, streams and classes that the tests of the object streams share."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import uuid
import zoneinfo
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from catalina.tribes.io.java import encode_value
from catalina.tribes.io.java.descriptors import ARRAY_LIST, new_object
from catalina.tribes.io.java.grammar import I32
from catalina.tribes.io.java.nodes import BlockData, JavaObject, Node
from tests.tribes.wire import cases

#: (name, whole stream) of each captured value.
STREAMS = [(case["name"], bytes.fromhex(case["hex"])) for case in cases("java_values")]


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Right(enum.Flag):
    READ = 1
    WRITE = 2
    RUN = 4


class Point(NamedTuple):
    x: int
    y: int


@dataclass
class Cart:
    owner: str
    items: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Money:
    amount: decimal.Decimal
    currency: str


class Slotted:
    __slots__ = ("__dict__", "_hidden", "shown")
    if TYPE_CHECKING:
        shown: int
        more: int


class Name(str):
    __slots__ = ()


class Stack(list[Any]):
    note: str

    def __init__(self) -> None:
        raise AssertionError("a constructor ran")


class Strict:
    """Whatever code of it runs, fails."""

    def __init__(self) -> None:
        raise AssertionError("a constructor ran")

    def __setattr__(self, name: str, value: object) -> None:
        raise AssertionError("__setattr__ ran")


def strict(**attributes: object) -> Strict:
    made = object.__new__(Strict)
    vars(made).update(attributes)
    return made


def allow_here(name: str) -> bool:
    """A filter that lets the classes of this module through."""
    return name.startswith(__name__ + ".")


def _joined(text: str) -> str:
    """Two lone surrogates that meet are one character to Java, and so they are to us afterwards."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


_zones = st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kolkata", "UTC"]).map(zoneinfo.ZoneInfo)
_offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes)))

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.floats(allow_nan=False),
    st.text(),
    st.text(st.characters(categories=["Cs", "Lu", "Cc"])).map(_joined),
    st.binary(),
    st.decimals(allow_nan=False),
    st.uuids(),
    st.datetimes(),
    st.datetimes(timezones=st.just(datetime.UTC)),
    st.datetimes(timezones=_offsets),
    st.datetimes(datetime.datetime(1990, 1, 1), datetime.datetime(2030, 1, 1), timezones=_zones),
    st.dates(),
    st.times(),
    st.times(timezones=_offsets),
    st.timedeltas(),
    st.complex_numbers(allow_nan=False),
    st.sampled_from([*Colour, Right.READ, Right.READ | Right.RUN, Right(0)]),
)
hashables = st.recursive(
    scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4
)
values = st.recursive(
    scalars | hashables,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(hashables, inner, max_size=4),
        st.sets(hashables, max_size=4),
        st.tuples(inner, inner),
        st.builds(Cart, st.text(), st.lists(inner, max_size=3)),
        st.builds(collections.deque, st.lists(inner, max_size=3)),
        st.builds(Point, inner, inner),
    ),
    max_leaves=12,
)
encoded_values = values.map(encode_value)

ONE_OF_EACH: list[Any] = [
    (1, "two", None),
    frozenset({1, 2.5}),
    bytearray(b"\0abc"),
    1.5 + 2j,
    decimal.Decimal("NaN"),
    decimal.Decimal("-0"),
    decimal.Decimal("1E+400"),
    range(1, 10, 3),
    collections.deque([1, 2], maxlen=5),
    collections.defaultdict(list, {"a": [1]}),
    collections.defaultdict(None, {"a": 1}),
    collections.OrderedDict([("z", 1), ("a", 2)]),
    collections.Counter("hello"),
    datetime.datetime(2024, 10, 27, 2, 30, fold=1),
    datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")),
    datetime.timezone(datetime.timedelta(hours=2)).utcoffset(None),
    uuid.UUID(int=2**127 + 5),
    Colour.GREEN,
    Right.READ | Right.WRITE,
    Point(1, 2),
    Cart("joe", [Money(decimal.Decimal("1.50"), "EUR")]),
    Name("joe"),
    b"\x00\xffcatalina.python\x01 looks like the mark",
]


def array_list(nodes: list[Node]) -> JavaObject:
    """A java.util.ArrayList."""
    node = new_object(ARRAY_LIST, size=len(nodes))
    node.data[-1].annotation = [BlockData(I32.pack(len(nodes))), *nodes]
    return node
