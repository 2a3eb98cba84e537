"""Regular expressions as operators write them in server.xml: Java's dialect, compiled for :mod:`re`.

Python 3.11 already knows possessive quantifiers and atomic groups. What differs is translated: ``(?<name>...)`` and
``\\k<name>``, the POSIX and Unicode classes ``\\p{...}``, ``\\h``, ``\\R``, ``\\z``, ``\\Q...\\E`` quoting and
hexadecimal ``\\x{h..h}``. Intersections (``[a-z&&[^b]]``) have no counterpart and are refused, so that nothing is
matched by a pattern that means something else (java.util.regex.Pattern).
"""

from __future__ import annotations

import re

from catalina.attributes import AttributeRefused

__all__ = ["compile_pattern", "pattern"]

#: ``\p{Name}`` as the inside of a character class. ASCII, as in Java without UNICODE_CHARACTER_CLASS.
_PROPERTIES = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0b\f\r",
    "Lu": "A-Z",
    "Ll": "a-z",
    "L": "a-zA-Z",
    "IsAlphabetic": "a-zA-Z",
    "N": "0-9",
    "Nd": "0-9",
    "IsDigit": "0-9",
}
_ESCAPE = re.compile(r"\\(?:([pP])(?:\{(\w+)\}|(\w))|x\{([0-9A-Fa-f]+)\}|k<(\w+)>|Q(.*?)(?:\\E|$)|(.))", re.DOTALL)
_SIMPLE = {"h": r"[ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]", "R": r"(?:\r\n|[\n-\r\x85\u2028\u2029])"}
_PLAIN = {"z": r"\Z", "Z": r"(?=\n?\Z)", "e": r"\x1b", "G": ""}


def compile_pattern(text: str) -> re.Pattern[str]:
    """Compile a Java regular expression.

    Raises:
        re.error: it is no regular expression, or uses something that Python's engine cannot express.
    """
    return re.compile(_translate(text), re.ASCII)


def pattern(text: str) -> re.Pattern[str] | None:
    """Attribute converter: empty text is no pattern, as in Tomcat's setters."""
    if not text:
        return None
    try:
        return compile_pattern(text)
    except re.error as error:
        raise AttributeRefused(f"a regular expression ({error})") from None


def _translate(text: str) -> str:
    parts: list[str] = []
    at, in_class = 0, False
    while at < len(text):
        char = text[at]
        if char == "\\":
            found = _ESCAPE.match(text, at)
            if found is None:
                raise re.error("a backslash at the end", text, at)
            parts.append(_escape(found, in_class))
            at = found.end()
            continue
        if in_class and text.startswith("&&", at):
            raise re.error("intersections of character classes are not supported", text, at)
        if char == "[" and not in_class:
            in_class = True
            head = "[^" if text.startswith("[^", at) else "["
            parts.append(head)
            at += len(head)
            continue
        if char == "[":
            raise re.error("nested character classes are not supported", text, at)
        if char == "]" and in_class:
            in_class = False
        if not in_class and text.startswith("(?<", at) and text[at + 3 : at + 4] not in ("=", "!"):
            parts.append("(?P<")
            at += 3
            continue
        parts.append(char)
        at += 1
    return "".join(parts)


def _escape(found: re.Match[str], in_class: bool) -> str:
    negated, long_name, short_name, code_point, group, quoted, char = found.groups()
    if negated:
        inside = _PROPERTIES.get(long_name or short_name)
        if inside is None:
            raise re.error(f"unknown character property {found.group()}", found.string, found.start())
        if negated == "p":
            return inside if in_class else f"[{inside}]"
        if in_class:
            raise re.error("a negated property inside a class is not supported", found.string, found.start())
        return f"[^{inside}]"
    if code_point:
        return re.escape(chr(int(code_point, 16)))
    if group:
        return f"(?P={group})"
    if quoted is not None:
        return re.escape(quoted)
    if char in _SIMPLE and not in_class:
        return _SIMPLE[char]
    return _PLAIN.get(char, "\\" + char) if not in_class else "\\" + char
