"""Changed inputs: a few operations on bytes, chosen by numbers, so that hypothesis can shrink them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Change", "changed", "random_input"]

#: Numbers at which readers of lengths and counts go wrong.
_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_OPERATIONS = 9


class Change(NamedTuple):
    """One operation: what, where (of 65536 parts of the input), and with what."""

    kind: int
    place: int
    data: bytes


def _apply(data: bytes, change: Change, others: Sequence[bytes]) -> bytes:
    at = change.place * (len(data) + 1) >> 16
    piece = change.data
    number = piece[0] if piece else 0
    match change.kind % _OPERATIONS:
        case 0:  # other bytes
            return data[:at] + piece + data[at + len(piece) :]
        case 1:  # more bytes
            return data[:at] + piece + data[at:]
        case 2:  # fewer bytes
            return data[:at] + data[at + 1 + len(piece) :]
        case 3:  # cut off
            return data[:at]
        case 4:  # one bit
            return data[:at] + bytes([data[at] ^ 1 << number % 8]) + data[at + 1 :] if at < len(data) else data
        case 5:  # a number of 1, 2 or 4 bytes
            width = (1, 2, 4)[number % 3]
            value = _NUMBERS[number % len(_NUMBERS)] & (1 << 8 * width) - 1
            return data[:at] + value.to_bytes(width, "big") + data[at + width :]
        case 6:  # a part again
            return data[:at] + data[at : at + 1 + number] * (2 + number % 4) + data[at + 1 + number :]
        case 7:  # the rest of another input
            other = others[number % len(others)]
            return data[:at] + other[change.place * (len(other) + 1) >> 16 :]
        case _:  # a part moves to the front
            return data[at : at + 1 + number] + data[:at] + data[at + 1 + number :]


def changed(seed: bytes, changes: Sequence[Change], others: Sequence[bytes] = (b"",)) -> bytes:
    """The seed with the changes applied one after another."""
    for change in changes:
        seed = _apply(seed, change, others)
    return seed


def random_input(seeds: Sequence[bytes], source: random.Random) -> bytes:
    """A seed with one to six changes; now and then bytes that come from no seed."""
    if source.random() < 0.02:
        return source.randbytes(source.randrange(200))
    count = 1 + int(source.expovariate(0.7)) % 6
    changes = [
        Change(source.randrange(_OPERATIONS), source.randrange(65536), source.randbytes(source.randrange(9)))
        for _ in range(count)
    ]
    return changed(source.choice(seeds), changes, seeds)
