"""Each decoder's work is linear in its input: a piece of an input, repeated twice as often, costs about twice as much.

The test modules of the decoders have the inputs that somebody thought of; here chance chooses the pieces, for all.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from functools import partial

import pytest

from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS
from tests.support.work import assert_linear, instructions

#: Inputs of each decoder that are grown.
SHAPES = 24
#: Bytes that the repeated pieces have together, and twice as many.
SIZE = 1500
#: A decoder that executes less for the smaller input has refused it, or left the work to C code.
FEW = 1500
#: Separators of the texts that decoders take apart.
_SEPARATORS = b" \t\r\n,;:=&%/\\\"'<>()[]{}.-+*\x00\x01\xff"


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Silence the log, as in test_fuzz."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def _shapes(target: Target) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Beginning, piece and end of inputs, the same ones in every run."""
    chance = random.Random(target.name)
    seeds = [seed for seed in (*target.seeds(), *(file.read_bytes() for file in target.corpus())) if seed]
    for _ in range(SHAPES):
        seed = chance.choice(seeds)
        start = chance.randrange(len(seed))
        end = min(len(seed), start + chance.choice((1, 2, 4, 8, 16, 64)))
        piece = seed[start:end]
        if chance.random() < 0.3:
            piece = bytes(chance.choices(_SEPARATORS, k=chance.randint(1, 3)))
        yield (seed[:end], piece, seed[end:]) if chance.random() < 0.8 else (b"", piece, b"")


@pytest.mark.parametrize("name", TARGETS)
def test_twice_the_input_is_about_twice_the_work(name: str) -> None:
    target = TARGETS[name]
    for head, piece, tail in _shapes(target):

        def make(size: int, head: bytes = head, piece: bytes = piece, tail: bytes = tail) -> partial[None]:
            return partial(target.run, head + piece * (size // len(piece)) + tail)

        make(SIZE)()  # imports and caches
        if instructions(make(SIZE)) > FEW:
            try:
                assert_linear(make, SIZE)
            except AssertionError as error:
                error.add_note(f"target {name}: {head!r} + n * {piece!r} + {tail!r}")
                raise
