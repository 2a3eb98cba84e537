"""Names of beans: ``Catalina:type=Manager,host=localhost,context=/shop`` (javax.management.ObjectName)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from catalina.errors import CatalinaError

__all__ = ["MalformedObjectName", "ObjectName", "quote", "unquote"]

_KEY = re.compile(r"[^=*?,:\n]+")
_PLAIN = re.compile(r'[^=,:"\n]+')
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\[\\"?*n])*+"')
#: A star or question mark that no backslash stands before.
_WILDCARD = re.compile(r"(?<!\\)[*?]")
#: The domain of a name that begins with its colon.
DEFAULT_DOMAIN = "DefaultDomain"


class MalformedObjectName(CatalinaError):
    """The text is no name and no pattern."""


def quote(text: str) -> str:
    """A value that may contain anything, as JMX quotes it: in double quotes, with backslashes before ``"\\*?``."""
    return '"' + re.sub(r'(["\\*?])', r"\\\1", text).replace("\n", "\\n") + '"'


def unquote(text: str) -> str:
    """The value that :func:`quote` has quoted; a text without quotes is itself."""
    if len(text) < 2 or not text.startswith('"'):
        return text
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text[1:-1])


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
        domain, colon, properties = (text or "*:*").partition(":")
        if "=" in domain and not colon:
            raise MalformedObjectName("Domain part must be specified")
        if "\n" in domain:
            raise MalformedObjectName("Invalid character '\\n' in domain name")
        if not properties:
            raise MalformedObjectName("Key properties cannot be empty")
        keys, open_ended = _Properties(properties).read()
        return cls(domain or DEFAULT_DOMAIN, keys, open_ended)

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
        """True when it may match more than one name."""
        return self.open_ended or any(_WILDCARD.search(part) for part in (self.domain, *self.keys.values()))

    @property
    def canonical(self) -> str:
        """The name with its keys sorted, as JMX compares names."""
        parts = [f"{key}={value}" for key, value in sorted(self.keys.items())]
        return f"{self.domain}:{','.join([*parts, '*'] if self.open_ended else parts)}"

    def matches(self, name: ObjectName) -> bool:
        """True when this pattern matches ``name``; a name without wildcards matches only itself."""
        if not _matches(self.domain, name.domain):
            return False
        if not self.open_ended and set(self.keys) != set(name.keys):
            return False
        return all(key in name.keys and _matches(value, name.keys[key]) for key, value in self.keys.items())


def _matches(pattern: str, text: str) -> bool:
    # fnmatch knows [a-z], JMX does not: a bracket is a bracket. A backslash takes a wildcard's meaning away.
    if pattern == text:
        return True
    bare = re.sub(r"\\([*?])", lambda found: f"\\[{found[1]}]", pattern.replace("[", "[[]"))
    return fnmatchcase(text, bare)


class _Properties:
    """Reads the part behind the colon, with the words of the JDK's own parser for what is wrong."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._keys: dict[str, str] = {}
        self._open = False

    def read(self) -> tuple[dict[str, str], bool]:
        """The properties in their order, and whether more may follow."""
        text = self._text
        while self._at < len(text):
            if text[self._at] == "*":
                self._star()
            else:
                self._pair()
            if self._at == len(text):
                break
            if text[self._at] != ",":
                raise MalformedObjectName(f"Invalid character found after property: {text[self._at]!r}")
            self._at += 1
            if self._at == len(text):
                raise MalformedObjectName("Invalid ending comma")
        return self._keys, self._open

    def _star(self) -> None:
        if self._open:
            raise MalformedObjectName("Cannot have several '*' characters in pattern property list")
        self._open = True
        self._at += 1
        if self._at < len(self._text) and self._text[self._at] != ",":
            raise MalformedObjectName("Invalid character found after '*': end of name or ',' expected")

    def _pair(self) -> None:
        key = self._key()
        if self._text[self._at : self._at + 1] == '"':
            value = self._quoted()
        else:
            value = self._plain()
        if key in self._keys:
            raise MalformedObjectName(f"key `{key}' already defined")
        self._keys[key] = value

    def _key(self) -> str:
        found = _KEY.match(self._text, self._at)
        key = found[0] if found else ""
        end = self._at + len(key)
        follows = self._text[end : end + 1]
        if follows not in ("", "="):
            raise MalformedObjectName(f"Invalid character '{_named(follows)}' in key part of property")
        if not follows:
            raise MalformedObjectName("Unterminated key property part")
        if not key:
            raise MalformedObjectName("Invalid key (empty)")
        self._at = end + 1
        return key

    def _plain(self) -> str:
        found = _PLAIN.match(self._text, self._at)
        value = found[0] if found else ""
        self._at += len(value)
        follows = self._text[self._at : self._at + 1]
        if follows not in ("", ","):
            raise MalformedObjectName(f"Invalid character '{_named(follows)}' in value part of property")
        return value

    def _quoted(self) -> str:
        found = _QUOTED.match(self._text, self._at)
        if found is None:
            raise MalformedObjectName("Unterminated quoted value, or an invalid escape sequence in it")
        self._at = found.end()
        return found[0]


def _named(character: str) -> str:
    return "\\n" if character == "\n" else character
