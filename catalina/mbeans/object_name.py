"""Names of beans: ``Catalina:type=Manager,host=localhost,context=/shop`` (javax.management.ObjectName)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from catalina.errors import CatalinaError

__all__ = ["MalformedObjectName", "ObjectName", "quote"]

_PAIR = re.compile(r'\s*(?P<key>[^,=:"*?]+)=(?P<value>"(?:[^"\\]|\\.)*"|[^,=:"]+)\s*(?:,|$)')


class MalformedObjectName(CatalinaError):
    """The text is no name and no pattern."""


def quote(text: str) -> str:
    """A value that may contain anything, as JMX quotes it: in double quotes, with backslashes before ``"\\*?``."""
    return '"' + re.sub(r'(["\\*?])', r"\\\1", text).replace("\n", "\\n") + '"'


class ObjectName:
    """A domain and key properties; two names with the same properties in another order are equal.

    Args:
        domain: the engine's name for most beans.
        keys: key properties in the order they are shown.
        open_ended: a pattern that ends in ``,*``: more properties may follow.
    """

    __slots__ = ("domain", "keys", "open_ended")

    def __init__(self, domain: str, keys: Mapping[str, str], open_ended: bool = False) -> None:
        self.domain = domain
        self.keys = dict(keys)
        self.open_ended = open_ended

    @classmethod
    def parse(cls, text: str) -> ObjectName:
        """Read a name or a pattern.

        Raises:
            MalformedObjectName: with JMX's words where it has some.
        """
        domain, colon, properties = text.partition(":")
        if not colon or not properties:
            raise MalformedObjectName("Key properties cannot be empty")
        open_ended = properties == "*" or properties.endswith(",*")
        if open_ended:
            properties = properties[:-1].rstrip(",")
        return cls(domain, _parse_properties(properties, text), open_ended)

    def __str__(self) -> str:
        parts = [f"{key}={value}" for key, value in self.keys.items()]
        return f"{self.domain}:{','.join([*parts, '*'] if self.open_ended else parts)}"

    def __repr__(self) -> str:
        return f"ObjectName({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ObjectName) and self._identity() == other._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def _identity(self) -> tuple[str, frozenset[tuple[str, str]], bool]:
        return self.domain, frozenset(self.keys.items()), self.open_ended

    @property
    def is_pattern(self) -> bool:
        """Whether it may match more than one name."""
        return self.open_ended or any("*" in part or "?" in part for part in (self.domain, *self._unquoted()))

    def _unquoted(self) -> list[str]:
        return [value for value in self.keys.values() if not value.startswith('"')]

    def matches(self, name: ObjectName) -> bool:
        """Whether ``name`` is one of those that this pattern stands for; a name without wildcards only matches
        itself."""
        if not _matches(self.domain, name.domain):
            return False
        if not self.open_ended and set(self.keys) != set(name.keys):
            return False
        return all(key in name.keys and _matches(value, name.keys[key]) for key, value in self.keys.items())


def _matches(pattern: str, text: str) -> bool:
    # fnmatch knows [a-z], JMX does not: a bracket is a bracket.
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _parse_properties(text: str, whole: str) -> dict[str, str]:
    keys: dict[str, str] = {}
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            raise MalformedObjectName(
                f"Invalid character or missing value in {whole!r} at position {at + whole.index(':') + 1}"
            )
        if pair["key"] in keys:
            raise MalformedObjectName(f"key {pair['key']!r} occurs twice in {whole!r}")
        keys[pair["key"]] = pair["value"]
        at = pair.end()
    return keys
