"""``configtest``: the component tree of server.xml with what was not understood, as text.

Each line is an element: its tag, the class it became, where it stands, and the attributes as they are after
``${...}``. Remarks stand below the element they are about, marked by ``!!`` (stops the start), ``!`` (ignored) and
``-`` (no meaning here).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from catalina.digester.digester import Digested
from catalina.digester.findings import Finding
from catalina.digester.substitution import Substitution
from catalina.mbeans.secrets import HIDDEN, looks_secret

__all__ = ["remarks", "render_tree", "summary"]

_MARKS = {logging.ERROR: "!!", logging.WARNING: "!", logging.INFO: "-"}


def render_tree(root: Digested, substitution: Substitution) -> Iterator[str]:
    """One line per element and remark, indented by depth."""
    yield from _render(root, substitution, 0)


def _render(digested: Digested, substitution: Substitution, depth: int) -> Iterator[str]:
    element, indent = digested.element, "  " * depth
    made = type(digested.component).__name__ if digested.component is not None else "-"
    shown = [element.tag, *([made] if made != element.tag else []), f"({element.place})"]
    for name, attribute in element.attributes.items():
        if name != "className":
            shown.append(f"{name}={HIDDEN if looks_secret(name) else repr(substitution(attribute.value))}")
    text = substitution(element.text).strip()
    yield indent + " ".join([*shown, *([repr(text)] if text else [])])
    for finding in digested.findings:
        yield f"{indent}  {_MARKS[finding.level]} {finding.text} ({finding.place})"
    for child in digested.children:
        yield from _render(child, substitution, depth + 1)


def remarks(findings: Iterable[Finding]) -> Iterator[str]:
    """The findings alone, with their places: what is left to say when there is no tree."""
    for finding in findings:
        yield f"{_MARKS[finding.level]} {finding}"


def summary(findings: Iterable[Finding]) -> str:
    """``0 errors, 1 warning, 5 remarks``."""
    counts = {level: sum(1 for finding in findings if finding.level == level) for level in _MARKS}
    words = {logging.ERROR: "error", logging.WARNING: "warning", logging.INFO: "remark"}
    return ", ".join(f"{counts[level]} {word}{'' if counts[level] == 1 else 's'}" for level, word in words.items())
