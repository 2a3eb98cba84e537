"""``${name}`` and ``${name:-default}`` in XML and properties files (Tomcat: tomcat/util/IntrospectionUtils.java)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

__all__ = ["MappingSource", "PropertySource", "Substitution"]

#: Rounds of replacement, because values may contain references again; Tomcat gives up after as many.
MAX_ROUNDS = 20


class PropertySource(Protocol):
    """A source of values for ``${name}``: Tomcat's IntrospectionUtils.PropertySource."""

    def get_property(self, name: str) -> str | None:
        """The value, None when this source has none."""


class MappingSource:
    """A dict as a source; the caller may go on changing it."""

    def __init__(self, properties: Mapping[str, str]) -> None:
        self._properties = properties

    def get_property(self, name: str) -> str | None:
        return self._properties.get(name)


class Substitution:
    """Replaces references from several sources; the first that knows a name wins."""

    def __init__(self, sources: Sequence[PropertySource]) -> None:
        self.sources = tuple(sources)

    def lookup(self, name: str) -> str | None:
        """The value of ``name``, None when no source has it."""
        for source in self.sources:
            value = source.get_property(name)
            if value is not None:
                return value
        return None

    def __call__(self, text: str) -> str:
        """The text with every known reference replaced; unknown ones without a default stay as they are."""
        for _ in range(MAX_ROUNDS):
            replaced = replace_once(text, self.lookup)
            if replaced == text or "${" not in replaced:
                return replaced
            text = replaced
        return text


def replace_once(text: str, lookup: Callable[[str], str | None]) -> str:
    """One pass from left to right, which does not look into the replacements."""
    if "${" not in text:
        return text
    parts: list[str] = []
    position = 0
    while (start := text.find("${", position)) >= 0 and (end := text.find("}", start)) >= 0:
        parts.append(text[position:start])
        parts.append(_value(text[start + 2 : end], lookup))
        position = end + 1
    return "".join(parts) + text[position:]


def _value(reference: str, lookup: Callable[[str], str | None]) -> str:
    """The value of a reference. As in Tomcat the whole text in braces is tried first: a property may be called
    ``a:-b``.
    """
    value = lookup(reference)
    if value is not None:
        return value
    name, separator, default = reference.partition(":-")
    if not separator:
        return "${" + reference + "}"
    value = lookup(name)
    return default if value is None else value
