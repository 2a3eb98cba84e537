"""Finds compressed forms of a file that lie beside it (Tomcat: DefaultServlet, init parameter ``precompressed``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from catalina.attributes import AttributeRefused

if TYPE_CHECKING:
    from catalina.webresources.resource import Resource

__all__ = ["Formats", "choose", "precompressed_formats"]

#: Coding and the ending of its file, best first.
Formats = tuple[tuple[str, str], ...]
DEFAULT: Formats = (("br", ".br"), ("gzip", ".gz"))


def precompressed_formats(text: str) -> Formats:
    """Converter: ``true``, ``false``, or a list such as ``br=.br,gzip=.gz``."""
    word = text.strip().lower()
    if word == "false":
        return ()
    if word == "true":
        return DEFAULT
    found = []
    for part in text.split(","):
        coding, equals, ending = part.strip().partition("=")
        if not equals or not coding or not ending:
            raise AttributeRefused("true, false or a list such as br=.br,gzip=.gz")
        found.append((coding, ending))
    return tuple(found)


def choose(
    formats: Formats, accept: str | None, path: str, find: Callable[[str], Resource]
) -> tuple[bool, tuple[str, Resource] | None]:
    """True if there is any compressed form of the file; and the best form that the client accepts, if any.

    Args:
        accept: the request's Accept-Encoding.
        find: looks up a resource.
    """
    present = [(coding, twin) for coding, ending in formats if (twin := find(path + ending)).is_file]
    if not present:
        return False, None
    accepted = parse_accept_header(accept, Accept)
    best: tuple[str, Resource] | None = None
    best_quality = 0.0
    for coding, twin in present:
        quality = accepted.quality(coding) if accept else 0.0
        if quality > best_quality:
            best, best_quality = (coding, twin), quality
    # The file itself counts as the coding identity; a client may like it better.
    identity = accepted.quality("identity") if accept and "identity" in accept else 0.0
    return True, best if best_quality >= identity else None
