"""``RewriteRule`` and its flags (Tomcat: valves/rewrite/RewriteRule.java, RewriteValve.parseRuleFlag)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from catalina.java_pattern import compile_pattern
from catalina.valves.rewrite.rewrite_cond import RewriteCond
from catalina.valves.rewrite.rewrite_map import RewriteMap
from catalina.valves.rewrite.substitution import Found, Substitution

__all__ = ["RewriteCookie", "RewriteRule"]

REDIRECT_NAMES = {"temp": 302, "permanent": 301, "seeother": 303}
#: Short and long names of the flags without a value.
SIMPLE = {
    "b": "escape_references", "escapebackreferences": "escape_references", "c": "chain", "chain": "chain",
    "f": "forbidden", "forbidden": "forbidden", "g": "gone", "gone": "gone", "h": "host", "host": "host",
    "l": "last", "last": "last", "n": "next", "next": "next", "nc": "no_case", "nocase": "no_case",
    "ne": "no_escape", "noescape": "no_escape", "qsa": "append_query", "qsappend": "append_query",
    "qsd": "discard_query", "qsdiscard": "discard_query", "vs": "valve_skip", "valveskip": "valve_skip",
}  # fmt: skip


@dataclass(slots=True)
class RewriteCookie:
    """``CO=name:value:domain[:lifetime[:path[:secure[:httponly]]]]``; the lifetime in seconds, as Tomcat sends it."""

    name: str
    value: Substitution
    domain: str | None = None
    max_age: int | None = None
    path: str | None = None
    secure: bool = False
    http_only: bool = False


@dataclass(slots=True)
class RewriteRule:
    """One rule with the conditions above it; ``substitution`` None leaves the URL as it is (``-``)."""

    pattern: re.Pattern[str] = field(default_factory=lambda: re.compile(""))
    negated: bool = False
    substitution: Substitution | None = None
    conditions: list[RewriteCond] = field(default_factory=list)
    escape_references: bool = False
    chain: bool = False
    forbidden: bool = False
    gone: bool = False
    host: bool = False
    last: bool = False
    next: bool = False
    no_case: bool = False
    no_escape: bool = False
    append_query: bool = False
    discard_query: bool = False
    valve_skip: bool = False
    redirect: int | None = None
    skip: int = 0
    content_type: str | None = None
    cookie: RewriteCookie | None = None
    environment: list[tuple[str, Substitution]] = field(default_factory=list)

    @classmethod
    def parse(
        cls, pattern: str, target: str, flags: list[str], conditions: list[RewriteCond], maps: Mapping[str, RewriteMap]
    ) -> RewriteRule:
        """Make a rule from the words of a line and the conditions of the lines above.

        Raises:
            ValueError: the pattern, the substitution or a flag is not understood.
        """
        rule = cls(conditions=conditions, negated=pattern.startswith("!"))
        for flag in flags:
            rule._set_flag(flag, maps)
        # A dot also matches a line feed; otherwise %0A in a URL would lead past a rule that refuses it.
        rule.pattern = compile_pattern(pattern.removeprefix("!"), re.DOTALL | (re.IGNORECASE if rule.no_case else 0))
        if target != "-":
            rule.substitution = Substitution(target, maps, rule.escape_references)
        return rule

    def _set_flag(self, flag: str, maps: Mapping[str, RewriteMap]) -> None:
        name, _, value = flag.partition("=")
        lower = name.strip().lower()
        if lower in SIMPLE:
            setattr(self, SIMPLE[lower], True)
            return
        match lower:
            case "r" | "redirect":
                self.redirect = REDIRECT_NAMES.get(value.lower()) or int(value or 302)
            case "s" | "skip":
                self.skip = int(value)
            case "t" | "type":
                self.content_type = value
            case "e" | "env":
                variable, _, text = value.partition(":")
                self.environment.append((variable, Substitution(text, maps)))
            case "co" | "cookie":
                self.cookie = _cookie(value, maps)
            case _:
                raise ValueError(f"unknown flag {flag!r} of a RewriteRule")

    def evaluate(self, text: str, found: Found) -> str | None:
        """Apply the rule to the URL or host; returns the result, or None when the rule does not apply."""
        match = self.pattern.fullmatch(text)
        if (match is None) is not self.negated:
            return None
        found.rule, found.condition = match, None
        if not self._conditions_hold(found):
            return None
        return text if self.substitution is None else self.substitution.expand(found)

    def _conditions_hold(self, found: Found) -> bool:
        """True when all conditions hold; of those joined by ``[OR]`` one must hold."""
        group_holds, in_group = False, False
        for condition in self.conditions:
            if not (in_group and group_holds):  # the rest of a group that holds is not evaluated
                group_holds = condition.evaluate(found)
            in_group = condition.or_next
            if not in_group and not group_holds:
                return False
        return group_holds if in_group else True


def _cookie(value: str, maps: Mapping[str, RewriteMap]) -> RewriteCookie:
    parts = value.split(":")
    if len(parts) < 2:
        raise ValueError(f"a cookie needs name:value, got {value!r}")
    name, text, domain, age, path, secure, http_only = (*parts, *[""] * 7)[:7]
    return RewriteCookie(
        name,
        Substitution(text, maps),
        domain or None,
        int(age) if age else None,
        path or None,
        secure.lower() in ("true", "1", "secure"),
        http_only.lower() in ("true", "1", "httponly"),
    )
