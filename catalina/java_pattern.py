"""Regular expressions as operators write them in server.xml: Java's dialect (java.util.regex.Pattern).

A pattern is translated once. Python's :mod:`re` compiles most patterns. The ``regex`` library compiles those that only
it can express (intersections and unions of character classes, Unicode properties, look-behind of any width, flags in
the middle); its compiled patterns have the same methods. A pattern that Java refuses is refused, and so is one that
neither engine can express: no pattern is compiled with another meaning.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import cast

import regex

from catalina.attributes import AttributeRefused

__all__ = ["POSIX", "compile_pattern", "pattern", "unicode_property"]

_WORD, _DIGIT, _SPACE = "a-zA-Z0-9_", "0-9", r" \t\n\x0b\f\r"
_HORIZONTAL, _VERTICAL = r" \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000", r"\n\x0b\f\r\x85\u2028\u2029"
#: Letters of escapes that are classes -> the content of the class, ASCII as in Java without its flag U.
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE, "h": _HORIZONTAL, "v": _VERTICAL}
_AS_IN_RE = frozenset("dDsSwW")
#: Letters of escapes that are characters.
_CHARACTERS = {"t": r"\t", "n": r"\n", "r": r"\r", "f": r"\f", "a": r"\x07", "e": r"\x1b"}
#: Letters of escapes that are positions or texts, outside character classes only.
_PLACES = {"b": r"\b", "B": r"\B", "A": r"\A", "z": r"\Z", "Z": r"(?=\n?\Z)", "G": "",
           "R": r"(?:\r\n|[\n-\r\x85\u2028\u2029])"}  # fmt: skip
_REPETITION = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}")
_FLAGS = re.compile(r"\(\?([idmsuxU]*)(?:-([idmsuxU]+))?([):])")
_GROUP_NAME = re.compile(r"<([A-Za-z][A-Za-z0-9]*)>")
_CODE_POINT = re.compile(
    r"x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|0([0-3]?[0-7]{1,2})|c(.)", re.DOTALL
)
_NAME = re.compile(r"N\{([^}]*)\}")
_PROPERTY = re.compile(r"[pP](?:\{([^}]*)\}|(.))", re.DOTALL)
#: Beginnings of groups that Python has and Java lacks.
_NOT_JAVA = ("(?P", "(?#", "(?(", "(?|", "(?&", "(?R")
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


def compile_pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a Java regular expression.

    Args:
        flags: flags of ``re``: DOTALL, IGNORECASE.

    Raises:
        re.error: the text is no regular expression, or uses something that cannot be expressed here.
    """
    try:
        return re.compile(_Translator(text, extended=False).translate(), re.ASCII | flags)
    except _NeedsRegex:
        return _compile_extended(text, flags)
    except re.error as error:
        try:
            return _compile_extended(text, flags)  # it may contain a look-behind of any width
        except re.error:
            raise error from None
    except (RecursionError, OverflowError) as error:
        raise re.error(f"too large: {error}", text) from None


def _compile_extended(text: str, flags: int) -> re.Pattern[str]:
    try:
        translator = _Translator(text, extended=True)
        translated = translator.translate()
        letters = regex.UNICODE if translator.whole_unicode else regex.ASCII
        # The class differs but has the same methods, and none of our code asks for the class.
        return cast("re.Pattern[str]", regex.compile(translated, regex.V1 | letters | flags, cache_pattern=False))
    except regex.error as error:
        raise re.error(str(error), text) from None
    except (RecursionError, OverflowError) as error:
        raise re.error(f"too large: {error}", text) from None


def pattern(text: str) -> re.Pattern[str] | None:
    """Attribute converter: an empty text is no pattern, as in Tomcat's setters."""
    if not text:
        return None
    try:
        return compile_pattern(text)
    except re.error as error:
        raise AttributeRefused(f"a regular expression ({error})") from None


class _NeedsRegex(Exception):
    """The pattern uses something that ``re`` does not have."""


class _Translator:
    """One pass over one pattern.

    Args:
        extended: write for ``regex``; otherwise a part that needs it raises :class:`_NeedsRegex`.
    """

    def __init__(self, text: str, extended: bool) -> None:
        self.text = text
        self.extended = extended
        self.at = 0
        #: The number of capturing groups that have begun.
        self.groups = 0
        self.names: set[str] = set()
        #: True when a part was found that works only with Unicode everywhere: the flag u, \\X.
        self.whole_unicode = False
        #: True when a repetition may follow.
        self.repeatable = False

    def translate(self) -> str:
        parts = []
        while self.at < len(self.text):
            parts.append(self._item())
        return "".join(parts)

    def _error(self, message: str) -> re.error:
        return re.error(message, self.text, self.at)

    def _only_regex(self) -> None:
        if not self.extended:
            raise _NeedsRegex

    def _item(self) -> str:
        """The item at the current position, outside character classes."""
        char = self.text[self.at]
        if char == "{":
            return self._brace()
        self.repeatable = char not in "(|*+?^$"
        if char == "\\":
            return self._escape()
        if char == "[":
            unicode, inside = self._class()
            return f"(?u:{inside})" if unicode else inside
        if char == "(" and self.text.startswith("(?", self.at):
            return self._group()
        self.groups += char == "("
        self.at += 1
        return char

    def _brace(self) -> str:
        """A repetition, behind something that can be repeated; Java writes a literal brace with a backslash."""
        found = _REPETITION.match(self.text, self.at)
        if found is None or not self.repeatable:
            raise self._error("Illegal repetition")
        self.repeatable = False
        self.at = found.end()
        return found.group()

    def _group(self) -> str:
        if self.text.startswith(_NOT_JAVA, self.at):
            raise self._error("Unknown inline modifier")
        found = _FLAGS.match(self.text, self.at)
        if found is not None:
            return self._flags(found)
        if self.text.startswith("(?<", self.at) and self.text[self.at + 3 : self.at + 4] not in ("=", "!"):
            name = _GROUP_NAME.match(self.text, self.at + 2)
            if name is None:
                raise self._error("named capturing group is missing its name")
            if name[1] in self.names:
                raise self._error(f"Named capturing group <{name[1]}> is already defined")
            self.names.add(name[1])
            self.at = name.end()
            self.groups += 1
            return f"(?P<{name[1]}>"
        self.at += 2
        return "(?"

    def _flags(self, found: re.Match[str]) -> str:
        on, off, end = found[1], found[2] or "", found[3]
        if "U" in on + off:
            raise self._error("the flag U (Unicode character classes) is not supported")
        if "u" in on + off:
            self._only_regex()
            self.whole_unicode = True
        if end == ")" and (self.at > 0 or off):
            self._only_regex()
        self.at = found.end()
        # The flag d only changes which characters end a line, which makes no difference in a configuration file.
        on, off = re.sub("[du]", "", on), re.sub("[du]", "", off)
        if not on and not off:
            return "(?:" if end == ":" else "(?:)"
        return f"(?{on}{'-' + off if off else ''}{end}"

    # -- escapes -------------------------------------------------------------------------------------------------

    def _escape(self) -> str:
        """An escape outside character classes; the position is at its backslash."""
        letter = self.text[self.at + 1 : self.at + 2]
        if letter in _PLACES:
            if letter == "b" and self.text.startswith("b{", self.at + 1):
                raise self._error(r"\b{...} is not supported")
            self.at += 2
            return _PLACES[letter]
        if letter in _AS_IN_RE and not self.extended:  # where only ASCII counts
            self.at += 2
            return f"\\{letter}"
        if letter == "X":
            self._only_regex()
            self.whole_unicode = True
            self.at += 2
            return r"\X"
        if letter == "k":
            name = _GROUP_NAME.match(self.text, self.at + 2)
            if name is None:
                raise self._error(r"\k is not followed by '<' for named capturing group")
            self.at = name.end()
            return f"(?P={name[1]})"
        if letter.isdecimal() and letter != "0":
            return self._back_reference()
        unicode, negated, inside = self._escaped_in_class()
        if inside.startswith("\0"):
            return inside[1:]
        text = f"[{'^' if negated else ''}{inside}]"
        return f"(?u:{text})" if unicode else text

    def _back_reference(self) -> str:
        """A back reference: Java takes as many digits as there are groups before it."""
        end = self.at + 2
        while self.text[end : end + 1].isdecimal() and int(self.text[self.at + 1 : end + 1]) <= self.groups:
            end += 1
        number = int(self.text[self.at + 1 : end])
        self.at = end
        return f"(?:\\{number})" if number <= self.groups else "(?!)"

    def _escaped_in_class(self) -> tuple[bool, bool, str]:
        """An escape inside a class: (is Unicode, is negated, inside); a literal text begins with NUL."""
        rest = self.text[self.at + 1 : self.at + 2]
        if not rest:
            raise self._error("Unexpected internal error: a backslash at the end")
        if rest == "N":
            return False, False, "\0" + self._named()
        if rest == "Q":
            return False, False, "\0" + self._quoted()
        code = _CODE_POINT.match(self.text, self.at + 1)
        if code is not None:
            self.at = code.end()
            return False, False, "\0" + re.escape(self._code_point(code))
        if rest in "pP":
            return self._property()
        self.at += 2
        if rest.lower() in _CLASSES:
            return False, rest.isupper(), _CLASSES[rest.lower()]
        if rest in _CHARACTERS:
            return False, False, "\0" + _CHARACTERS[rest]
        if rest.isascii() and rest.isalnum():
            self.at -= 2
            raise self._error(f"Illegal/unsupported escape sequence \\{rest}")
        return False, False, "\0" + re.escape(rest)

    def _quoted(self) -> str:
        start = self.at + 2
        end = self.text.find(r"\E", start)
        self.at = len(self.text) if end < 0 else end + 2
        return re.escape(self.text[start : None if end < 0 else end])

    def _named(self) -> str:
        found = _NAME.match(self.text, self.at + 1)
        try:
            char = unicodedata.lookup(found[1] if found is not None else "")
        except KeyError:
            raise self._error(r"Unknown character name in \N{...}") from None
        self.at = found.end() if found is not None else self.at
        return re.escape(char)

    def _code_point(self, found: re.Match[str]) -> str:
        *numbers, control = found.groups()
        if control is not None:
            return chr(ord(control) ^ 64)
        braces, two, four, octal = numbers
        code = int(octal, 8) if octal is not None else int(braces or two or four, 16)
        if code > 0x10FFFF:
            raise self._error("Hexadecimal codepoint is too big")
        return chr(code)

    def _property(self) -> tuple[bool, bool, str]:
        found = _PROPERTY.match(self.text, self.at + 1)
        name = (found[1] or found[2]) if found is not None else None
        if found is None or not name:
            raise self._error("Unknown character property")
        negated = self.text[self.at + 1] == "P"
        posix = POSIX.get(name)
        if posix is not None:
            self.at = found.end()
            return False, negated, posix
        known = unicode_property(name)
        if known is None:
            raise self._error(f"Unknown character property name {{{name}}}")
        self._only_regex()
        self.at = found.end()
        return True, negated, known

    # -- character classes ---------------------------------------------------------------------------------------

    def _class(self) -> tuple[bool, str]:
        """A class with everything nested in it; returns True first if it needs Unicode."""
        self.at += 1
        parts, unicode, first = ["["], False, True
        if self.text.startswith("^", self.at):
            parts.append("^")
            self.at += 1
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "]" and not first:
                self.at += 1
                parts.append("]")
                return unicode, "".join(parts)
            # A hyphen at the start, or behind the hyphen of a range, stands for itself.
            if char == "-" and (first or parts[-1] == "-"):
                self.at += 1
                needs_unicode, part = False, r"\-"
            else:
                needs_unicode, part = self._class_item(char)
            unicode |= needs_unicode
            parts.append(part)
            first = False
        raise self._error("Unclosed character class")

    def _class_item(self, char: str) -> tuple[bool, str]:
        if char == "[":
            self._only_regex()
            return self._class()
        if char == "\\":
            return self._class_escape()
        if self.text.startswith("&&", self.at):
            self._only_regex()
            if self.text[self.at - 1] in "[^" or self.text[self.at + 2 : self.at + 3] in ("&", "]"):
                raise self._error("an intersection of character classes needs two sides")
            self.at += 2
            return False, "&&"
        self.at += 1
        # Python warns of some of these when they are doubled, and regex gives them a meaning.
        return False, "\\" + char if char in "]|~&:" else char

    def _class_escape(self) -> tuple[bool, str]:
        unicode, negated, inside = self._escaped_in_class()
        if inside.startswith("\0"):
            return False, inside[1:]
        if negated:
            self._only_regex()
            return unicode, f"[^{inside}]"
        return unicode, inside
