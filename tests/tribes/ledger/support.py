"""Versions, values and ledgers with a clock that the test moves."""

from __future__ import annotations

from catalina.tribes.io.java import EncodedValue, encode_value
from catalina.tribes.ledger.ledger import Ledger
from catalina.tribes.ledger.version import Version, VersionClock, life_tag, version_at

NOW_US = 1_700_000_000_000_000


def at(second: float, node: int = 1) -> Version:
    """The version of something that a node did at a second."""
    return version_at(NOW_US + int(second * 1_000_000), bytes([node]) * 8)


def us(second: float) -> int:
    return NOW_US + int(second * 1_000_000)


def value(text: str) -> EncodedValue:
    return encode_value(text)


def new_ledger(node: int = 1) -> Ledger:
    return Ledger(VersionClock(life_tag(bytes([node]), 0)))
