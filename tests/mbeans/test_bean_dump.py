from __future__ import annotations

import pytest

from catalina.mbeans.bean_dump import folded, java_value_text
from catalina.mbeans.open_data import CompositeData, CompositeType

USAGE = CompositeType("java.lang.management.MemoryUsage", "", {"used": ("long", ""), "init": ("long", "")})


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("short", "short"),
        ("x" * 200, "x" * 200),
        ("a\nb", "a\\n\n b"),
        ("a\n", "a\\n\n "),
        ("x" * 80 + "\n" + "y" * 79, "x" * 78 + "\n xx\\n\n " + "y" * 78 + "\n y"),
        ("\n\n", "\\n\n \\n\n "),
    ],
)
def test_a_text_with_line_feeds_is_folded_as_by_tomcat(text: str, written: str) -> None:
    assert folded(text) == written


def test_a_record_is_written_as_javas_own_text() -> None:
    assert java_value_text(CompositeData(USAGE, {"used": 5, "init": 0})) == (
        "javax.management.openmbean.CompositeDataSupport(compositeType=javax.management.openmbean.CompositeType("
        "name=java.lang.management.MemoryUsage,items=((itemName=init,itemType=javax.management.openmbean.SimpleType("
        "name=java.lang.Long)),(itemName=used,itemType=javax.management.openmbean.SimpleType(name=java.lang.Long)))),"
        "contents={init=0, used=5})"
    )


def test_an_array_is_written_by_its_items() -> None:
    assert java_value_text(["a", None, True]) == "[a, null, true]"
