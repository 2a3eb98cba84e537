from __future__ import annotations

import datetime
import decimal
import uuid

import pytest

from catalina.tribes.io.java import encode_value, loads
from tests.tribes.io.java.values import STREAMS

BY_NAME: dict[str, list[bytes]] = {}
for case_name, stream in STREAMS:
    BY_NAME.setdefault(case_name, []).append(stream)


@pytest.mark.parametrize(
    ("value", "class_name"),
    [
        (2**31 - 1, "java.lang.Integer"),
        (-(2**31), "java.lang.Integer"),
        (2**31, "java.lang.Long"),
        (2**63 - 1, "java.lang.Long"),
        (2**63, "java.math.BigInteger"),
        (-(2**63) - 1, "java.math.BigInteger"),
        (True, "java.lang.Boolean"),
        (1.0, "java.lang.Double"),
        ({"a": 1}, "java.util.LinkedHashMap"),
        ({1}, "java.util.HashSet"),
        (decimal.Decimal("1.50"), "java.math.BigDecimal"),
        (uuid.UUID(int=1), "java.util.UUID"),
        (datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), "java.time.Ser"),
        ((1,), "[B"),
        (decimal.Decimal("NaN"), "[B"),
    ],
)
def test_each_kind_of_value_has_its_java_class(value: object, class_name: str) -> None:
    assert encode_value(value).class_name == class_name
    assert class_name in (encode_value([value]).data.decode("latin-1"))


def test_equal_texts_inside_a_value_are_written_once() -> None:
    once = len(encode_value(["a rather long text"]).data)
    assert len(encode_value(["a rather long text"] * 2).data) == once + 5


def test_numbers_and_lists_too_where_java_has_one_form_of_them() -> None:
    for name in ("BigDecimal", "BigInteger", "long"):
        for stream in BY_NAME[name]:
            value = loads(stream)
            small = type(value) is int and (
                -(2**31) <= value < 2**31 or (name == "BigInteger" and -(2**63) <= value < 2**63)
            )
            if not small:
                assert encode_value(value).to_stream() == stream
    assert encode_value([]).to_stream() == BY_NAME["ArrayList"][1]
    assert encode_value([[1], ["x"]]).to_stream() == BY_NAME["ArrayList nested"][0]


def test_tables_are_as_large_as_java_would_make_them() -> None:
    for size, buckets in ((0, 16), (12, 16), (13, 32), (24, 32), (25, 64)):
        data = encode_value({number: number for number in range(size)}).data
        assert b"\x77\x08" + buckets.to_bytes(4, "big") + size.to_bytes(4, "big") in data
        data = encode_value(set(range(size))).data
        assert b"\x77\x0c" + buckets.to_bytes(4, "big") in data
