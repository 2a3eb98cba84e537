from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.mutate import Change, changed, random_input


@given(
    st.binary(max_size=50), st.lists(st.builds(Change, st.integers(0, 8), st.integers(0, 65535), st.binary(max_size=8)))
)
def test_every_change_of_every_input_is_bytes(seed: bytes, changes: list[Change]) -> None:
    assert isinstance(changed(seed, changes, [b"another", b""]), bytes)


def test_no_change_is_the_seed() -> None:
    assert changed(b"seed", []) == b"seed"


def test_the_same_source_gives_the_same_inputs() -> None:
    first, second = random.Random(7), random.Random(7)
    assert [random_input([b"abc"], first) for _ in range(50)] == [random_input([b"abc"], second) for _ in range(50)]
    assert len({random_input([b"abc" * 10], first) for _ in range(50)}) > 20
