from __future__ import annotations

from catalina.digester.class_names import ClassBroken, find_class
from catalina.digester.recognised import _tables, recognised_class, retired_attributes


def test_every_class_of_the_table_says_why_it_is_not_here_and_whether_it_guards() -> None:
    names = list(_tables()["class"])
    assert names
    for name in names:
        known = recognised_class(name)
        assert known is not None
        assert known.why
        assert isinstance(known.guards, bool)


def test_an_unheard_of_class_is_not_recognised() -> None:
    assert recognised_class("com.example.Valve") is None


def test_attributes_of_older_branches_are_known() -> None:
    assert "emptySessionPath" in retired_attributes("org.apache.catalina.connector.Connector")
    assert "emptySessionPath" not in retired_attributes("com.example.Valve")


def test_the_debug_level_of_tomcat_5_is_known_everywhere() -> None:
    assert "debug" in retired_attributes("com.example.Valve")


def test_a_class_that_is_implemented_has_left_the_table() -> None:
    def implemented(name: str) -> bool:
        try:
            return find_class(name) is not None
        except ClassBroken:
            return True

    assert [name for name in _tables()["class"] if implemented(name)] == []
