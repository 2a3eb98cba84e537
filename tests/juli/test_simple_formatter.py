from __future__ import annotations

import pytest

from catalina.attributes import AttributeRefused
from catalina.juli.simple_formatter import SimpleFormatter
from tests.juli.records import failed, record


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
