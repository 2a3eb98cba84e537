from __future__ import annotations

from typing import Any

from catalina.session.session_event import ListenerTable


class Created:
    def session_created(self, event: Any) -> None: ...


class Added:
    def session_attribute_added(self, event: Any) -> None: ...


def test_listeners_are_sorted_by_what_they_have_methods_for() -> None:
    first, second = Created(), Created()
    table = ListenerTable.of([first, object(), second])
    assert table.session_created == (first.session_created, second.session_created)
    assert table.session_destroyed == ()
    assert not table.attributes


def test_one_attribute_method_is_enough_to_look_at_attributes() -> None:
    assert ListenerTable.of([Added()]).attributes
