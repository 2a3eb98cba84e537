"""``RewriteCond`` (Tomcat: valves/rewrite/RewriteCond.java)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from catalina.java_pattern import compile_pattern
from catalina.valves.rewrite.rewrite_map import RewriteMap
from catalina.valves.rewrite.substitution import Found, Substitution
from catalina.valves.rewrite.variables import find_resource
from catalina.webresources.resource import Resource

__all__ = ["RewriteCond"]

#: The tests ``-d`` and similar, applied to a resource.
FILE_TESTS: dict[str, Callable[[Resource], bool]] = {
    "-d": lambda resource: resource.is_directory,
    "-f": lambda resource: resource.is_file,
    "-s": lambda resource: resource.is_file and resource.size > 0,
}


@dataclass(slots=True)
class RewriteCond:
    """One condition.

    Args:
        test: the text that is tested.
        matches: tests the expanded text; returns the match for ``%1`` if there is one.
        negated: the condition holds when it does not match.
        or_next: it is enough when this one or the next one holds.
    """

    test: Substitution
    matches: Callable[[str, Found], re.Match[str] | bool]
    negated: bool = False
    or_next: bool = False

    @classmethod
    def parse(cls, test: str, pattern: str, flags: list[str], maps: Mapping[str, RewriteMap]) -> RewriteCond:
        """Make a condition from the words of a line.

        Raises:
            ValueError: the pattern or a flag is not understood.
        """
        names = {flag.lower() for flag in flags}
        unknown = names - {"nocase", "nc", "ornext", "or"}
        if unknown:
            raise ValueError(f"unknown flag {sorted(unknown)[0]!r} of a RewriteCond")
        negated = pattern.startswith("!")
        pattern = pattern.removeprefix("!")
        no_case = bool(names & {"nocase", "nc"})
        return cls(Substitution(test, maps), _matcher(pattern, no_case), negated, bool(names & {"ornext", "or"}))

    def evaluate(self, found: Found) -> bool:
        """Evaluate the condition; its match becomes the one that ``%1`` refers to."""
        result = self.matches(self.test.expand(found), found)
        if not isinstance(result, bool):
            found.condition = result
        return bool(result) is not self.negated


def _matcher(pattern: str, no_case: bool) -> Callable[[str, Found], re.Match[str] | bool]:
    if pattern in FILE_TESTS:
        test = FILE_TESTS[pattern]
        return lambda text, found: (resource := find_resource(found.request, text)) is not None and test(resource)
    if pattern[:1] in ("<", ">", "="):
        return _comparison(pattern[0], pattern[1:].removeprefix('""') if pattern == '=""' else pattern[1:], no_case)
    compiled = compile_pattern(pattern, re.DOTALL | (re.IGNORECASE if no_case else 0))
    # As in Tomcat, the whole text must match; patterns of Apache httpd may need .* at their ends.
    return lambda text, _: compiled.fullmatch(text) or False


def _comparison(sign: str, operand: str, no_case: bool) -> Callable[[str, Found], bool]:
    if no_case:
        operand = operand.lower()

    def compare(text: str, _: Found) -> bool:
        text = text.lower() if no_case else text
        return text < operand if sign == "<" else text > operand if sign == ">" else text == operand

    return compare
