from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from catalina.session.immutable import IMMUTABLE
from catalina.tribes.io.java import decode_value, encode_value

VALUES = ["x", 1, 1.5, True, None, b"x", 1j, Decimal(1), UUID(int=1), datetime(2026, 1, 1), date(2026, 1, 1), time(1),
          timedelta(1)]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_immutable_value_travels_and_is_found_equal(value: object) -> None:
    assert type(value) in IMMUTABLE
    assert decode_value(encode_value(value)) == value


def test_there_is_a_value_here_for_each_type() -> None:
    assert {type(value) for value in VALUES} == IMMUTABLE


def test_a_subclass_may_have_anything_inside() -> None:
    assert type("Text", (str,), {}) not in IMMUTABLE
