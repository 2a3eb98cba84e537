"""``*.css, /static/*, mime:image/*, /regex/``: the URLs that CsrfPreventionFilter leaves alone.

Tomcat: CsrfPreventionFilter.createNoNoncePredicates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from catalina.java_pattern import compile_pattern

__all__ = ["Matcher", "url_matchers"]

Matcher = Callable[[str], bool]


def url_matchers(text: str, mime_type: Callable[[str], str | None]) -> Sequence[Matcher]:
    """One matcher for each pattern.

    Args:
        mime_type: the type of a path, for patterns that start with ``mime:``.

    Raises:
        ValueError: a pattern has no known form.
    """
    text = text.strip()
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        return (_regular(text[1:-1]),)
    return tuple(_matcher(part.strip(), mime_type) for part in text.split(",") if part.strip())


def _matcher(pattern: str, mime_type: Callable[[str], str | None]) -> Matcher:
    if pattern.startswith("mime:"):
        matches = _matcher(pattern[5:], mime_type)
        return lambda path: (kind := mime_type(path)) is not None and matches(kind)
    if pattern.startswith("*"):
        suffix = pattern[1:]
        return lambda path: path.endswith(suffix)
    if pattern.endswith("*"):
        prefix = pattern[:-1]
        return lambda path: path.startswith(prefix)
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        return _regular(pattern[1:-1])
    raise ValueError(f"expected *suffix, prefix*, /regular expression/ or mime:..., got {pattern!r}")


def _regular(text: str) -> Matcher:
    try:
        compiled = compile_pattern(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return lambda path: compiled.fullmatch(path) is not None
