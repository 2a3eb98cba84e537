"""Expands the text that a rule writes: ``$1`` of the rule, ``%1`` of the condition, ``%{VARIABLE}``,
``${map:key|default}``.

Tomcat: valves/rewrite/Substitution.java.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalina.valves.rewrite.escapes import encode_path
from catalina.valves.rewrite.rewrite_map import RewriteMap
from catalina.valves.rewrite.variables import resolve

if TYPE_CHECKING:
    from catalina.connector.request import Request

__all__ = ["Found", "Substitution"]


@dataclass(slots=True)
class Found:
    """The values that a substitution may refer to."""

    request: Request
    rule: re.Match[str] | None = None
    condition: re.Match[str] | None = None


class _Text:
    def __init__(self, text: str) -> None:
        self.text = text

    def expand(self, found: Found) -> str:
        return self.text


class _Group:
    """``$1`` or ``%1``; empty when there is no such group or it took no part in the match."""

    def __init__(self, of_rule: bool, number: int, escape: bool) -> None:
        self.of_rule, self.number, self.escape = of_rule, number, escape

    def expand(self, found: Found) -> str:
        match = found.rule if self.of_rule else found.condition
        if match is None or self.number > match.re.groups:
            return ""
        text = match[self.number] or ""
        return encode_path(text) if self.escape and self.of_rule else text


class _Variable:
    def __init__(self, name: str) -> None:
        self.name = name

    def expand(self, found: Found) -> str:
        return resolve(self.name, found.request)


class _Lookup:
    def __init__(self, table: RewriteMap, key: Substitution, default: Substitution | None) -> None:
        self.table, self.key, self.default = table, key, default

    def expand(self, found: Found) -> str:
        value = self.table.lookup(self.key.expand(found))
        if value is None:
            return self.default.expand(found) if self.default is not None else ""
        return value


class Substitution:
    """A text that is parsed once.

    Args:
        maps: the maps in the file so far.
        escape: percent-encode the text of back-references (flag B).

    Raises:
        ValueError: a brace is not closed, or a map is unknown.
    """

    def __init__(self, text: str, maps: Mapping[str, RewriteMap], escape: bool = False) -> None:
        self.text = text
        self._maps = maps
        self._escape = escape
        self._parts: list[_Text | _Group | _Variable | _Lookup] = []
        self._parse(text)

    def expand(self, found: Found) -> str:
        """The text for one request."""
        return "".join(part.expand(found) for part in self._parts)

    def _parse(self, text: str) -> None:
        plain = ""
        position = 0
        while position < len(text):
            char, following = text[position], text[position + 1 : position + 2]
            if char == "\\" and following:
                plain, position = plain + following, position + 2
            elif char in "$%" and (following.isdecimal() or following == "{"):
                if plain:
                    self._parts.append(_Text(plain))
                    plain = ""
                position = self._parse_reference(text, position)
            else:
                plain, position = plain + char, position + 1
        if plain:
            self._parts.append(_Text(plain))

    def _parse_reference(self, text: str, position: int) -> int:
        """Parse one reference; returns the position behind it."""
        of_rule = text[position] == "$"
        if text[position + 1] != "{":
            self._parts.append(_Group(of_rule, int(text[position + 1]), self._escape))
            return position + 2
        end = _closing_brace(text, position + 2)
        inner = text[position + 2 : end]
        self._parts.append(self._lookup(inner) if of_rule else _Variable(inner))
        return end + 1

    def _lookup(self, inner: str) -> _Lookup:
        name, colon, rest = inner.partition(":")
        if not colon or name not in self._maps:
            raise ValueError(f"no RewriteMap [{name}] for ${{{inner}}}")
        key, bar, default = rest.partition("|")
        return _Lookup(
            self._maps[name],
            Substitution(key, self._maps, self._escape),
            Substitution(default, self._maps, self._escape) if bar else None,
        )


def _closing_brace(text: str, position: int) -> int:
    depth = 1
    while position < len(text):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position
        position += 1
    raise ValueError(f"a brace is not closed in {text!r}")
