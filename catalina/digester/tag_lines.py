"""Finds the line of every start tag and attribute in a well-formed XML text.

lxml knows the line on which a start tag ends, and nothing about its attributes. A ``<Connector>`` of an operator
spreads over ten lines, and a warning has to name the right one. This scanner reads only what a well-formed document
can contain and is used only on documents that lxml has accepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["TagLines", "tag_lines"]

_TOKEN = re.compile(
    r"""
      <!--.*?-->
    | <!\[CDATA\[.*?\]\]>
    | <\?.*?\?>
    | <!DOCTYPE\s+[^\[>]*(?:\[(?:"[^"]*"|'[^']*'|<!--.*?-->|[^\]"'])*\]\s*)?>
    | </[^>]*>
    | <(?P<name>[^\s/>!?]+)(?P<attributes>(?:\s+[^\s=/>]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*/?>
    """,
    re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""\s+(?P<name>[^\s=/>]+)\s*=\s*(?:"[^"]*"|'[^']*')""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TagLines:
    """Line of ``<tag`` and of each attribute's name; lines count from 1."""

    line: int
    attributes: dict[str, int]


def tag_lines(source: str) -> list[TagLines]:
    """The start tags of ``source`` in the order of the document."""
    found: list[TagLines] = []
    line, counted_to = 1, 0
    for token in _TOKEN.finditer(source):
        if token["name"] is None:
            continue
        line += source.count("\n", counted_to, token.start())
        counted_to = token.start()
        found.append(TagLines(line, _attribute_lines(source, token, line)))
    return found


def _attribute_lines(source: str, tag: re.Match[str], line: int) -> dict[str, int]:
    start = tag.start("attributes")
    lines: dict[str, int] = {}
    for attribute in _ATTRIBUTE.finditer(tag["attributes"]):
        at = start + attribute.start("name")
        lines[attribute["name"]] = line + source.count("\n", tag.start(), at)
    return lines
