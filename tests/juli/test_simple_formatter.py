from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.attributes import AttributeRefused
from catalina.juli.simple_formatter import SimpleFormatter, record_format
from tests.juli.records import failed, record

#: 2023-11-14T22:13:20.123Z
MILLIS = 1_700_000_000_123
ARGUMENTS = ("shop.Cart add", "shop.Cart", "INFO", "hello", "\ntrace")


def test_a_record_is_two_lines_as_a_jvm_prints_it() -> None:
    assert SimpleFormatter().format(record()) == (
        "Nov 14, 2023 10:13:20 PM org.apache.catalina.startup.Catalina start\nINFO: Server startup in [12] milliseconds"
    )


def test_a_stack_trace_follows() -> None:
    assert SimpleFormatter().format(failed()).split("\n")[-1] == "ValueError: why"


def test_the_format_of_the_jdks_documentation_is_followed() -> None:
    formatter = SimpleFormatter()
    assert formatter.set_attribute("format", "%4$s: %5$s [%3$s]%6$s%n")
    assert (
        formatter.format(record()) == "INFO: Server startup in [12] milliseconds [org.apache.catalina.startup.Catalina]"
    )
    assert formatter.format(failed()).startswith("SEVERE: boom [org.apache.catalina.startup.Catalina]\nTraceback")


def test_a_format_that_is_none_is_refused_and_the_old_one_stays() -> None:
    formatter = SimpleFormatter()
    before = formatter.format(record())
    with pytest.raises(AttributeRefused, match=r"a format of java\.util\.Formatter"):
        formatter.set_attribute("format", "%9$s")
    assert formatter.format(record()) == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%4$s: %5$s [%1$tc]%n", "INFO: hello [Tue Nov 14 22:13:20 UTC 2023]\n"),
        ("%1$tY-%1$tm-%1$td %1$tH:%1$tM:%1$tS.%1$tL %4$-7s [%3$s] %5$s%6$s", None),
        ("%1$tF %1$tT %2$s", "2023-11-14 22:13:20 shop.Cart add"),
        ("%1$tb %1$td, %1$tY %1$tl:%1$tM:%1$tS %1$Tp", "Nov 14, 2023 10:13:20 PM"),
        ("%1$tp %1$ts %1$tQ %1$tN %1$tj", f"pm 1700000000 {MILLIS} 123000000 318"),
        ("%4$S|%4$8s|%4$-8s|%4$.2s|100%%", "INFO|    INFO|INFO    |IN|100%"),
        ("%s", None),
        ("%2$s %<s %s", "shop.Cart add shop.Cart add shop.Cart"),
    ],
)
def test_a_format_is_read_as_java_reads_it(text: str, expected: str | None) -> None:
    made = record_format(text)(MILLIS, ARGUMENTS)
    if expected is not None:
        assert made == expected


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("%7$s", "has the arguments 1 to 6"),
        ("%5$tY", "argument 5 is no date"),
        ("%1$tf", "is no date conversion"),
        ("%5$d", "expected s, S or a date"),
        ("50 %", "'%' is no conversion"),
    ],
)
def test_what_is_no_format_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        record_format(text)


@given(st.text(alphabet="%$tsSnNYQ<-.0123456 x", max_size=20))
def test_any_text_is_a_format_or_refused(text: str) -> None:
    try:
        made = record_format(text)
    except ValueError:
        return
    assert isinstance(made(MILLIS, ARGUMENTS), str)
