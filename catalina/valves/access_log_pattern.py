"""Compiles the pattern of an access log into a function that writes the line.

A pattern is cut once into literals and ``%`` codes, each code becomes a function, and all of them together one function
(Tomcat: AbstractAccessLogValve.createLogElements).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["ALIASES", "Code", "Element", "compile_line", "parse_pattern"]

#: One part of a line: (request, response, nanoseconds that the request took) -> text, already escaped.
Element = Callable[["Request", "Response", int], str]

COMMON = '%h %l %u %t "%r" %s %b'
#: Names that stand for a whole pattern.
ALIASES = {"common": COMMON, "combined": COMMON + ' "%{Referer}i" "%{User-Agent}i"'}


class Code(NamedTuple):
    """``%{name}letter``; ``name`` is None when there are no braces."""

    letter: str
    name: str | None


def parse_pattern(pattern: str) -> list[str | Code]:
    """Cut a pattern into literal texts and codes.

    As in Tomcat nothing is refused: a brace that is never closed is the code ``{``, and a ``%`` at the end is dropped.
    """
    parts: list[str | Code] = []
    literal, at = "", 0
    while at < len(pattern):
        if pattern[at] != "%":
            literal += pattern[at]
            at += 1
            continue
        if literal:
            parts.append(literal)
            literal = ""
        code, at = _code(pattern, at + 1)
        if code is not None:
            parts.append(code)
    if literal:
        parts.append(literal)
    return parts


def _code(pattern: str, at: int) -> tuple[Code | None, int]:
    if at >= len(pattern):
        return None, at
    closing = pattern.find("}", at) if pattern[at] == "{" else -1
    if closing == -1 or closing + 1 >= len(pattern):
        return Code(pattern[at], None), at + 1
    return Code(pattern[closing + 1], pattern[at + 1 : closing]), closing + 2


def compile_line(parts: Sequence[str | Element]) -> Element:
    """One function for the whole line; literals cost nothing per request."""
    template = "".join([part.replace("%", "%%") if isinstance(part, str) else "%s" for part in parts])
    elements = tuple(part for part in parts if not isinstance(part, str))

    def line(request: Request, response: Response, time_ns: int) -> str:
        return template % tuple([element(request, response, time_ns) for element in elements])

    return line
