"""The value of an Environment or env-entry, of the Java type it declares (Tomcat: core/NamingContextListener.java)."""

from __future__ import annotations

from collections.abc import Callable

from catalina.errors import NamingError

__all__ = ["environment_value"]


def _character(text: str) -> str:
    if len(text) != 1:
        raise ValueError("expected one character")
    return text


def _integer(bits: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        value = int(text)
        if not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise ValueError(f"does not fit into {bits} bits")
        return value

    return convert


_CONVERTERS: dict[str, Callable[[str], object]] = {
    "java.lang.String": str,
    "java.lang.Boolean": lambda text: text.strip().lower() == "true",
    "java.lang.Byte": _integer(8),
    "java.lang.Short": _integer(16),
    "java.lang.Integer": _integer(32),
    "java.lang.Long": _integer(64),
    "java.lang.Double": float,
    "java.lang.Float": float,
    "java.lang.Character": _character,
}


def environment_value(name: str, java_type: str, text: str) -> object:
    """Text -> str, bool, int or float. Other types (Class, an enumeration) stay text.

    Raises:
        NamingError: the text is no value of that type.
    """
    convert = _CONVERTERS.get(java_type or "java.lang.String", str)
    try:
        return convert(text)
    except ValueError as error:
        raise NamingError(f"Environment entry [{name}]: {text!r} is no {java_type}: {error}") from None
