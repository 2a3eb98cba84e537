"""Header fields of a request: any case, order and repetitions kept; and their names in the WSGI environ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat

from catalina.coyote.http11.request_head import FieldsMemo

__all__ = ["Headers", "cgi_key"]

#: Cached names; further names are computed each time, because a client chooses them.
CACHED_NAMES = 1024

#: Names that occurred -> environ keys: the answers of :func:`cgi_key`.
CGI_KEYS: dict[bytes, str] = {}
_lower_names: dict[bytes, str] = {}


def cgi_key(name: bytes) -> str:
    """The environ key of a header field, ``HTTP_USER_AGENT``; empty for a name with an underscore.

    ``X_Foo`` and ``X-Foo`` would share a key, so one could forge the other behind a proxy that sets the second
    (gunicorn and nginx drop them too). They stay readable through :meth:`Headers.get`.
    """
    key = CGI_KEYS.get(name)
    if key is None:
        if b"_" in name:
            key = ""
        else:
            key = name.decode("latin-1").upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = "HTTP_" + key
        if len(CGI_KEYS) < CACHED_NAMES:
            CGI_KEYS[name] = key
    return key


def _lower(name: bytes) -> str:
    lower = name.decode("latin-1").lower()
    if len(_lower_names) < CACHED_NAMES:
        _lower_names[name] = lower
    return lower


class Headers:
    """The header fields of one request.

    Args:
        pairs: (name, value) as they came, bytes; they become text (latin-1, so no byte is lost) when asked for.
    """

    __slots__ = ("memo", "raw")

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]] = (), memo: FieldsMemo | None = None) -> None:
        self.raw = pairs if isinstance(pairs, (tuple, list)) else list(pairs)
        self.memo = FieldsMemo() if memo is None else memo

    # A request has about ten fields, and few are read, so a search is cheaper than an index.

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of the field, or ``default``."""
        wanted = name.lower()
        for key, value in self.raw:
            if (_lower_names.get(key) or _lower(key)) == wanted:
                return value.decode("latin-1")
        return default

    def get_all(self, name: str) -> list[str]:
        """Every value of the field, in the order they came; empty when there is none."""
        wanted = name.lower()
        values = []
        for key, value in self.raw:  # a comprehension would cost a call of its own in this Python
            if (_lower_names.get(key) or _lower(key)) == wanted:
                values.append(value.decode("latin-1"))
        return values

    def cgi_fields(self) -> dict[str, str]:
        """The fields in the form of the environ, repetitions joined; callers must not change it."""
        fields = self.memo.cgi_fields
        if fields is None:
            # The usual case, known names and each once, takes no step of Python for each field.
            names, values = zip(*self.raw, strict=True) if self.raw else ((), ())
            fields = dict(zip(map(CGI_KEYS.get, names, repeat("")), map(str, values, repeat("latin-1")), strict=True))
            if len(fields) < len(names) or "" in fields:
                fields = self._join_fields()
            self.memo.cgi_fields = fields
        return fields

    def _join_fields(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        for name, raw in self.raw:
            key = cgi_key(name)
            if not key:
                continue
            value = raw.decode("latin-1")
            if key in fields:
                separator = "; " if key == "HTTP_COOKIE" else ","
                value = f"{fields[key]}{separator}{value}"
            fields[key] = value
        return fields

    def items(self) -> Iterator[tuple[str, str]]:
        """(name, value) as they came, with repetitions."""
        for name, value in self.raw:
            yield name.decode("latin-1"), value.decode("latin-1")

    def names(self) -> list[str]:
        """The names as they came, each once."""
        seen: dict[str, str] = {}
        for name, _ in self.raw:
            seen.setdefault(_lower(name), name.decode("latin-1"))
        return list(seen.values())

    def set(self, name: str, value: str) -> None:
        """Replace every value of the field by one, as a valve does for a proxy that it trusts."""
        self.remove(name)
        self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Append one more value."""
        self.raw = [*self.raw, (name.encode("latin-1"), value.encode("latin-1"))]
        self.memo = FieldsMemo()

    def remove(self, name: str) -> None:
        """Remove every value of the field."""
        lower = name.lower()
        self.raw = [pair for pair in self.raw if _lower(pair[0]) != lower]
        self.memo = FieldsMemo()

    def __contains__(self, name: str) -> bool:
        wanted = name.lower()
        for key, _ in self.raw:  # noqa: SIM110 - any() of a generator costs twice as much
            if (_lower_names.get(key) or _lower(key)) == wanted:
                return True
        return False

    def __len__(self) -> int:
        return len(self.raw)

    def __repr__(self) -> str:
        return f"Headers({self.names()})"  # without values, which may be secrets
