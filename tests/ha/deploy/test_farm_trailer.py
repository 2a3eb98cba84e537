"""The trailer that Python nodes add to each piece."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.ha.deploy.farm_trailer import FarmTrailer

numbers = st.integers(0, 2**64 - 1)
trailers = st.builds(
    FarmTrailer, st.binary(min_size=16, max_size=16), numbers, numbers, numbers, st.binary(min_size=32, max_size=32)
)


@given(trailers)
def test_what_is_encoded_is_decoded(trailer):
    assert FarmTrailer.decode(trailer.encode()) == trailer


@given(st.binary(max_size=200))
def test_what_java_has_behind_a_piece_is_no_trailer(padding):
    assert FarmTrailer.decode(padding) is None


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: b"X" + data[1:]])
def test_anything_else_is_none(change):
    assert FarmTrailer.decode(change(FarmTrailer(bytes(16), 0, 1, 2, bytes(32)).encode())) is None
