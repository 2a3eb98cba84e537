from __future__ import annotations

import pytest

from catalina.attributes import Component
from catalina.operations import (
    Impact,
    Long,
    first_sentence,
    java_type_of,
    operation,
    operations_of,
    readable,
    readable_of,
)


class Base(Component):
    @operation(since="when, in ms")
    def forget(self, since: Long) -> None:
        """Forget everything.

        And more.
        """

    @property
    @readable("allOfIt", type="long", doc="All.")
    def everything(self) -> object:
        return 1


class Derived(Base):
    def forget(self, since: Long) -> None:
        """Something else."""

    @operation(name="isThere", impact=Impact.INFO)
    def there(self, name: str) -> bool:
        """True when it is there. Or not."""
        return bool(name)


def test_an_operation_is_declared_at_its_method() -> None:
    forget, there = operations_of(Derived)
    assert (forget.name, forget.returns, forget.signature, forget.impact) == (
        "forget",
        "void",
        ("long",),
        Impact.ACTION,
    )
    assert forget.parameters[0].doc == "when, in ms"
    assert (there.name, there.method, there.returns, there.impact) == ("isThere", "there", "boolean", Impact.INFO)
    assert there.doc == "True when it is there."


def test_an_override_keeps_the_declaration_of_its_base() -> None:
    assert [one.doc for one in operations_of(Derived) if one.name == "forget"] == ["Forget everything."]


def test_a_property_can_have_another_name() -> None:
    mark = readable_of(vars(Base)["everything"])
    assert mark is not None
    assert (mark.name, mark.type, mark.doc) == ("allOfIt", "long", "All.")


def test_a_type_that_no_door_can_carry_is_an_error_of_the_declaration() -> None:
    class Wrong(Component):
        @operation
        def take(self, thing: Component) -> None: ...

    with pytest.raises(TypeError, match="parameter thing has the type 'Component'"):
        operations_of(Wrong)


def test_annotations_become_javas_types() -> None:
    assert java_type_of("list[str] | None") == "[Ljava.lang.String;"
    assert java_type_of(bool) == "boolean"
    assert java_type_of("Component") == ""


def test_a_description_is_the_first_sentence() -> None:
    assert first_sentence("It goes\non. And on.\n\nMore.") == "It goes on."
