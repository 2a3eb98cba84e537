"""Values that applications keep in sessions, of every kind that travels.

It imports the standard library alone: tests load it in any Python, as a module ``shop_values`` of an application.
"""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import ipaddress
import uuid
import zoneinfo
from typing import Any

__all__ = ["values"]


class Colour(enum.Enum):
    RED = "r"


class Right(enum.IntFlag):
    READ = 1
    WRITE = 2


class Way(enum.Flag):
    IN = 1
    OUT = 2


class Word(enum.StrEnum):
    YES = "yes"


@dataclasses.dataclass
class Item:
    name: str
    price: decimal.Decimal
    tags: frozenset[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    place: tuple[int, int]


class Text(str):
    __slots__ = ("note",)


class Pair(collections.namedtuple("Pair", "left right")):
    pass


def values() -> dict[str, list[Any]]:
    """New ones with each call; equal ones compare equal."""
    return {
        "simple": [None, True, 1, 2**40, 2**100, 1.5, float("inf"), "text \u20ac \U0001f600", b"bytes", (1, ("a",))],
        "times": [
            datetime.datetime(2026, 1, 2, 3, 4, 5, 6, zoneinfo.ZoneInfo("Europe/Berlin")),
            datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
            datetime.datetime(2026, 10, 25, 2, 30, fold=1),
            datetime.date(2026, 1, 2),
            datetime.time(1, 2),
            datetime.timedelta(days=1, seconds=2),
        ],
        "numbers": [decimal.Decimal("1.20"), fractions.Fraction(1, 3), complex(1, 2), uuid.UUID(int=5)],
        "collections": [
            {"a": {1, 2}},
            collections.OrderedDict(b=1, a=2),
            collections.Counter("aab"),
            collections.deque([1, 2], 3),
            collections.defaultdict(list, a=[1]),
            frozenset({"x"}),
            bytearray(b"b"),
        ],
        "networks": [
            ipaddress.ip_address("10.0.0.1"),
            ipaddress.ip_network("10.0.0.0/8"),
            ipaddress.ip_interface("::1/64"),
        ],
        "own": [
            Item("tea", decimal.Decimal(3), frozenset({"hot"})),
            Slotted((1, 2)),
            Text("own"),
            Pair(1, [2]),
            Colour.RED,
            Right.READ | Right.WRITE,
            Way.IN | Way.OUT,
            Word.YES,
        ],
    }
