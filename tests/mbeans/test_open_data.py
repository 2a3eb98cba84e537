from __future__ import annotations

import pytest

from catalina.mbeans.open_data import CompositeData, CompositeType, java_double, java_text

USAGE = CompositeType("java.lang.management.MemoryUsage", "usage", {"used": ("long", ""), "init": ("long", "")})


def test_a_record_is_written_as_by_tomcat() -> None:
    assert str(CompositeData(USAGE, {"used": 5, "init": None})) == "{init=null, used=5}"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"), (1.0, "1.0"), (0.25, "0.25"), (0.001, "0.001"), (1e-5, "1.0E-5"), (1.5e10, "1.5E10"),
        (12345678.0, "1.2345678E7"), (1e7, "1.0E7"), (9999999.0, "9999999.0"), (-2.5e-7, "-2.5E-7"),
        (float("nan"), "NaN"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity"), (-0.0, "-0.0"),
    ],
)  # fmt: skip
def test_a_double_is_written_as_by_java(value: float, text: str) -> None:
    assert java_double(value) == text


def test_truth_and_nothing_are_written_as_by_java() -> None:
    assert [java_text(one) for one in (None, True, False, 1)] == ["null", "true", "false", "1"]
