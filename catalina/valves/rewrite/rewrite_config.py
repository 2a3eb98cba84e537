"""Reads ``rewrite.config`` into rules (Tomcat: RewriteValve.parse)."""

from __future__ import annotations

import re

from catalina.errors import ConfigurationError
from catalina.place import Place
from catalina.valves.rewrite.rewrite_cond import RewriteCond
from catalina.valves.rewrite.rewrite_map import RewriteMap, make_map
from catalina.valves.rewrite.rewrite_rule import RewriteRule

__all__ = ["parse_rewrite_config"]

#: A word, perhaps in quotes, in which a backslash protects the next character.
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


def parse_rewrite_config(text: str, label: str) -> list[RewriteRule]:
    """The rules, in order.

    Args:
        label: the name of the file in errors.

    Raises:
        ConfigurationError: a line is not understood; the valve must not run with half of its rules.
    """
    rules: list[RewriteRule] = []
    conditions: list[RewriteCond] = []
    maps: dict[str, RewriteMap] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = [match[1] if match[1] is not None else match[2] for match in _WORD.finditer(line)]
        if not words or words[0].startswith("#"):
            continue
        try:
            match words[0].lower():
                case "rewritecond":
                    test, pattern, flags = _three(words)
                    conditions.append(RewriteCond.parse(test, pattern, flags, maps))
                case "rewriterule":
                    pattern, target, flags = _three(words)
                    rules.append(RewriteRule.parse(pattern, target, flags, conditions, maps))
                    conditions = []
                case "rewritemap":
                    if len(words) < 3:
                        raise ValueError("RewriteMap needs a name and a class")
                    maps[words[1]] = make_map(words[2], words[3:])
                case _:
                    raise ValueError(f"expected RewriteCond, RewriteRule or RewriteMap, found {words[0]!r}")
        except (ValueError, re.error) as exc:
            raise ConfigurationError(f"Invalid rewrite configuration: {exc}", Place(label, number)) from exc
        except Exception as exc:  # a refused pattern, or a fault of the operator's own map
            raise ConfigurationError(f"Invalid rewrite configuration: {exc}", Place(label, number)) from exc
    return rules


def _three(words: list[str]) -> tuple[str, str, list[str]]:
    """The first word, the second word, and the flags in brackets."""
    if len(words) < 3:
        raise ValueError(f"{words[0]} needs two words")
    flags = " ".join(words[3:])
    if flags and not (flags.startswith("[") and flags.endswith("]")):
        raise ValueError(f"expected flags in brackets, found {flags!r}")
    return words[1], words[2], [flag.strip() for flag in flags[1:-1].split(",") if flag.strip()]
