r"""Translates the names in ``\p{...}`` of Java's regular expressions into those of the ``regex`` library.

Java: java.util.regex.CharPredicates.
"""

from __future__ import annotations

import functools

import regex

__all__ = ["POSIX", "unicode_property"]

#: ASCII, as in Java without its flag U; the inside of a character class.
POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-\~",
    "Graph": r"!-\~",
    "Print": r" -\~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0b\f\r",
    "L1": r"\x00-\xff",
}
#: Properties of java.lang.Character, and names that regex spells differently.
_JAVA = {
    "javaLowerCase": r"\p{Lowercase}",
    "javaUpperCase": r"\p{Uppercase}",
    "javaAlphabetic": r"\p{Alphabetic}",
    "javaIdeographic": r"\p{Ideographic}",
    "javaTitleCase": r"\p{Lt}",
    "javaDigit": r"\p{Nd}",
    "javaDefined": r"\P{Cn}",
    "javaLetter": r"\p{L}",
    "javaLetterOrDigit": r"\p{L}\p{Nd}",
    "javaSpaceChar": r"\p{Z}",
    "javaWhitespace": r"\t-\r\x1c-\x1f\p{Zl}\p{Zp}[\p{Zs}--[\xa0\u2007\u202f]]",
    "javaISOControl": r"\x00-\x1f\x7f-\x9f",
    "javaMirrored": r"\p{Bidi_Mirrored}",
    "LC": r"\p{Lu}\p{Ll}\p{Lt}",
    "LD": r"\p{L}\p{Nd}",
    "all": r"\s\S",
    "IsDigit": r"\p{Nd}",
    "IsLetter": r"\p{L}",
    "IsPunctuation": r"\p{P}",
    "IsControl": r"\p{Cc}",
    "IsTitlecase": r"\p{Lt}",
    "IsAssigned": r"\P{Cn}",
    "IsWhiteSpace": r"\p{White_Space}",
}
_CATEGORIES = frozenset(
    ("Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Me", "Mc", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Co", "Cs",
     "Pd", "Ps", "Pe", "Pc", "Po", "Sm", "Sc", "Sk", "So", "Pi", "Pf", "L", "M", "N", "Z", "C", "P", "S")
)  # fmt: skip
#: ``\p{script=Greek}`` and similar properties.
_KEYS = {
    "sc": "Script",
    "script": "Script",
    "blk": "Block",
    "block": "Block",
    "gc": "General_Category",
    "general_category": "General_Category",
}


@functools.cache
def unicode_property(name: str) -> str | None:
    """The inside of a character class for ``regex``, None for a name that Java does not know."""
    known = _JAVA.get(name)
    if known is not None:
        return known
    key, equals, value = name.partition("=")
    if equals:
        key = _KEYS.get(key.lower(), "")
        return _if_known(rf"\p{{{key}={value}}}") if key else None
    if name in _CATEGORIES:
        return rf"\p{{{name}}}"
    prefix, rest = name[:2], name[2:]
    if prefix == "In" and rest:
        return _if_known(rf"\p{{Block={rest}}}")
    if prefix == "Is" and rest:
        return rf"\p{{{rest}}}" if rest in _CATEGORIES else _JAVA.get(rest) or _if_known(rf"\p{{{rest}}}")
    return None


def _if_known(written: str) -> str | None:
    try:
        regex.compile(written, regex.V1, cache_pattern=False)
    except regex.error:
        return None
    return written
