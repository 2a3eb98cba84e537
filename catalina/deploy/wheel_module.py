"""Finds the WSGI callable of a wheel that names none, without running it: a module with ``application`` or ``app``.

The source is read token by token. A parser would build a tree, and a source can be written so that its tree exhausts
memory or stack.
"""

from __future__ import annotations

import io
import keyword
import tokenize
import zipfile
from collections.abc import Iterator, Sequence

from packaging.utils import canonicalize_name

from catalina.deploy.wheel import Wheel

__all__ = ["bound_names", "find_callable"]

_MAX_SOURCE = 2**20  # bytes
#: Tokens of one statement that are looked at; the names that it binds stand at its beginning.
_MAX_TOKENS = 2000
#: Source encodings that are accepted; others are slow to decode, or run code of their own.
_ENCODINGS = ("utf-8", "utf-8-sig", "iso-8859-1", "iso-8859-15", "ascii")
_LEFT_OUT = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.ENCODING})
#: Statements whose body binds names of the module, too.
_TRANSPARENT = frozenset({"if", "try"})


def find_callable(wheel: Wheel, archive: zipfile.ZipFile) -> str | None:
    """The callable, such as ``shop.wsgi:application``; None when no module has one.

    For each top-level name, the one called like the distribution first, it searches ``<package>/wsgi.py``,
    ``<package>/app.py``, and the package or module itself; ``application`` comes before ``app``.
    """
    for attribute in ("application", "app"):
        for module, name in _candidates(wheel):
            if attribute in _names_of(archive, name):
                return f"{module}:{attribute}"
    return None


def _candidates(wheel: Wheel) -> Iterator[tuple[str, str]]:
    tops = {name.partition("/")[0].removesuffix(".py") for name in wheel.names if name.endswith(".py")}
    present = set(wheel.names)
    for top in sorted(tops, key=lambda top: (canonicalize_name(top) != wheel.name, top)):
        for module, name in (
            (f"{top}.wsgi", f"{top}/wsgi.py"),
            (f"{top}.app", f"{top}/app.py"),
            (top, f"{top}/__init__.py"),
            (top, f"{top}.py"),
        ):
            if name in present:
                yield module, name


def _names_of(archive: zipfile.ZipFile, name: str) -> set[str]:
    if archive.getinfo(name).file_size > _MAX_SOURCE:
        return set()
    return bound_names(archive.read(name))


def bound_names(source: bytes) -> set[str]:
    """The names that a module's top level binds, including the first block of an ``if`` or ``try`` there.

    A source that cannot be read, such as one for another version of Python, binds none. Work and memory grow only with
    the length of the source.
    """
    found: set[str] = set()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        if encoding not in _ENCODINGS:
            return set()
        for statement in _statements(tokenize.generate_tokens(io.StringIO(source.decode(encoding)).readline)):
            found.update(_bound_by(statement))
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return found


def _statements(tokens: Iterator[tokenize.TokenInfo]) -> Iterator[list[str]]:
    """The first tokens of each statement at the top level, or in a transparent block there."""
    hidden = 0  # depth of blocks whose names are local
    transparent = True
    statement: list[str] = []
    for token in tokens:
        if token.type in _LEFT_OUT:
            continue
        if token.type == tokenize.INDENT:
            hidden += hidden > 0 or not transparent
            statement = []
        elif token.type == tokenize.DEDENT:
            hidden -= hidden > 0
        elif token.type in (tokenize.NEWLINE, tokenize.ENDMARKER) or (
            token.type == tokenize.OP and token.string == ";"
        ):
            if statement and not hidden:
                transparent = statement[0] in _TRANSPARENT
                yield statement
            statement = []
        elif not hidden and len(statement) < _MAX_TOKENS:
            statement.append(token.string)


def _bound_by(statement: Sequence[str]) -> Iterator[str]:
    first, *rest = statement
    if first == "async" and rest:
        first, *rest = rest
    if first in ("def", "class"):
        yield from rest[:1]
    elif first == "from" and "import" in rest:
        yield from _imported(rest[rest.index("import") + 1 :])
    elif first.isidentifier() and not keyword.iskeyword(first):
        yield from _assigned(statement)


def _imported(names: Sequence[str]) -> Iterator[str]:
    """``a as b, c`` binds ``b`` and ``c``."""
    words = [word for word in names if word not in "()"]
    for position, word in enumerate(words):
        after = words[position + 1 : position + 2]
        if word.isidentifier() and word != "as" and after != ["as"]:
            yield word


def _assigned(statement: Sequence[str]) -> Iterator[str]:
    """``a = b = value`` and ``a: type = value`` bind names; ``a.b = value`` and ``a += 1`` do not."""
    if statement[1:2] == [":"]:
        if "=" in statement:
            yield statement[0]
        return
    for position in range(0, len(statement) - 1, 2):
        if not statement[position].isidentifier() or statement[position + 1] != "=":
            return
        yield statement[position]
