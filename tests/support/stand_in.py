"""Objects that stand for one of a class, with a few of its members.

A test often needs three attributes of an object that has thirty. ``stand_in(Host, name="localhost")`` is for mypy a
``Host``; it refuses a member that a ``Host`` does not have, so a member that gets another name fails the tests that
still use the old one.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import cache
from typing import Any, TypeVar, cast

__all__ = ["stand_in"]

T = TypeVar("T")


class _StandIn:
    """Has the members that the test gave; any other one is an AttributeError."""

    def __init__(self, kind: type, members: dict[str, Any]) -> None:
        self.__dict__.update(members)
        self._stands_for = kind.__name__

    def __repr__(self) -> str:
        members = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if name != "_stands_for")
        return f"<stands for {self._stands_for}: {members}>"


def stand_in(kind: type[T], **members: Any) -> T:
    """An object that has these members of ``kind``, a class or a protocol.

    Raises:
        TypeError: ``kind`` has no such member.
    """
    unknown = sorted(members.keys() - members_of(cast(Any, kind)))
    if unknown:
        raise TypeError(f"{kind.__name__} has no {', '.join(unknown)}")
    return cast(T, _StandIn(kind, members))


@cache
def members_of(kind: type[Any]) -> frozenset[str]:
    """The names of a class: methods, properties, annotated attributes, and those that its methods set on ``self``."""
    names: set[str] = set(dir(kind))
    for each in kind.__mro__[:-1]:
        names |= vars(each).get("__annotations__", {}).keys()
        if each.__module__.startswith(("catalina.", "tests.")):
            names |= _set_on_self(each)
    return frozenset(names)


def _set_on_self(kind: type) -> set[str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self"
    }
