"""Queries by value: the objects that ``javax.management.Query`` makes, read as data and evaluated here.

A client sends the whole expression: ``Query.and(Query.gt(Query.attr("maxThreads"), Query.value(100)), ...)``. Each of
its classes has a rule here, with the JDK's own meaning, down to what it does with values of unlike types; an expression
of any other class is refused, and no code of a client runs. As in a JVM, a bean for which the expression cannot be
evaluated (it has no such attribute, or one of another kind) is not in the answer.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import TypeAlias

from catalina.errors import CatalinaError, ProtocolError
from catalina.jmx.java_arguments import array_items, name_of, value_of
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName
from catalina.tribes.io.java.grammar import Limits
from catalina.tribes.io.java.nodes import JavaObject, JavaString, Node

__all__ = ["QUERY_LIMITS", "Query"]

#: The limits of a query's stream: a hundred conditions, one after the other, are nested that deep.
QUERY_LIMITS = Limits(depth=130, superclasses=8, expansion=2**20)
#: Terms of one query; a term that several others refer to counts each time, because it is evaluated each time.
MAX_TERMS = 1000
#: Nesting of a query.
MAX_DEPTH = 120
#: Characters of a pattern, and of a text that a query puts together.
MAX_PATTERN, MAX_TEXT = 1000, 65536

#: A value while a query is evaluated: Java's ``long`` is an int, its ``double`` a float.
Value: TypeAlias = str | bool | int | float

_PACKAGE = "javax.management."
_WHOLE = ("java.lang.Integer", "java.lang.Long")
_COMPARISONS: tuple[Callable[..., bool], ...] = (
    operator.gt, operator.lt, operator.ge, operator.le, operator.eq,
)  # fmt: skip
_PLUS, _MINUS, _TIMES, _DIVIDE = range(4)


class Incomparable(CatalinaError):
    """The expression has no value for this bean, which is therefore not in the answer."""


class Bean:
    """A bean while a query looks at it: each attribute is read once."""

    def __init__(self, name: ObjectName, bean: ManagedBean) -> None:
        self.name = name
        self.bean = bean
        self._values: dict[str, object] = {}

    def value(self, attribute: str) -> Value:
        """An attribute's value.

        Raises:
            Incomparable: there is none, it cannot be read, or it is no number, text or truth value.
        """
        if attribute not in self._values:
            try:
                self._values[attribute] = self.bean.get(attribute)
            except Exception:  # noqa: BLE001  # any component's code; as in Java, the attribute has no value then
                self._values[attribute] = None
        value = self._values[attribute]
        if isinstance(value, int) and not isinstance(value, bool):
            return max(-(2**63), min(value, 2**63 - 1))
        if isinstance(value, str | bool | float):
            return value
        raise Incomparable(f"{attribute} of {self.name} is no number, text or truth value")

    def value_in_class(self, attribute: str, wanted: str) -> Value:
        """The same for beans of one class only."""
        if self.bean.modeler_class != wanted:
            raise Incomparable(f"{self.name} is a {self.bean.modeler_class}")
        return self.value(attribute)


Test = Callable[[Bean], bool]
Term = Callable[[Bean], Value]


class Query:
    """A query.

    Args:
        node: its stream's content.

    Raises:
        ProtocolError: it is of an unknown class, incomplete or too large.
        MalformedObjectName: a name in it is none.
    """

    def __init__(self, node: Node) -> None:
        self._test = _Reader().test(node, 0)

    def selects(self, name: ObjectName, bean: ManagedBean) -> bool:
        """True for a bean that the query is true for."""
        try:
            return self._test(Bean(name, bean))
        except Incomparable:
            return False


class _Reader:
    """Makes functions from nodes."""

    def __init__(self) -> None:
        self._terms = 0

    def test(self, node: object, depth: int) -> Test:
        """A condition (QueryExp)."""
        found = self._object(node, depth)
        below = depth + 1
        match found.class_name.removeprefix(_PACKAGE):
            case "ObjectName":
                return _is_named(name_of(found))
            case "AndQueryExp":
                first, second = self.test(found.get("exp1"), below), self.test(found.get("exp2"), below)
                return lambda bean: first(bean) and second(bean)
            case "OrQueryExp":
                first, second = self.test(found.get("exp1"), below), self.test(found.get("exp2"), below)
                return lambda bean: first(bean) or second(bean)
            case "NotQueryExp":
                inner = self.test(found.get("exp"), below)
                return lambda bean: not inner(bean)
            case "BinaryRelQueryExp":
                code, left, right = self._operands(found, "relOp", below, len(_COMPARISONS))
                return lambda bean: _compared(code, left(bean), right(bean))
            case "BetweenQueryExp":
                left, low, high = (self.term(found.get(f"exp{number}"), below) for number in (1, 2, 3))
                return lambda bean: _is_between(left(bean), low(bean), high(bean))
            case "InQueryExp":
                return self._in(found, below)
            case "MatchQueryExp":
                left, fits = self.term(found.get("exp"), below), _wildcards(_text(found, "pattern"))
                return lambda bean: _matches(left(bean), fits)
            case "InstanceOfQueryExp":
                left = self.term(found.get("classNameValue"), below)
                return lambda bean: bean.bean.is_instance_of(_as_text(left(bean)))
        raise ProtocolError(f"a query of the class {found.class_name} means nothing here")

    def term(self, node: object, depth: int) -> Term:
        """A value (ValueExp)."""
        found = self._object(node, depth)
        match found.class_name.removeprefix(_PACKAGE):
            case "AttributeValueExp":
                name = _text(found, "attr")
                return lambda bean: bean.value(name)
            case "QualifiedAttributeValueExp":
                name, wanted = _text(found, "attr"), _text(found, "className")
                return lambda bean: bean.value_in_class(name, wanted)
            case "ClassAttributeValueExp":
                return lambda bean: bean.bean.modeler_class
            case "StringValueExp":
                text = _text(found, "val")
                return lambda _: text
            case "BooleanValueExp":
                truth = found.get("val")
                if isinstance(truth, bool):
                    return lambda _: truth
            case "NumericValueExp":
                number = _number(found.get("val"))
                return lambda _: number
            case "BinaryOpValueExp":
                code, left, right = self._operands(found, "op", depth + 1, 4)
                return lambda bean: _calculated(code, left(bean), right(bean))
        raise ProtocolError(f"a value of the class {found.class_name} means nothing in a query")

    def _object(self, node: object, depth: int) -> JavaObject:
        self._terms += 1
        if self._terms > MAX_TERMS or depth > MAX_DEPTH:
            raise ProtocolError(f"a query of more than {MAX_TERMS} terms, or nested deeper than {MAX_DEPTH}")
        if not isinstance(node, JavaObject):
            raise ProtocolError(f"expected a part of a query, got {node!r}")
        return node

    def _operands(self, node: JavaObject, name: str, depth: int, codes: int) -> tuple[int, Term, Term]:
        code = node.get(name)
        if not isinstance(code, int) or not 0 <= code < codes:
            raise ProtocolError(f"{name}={code!r} of a {node.class_name}: expected a number below {codes}")
        return code, self.term(node.get("exp1"), depth), self.term(node.get("exp2"), depth)

    def _in(self, node: JavaObject, depth: int) -> Test:
        wanted = self.term(node.get("val"), depth)
        given = node.get("valueList")
        items = [] if given is None else [self.term(each, depth) for each in array_items(given)]

        def is_in(bean: Bean) -> bool:
            value = wanted(bean)
            if isinstance(value, int | float) and not isinstance(value, bool):
                return any(_as_double(item(bean)) == float(value) for item in items)
            return any(_as_text(item(bean)) == _as_text(value) for item in items)

        return is_in


def _text(node: JavaObject, name: str) -> str:
    value = node.get(name)
    if not isinstance(value, JavaString):
        raise ProtocolError(f"expected a String as {name} of a {node.class_name}, got {value!r}")
    return value.value


def _number(node: object) -> Value:
    """A box as a whole number, which Java compares as ``long``, or as a float."""
    if not isinstance(node, JavaObject):
        raise ProtocolError(f"expected a Number in a query, got {node!r}")
    value = value_of(node)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProtocolError(f"expected a Number in a query, got a {node.class_name}")
    return value if node.class_name in _WHOLE else float(value)


def _is_named(wanted: ObjectName | None) -> Test:
    if wanted is None:
        raise ProtocolError("expected an ObjectName in a query, got null")
    return lambda bean: wanted.matches(bean.name)


# -- values


def _as_text(value: Value) -> str:
    if not isinstance(value, str):
        raise Incomparable(f"{value!r} is no text")
    return value


def _as_double(value: Value) -> float:
    if isinstance(value, bool | str):
        raise Incomparable(f"{value!r} is no number")
    return float(value)


def _as_long(value: Value) -> int:
    """As Java casts: a fraction is cut off, what is too large is the largest."""
    if isinstance(value, bool | str):
        raise Incomparable(f"{value!r} is no number")
    if isinstance(value, int):
        return value
    if math.isnan(value):
        return 0
    if abs(value) < 2.0**63:
        return int(value)
    return 2**63 - 1 if value > 0 else -(2**63)


def _wrapped(value: int) -> int:
    """A result as Java's ``long`` has it."""
    return (value + 2**63) % 2**64 - 2**63


# -- conditions: the first value decides how the others are taken


def _compared(code: int, left: Value, right: Value) -> bool:
    compare = _COMPARISONS[code]
    if isinstance(left, bool):
        if not isinstance(right, bool):
            raise Incomparable(f"{right!r} is no truth value")
        return compare(left, right)
    if isinstance(left, int):
        return compare(left, _as_long(right))
    if isinstance(left, float):
        return compare(left, _as_double(right))
    return compare(_units(left), _units(_as_text(right)))


def _is_between(value: Value, low: Value, high: Value) -> bool:
    if isinstance(value, bool):
        raise Incomparable(f"{value!r} is no number and no text")
    if isinstance(value, int):
        return _as_long(low) <= value <= _as_long(high)
    if isinstance(value, float):
        return _as_double(low) <= value <= _as_double(high)
    return _units(_as_text(low)) <= _units(value) <= _units(_as_text(high))


def _calculated(code: int, left: Value, right: Value) -> Value:
    if isinstance(left, str):
        text = left + _as_text(right)
        if code != _PLUS or len(text) > MAX_TEXT:
            raise Incomparable("texts can be put together only, up to a limit")
        return text
    if isinstance(left, bool):
        raise Incomparable("one does not calculate with truth values")
    if isinstance(left, int):
        return _whole(code, left, _as_long(right))
    return _fraction(code, left, _as_double(right))


def _whole(code: int, left: int, right: int) -> int:
    if code == _DIVIDE:
        if right == 0:
            raise Incomparable("/ by zero")
        quotient = abs(left) // abs(right)
        return _wrapped(quotient if (left < 0) == (right < 0) else -quotient)
    return _wrapped(left + right if code == _PLUS else left - right if code == _MINUS else left * right)


def _fraction(code: int, left: float, right: float) -> float:
    if code != _DIVIDE:
        return left + right if code == _PLUS else left - right if code == _MINUS else left * right
    if right:
        return left / right
    if not left or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def _units(text: str) -> bytes:
    """Java compares texts by their UTF-16 units."""
    return text.encode("utf-16-be", "surrogatepass")


# -- patterns

#: One character of a pattern; None for a star.
_Place = Callable[[str], bool] | None


def _matches(value: Value, fits: Callable[[str], bool]) -> bool:
    return isinstance(value, str) and fits(value)


def _wildcards(pattern: str) -> Callable[[str], bool]:
    r"""The test for ``*``, ``?``, ``[a-z]``, ``[!a-z]`` and ``\*``."""
    if len(pattern) > MAX_PATTERN:
        raise ProtocolError(f"a pattern of {len(pattern)} characters, the limit is {MAX_PATTERN}")
    places: list[_Place] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "*":
            places.append(None)
        elif character == "?":
            places.append(lambda _: True)
        elif character == "[":
            end = pattern.find("]", at)
            if end < 0:
                return lambda _: False
            places.append(_choice(pattern[at:end]))
            at = end + 1
        else:
            if character == "\\":
                if at == len(pattern):
                    return lambda _: False
                character = pattern[at]
                at += 1
            places.append(character.__eq__)
    return lambda text: _fits(places, text)


def _choice(inside: str) -> Callable[[str], bool]:
    wanted = not inside.startswith("!")
    if not wanted:
        inside = inside[1:]
    single: set[str] = set()
    ranges: list[tuple[str, str]] = []
    at = 0
    while at < len(inside):
        if at + 2 < len(inside) and inside[at + 1] == "-":
            ranges.append((inside[at], inside[at + 2]))
            at += 2  # the end of a range may begin another one, and counts by itself
        else:
            single.add(inside[at])
            at += 1
    return lambda character: (character in single or any(low <= character <= high for low, high in ranges)) is wanted


def _fits(places: list[_Place], text: str) -> bool:
    """Only the last star is ever tried again, so the work is at most the product of the lengths."""
    place = at = 0
    star, retry = -1, 0
    while at < len(text):
        here = places[place] if place < len(places) else _nothing
        if here is None:
            star, retry = place, at
            place += 1
        elif here(text[at]):
            place += 1
            at += 1
        elif star >= 0:
            retry += 1
            place, at = star + 1, retry
        else:
            return False
    return all(each is None for each in places[place:])


def _nothing(_: str) -> bool:
    return False
