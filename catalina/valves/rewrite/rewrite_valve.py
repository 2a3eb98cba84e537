"""Rewrites URLs by rules like those of Apache's mod_rewrite (Tomcat: valves/rewrite/RewriteValve.java).

The rules are in ``WEB-INF/rewrite.config`` for a valve of a Context, in ``conf/<engine>/<host>/rewrite.config`` for a
Host, and in ``conf/<engine>/rewrite.config`` for an Engine. A rewritten request is mapped anew and enters the engine's
pipeline again, where this valve lets it pass.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from catalina.attributes import Attribute
from catalina.connector.session_urls import encode_redirect_url
from catalina.connector.uri import without_path_parameters
from catalina.coyote.http_error import HttpError
from catalina.errors import ConfigurationError
from catalina.place import Place
from catalina.valves.rewrite.escapes import (
    encode_path,
    encode_rewritten_path,
    encode_rewritten_query,
    for_rules,
)
from catalina.valves.rewrite.rewrite_cond import RewriteCond
from catalina.valves.rewrite.rewrite_map import RewriteMap, make_map
from catalina.valves.rewrite.rewrite_rule import RewriteRule
from catalina.valves.rewrite.substitution import Found
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["RewriteValve", "parse_rewrite_config"]

log = logging.getLogger("org.apache.catalina.valves.rewrite.RewriteValve")

FILE = "rewrite.config"
#: Rounds of rules with [N]; more mean an endless loop in the rules.
MAX_ROUNDS = 10_000
#: A word, perhaps in quotes, in which a backslash protects the next character.
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


class _Outcome:
    """The effect of the rules on one request."""

    def __init__(self, url: str, host: str) -> None:
        self.url = url
        self.host = host
        self.rewritten = False
        self.append_query = False
        self.discard_query = False
        self.skip_valve = False
        self.answered = False


class RewriteValve(ValveBase):
    """Applies the rules of its file to every request that passes."""

    enabled = Attribute(bool, True, doc="False lets every request pass as it is.")

    rules: tuple[RewriteRule, ...] = ()

    # -- lifecycle -----------------------------------------------------------------------------------------------

    @property
    def in_context(self) -> bool:
        """True when the rules see paths inside an application."""
        return self.container is not None and self.container.is_context

    def _start(self) -> None:
        file = self._config_file()
        if file is None or not file.is_file():
            log.info("No rewrite configuration [%s] for [%s]", file, self.container)
            self.rules = ()
            return
        self.set_configuration(file.read_text("utf-8"), str(file))

    def set_configuration(self, text: str, label: str = FILE) -> None:
        """Use these rules from now on. Raises ConfigurationError, and then keeps the old ones."""
        self.rules = tuple(parse_rewrite_config(text, label))

    def _config_file(self) -> Path | None:
        directory = self.container.config_directory if self.container is not None else None
        return directory / FILE if directory is not None else None

    # -- requests ------------------------------------------------------------------------------------------------

    def invoke(self, request: Request, response: Response) -> None:
        """Rewrite the request, answer it, or let it pass."""
        passed = request.notes.setdefault("rewrite.passed", set()) if self.rules else set()
        if not self.enabled or not self.rules or self in passed:
            self.next.invoke(request, response)
            return
        outcome = self._apply(request, response)
        if outcome.answered:
            return
        if not outcome.rewritten:
            following = self.next
            if outcome.skip_valve and following is not self._basic:
                following = following.next
            following.invoke(request, response)
            return
        passed.add(self)
        self._restart(request, response, outcome)

    @property
    def _basic(self) -> ValveBase | None:
        return self.container.pipeline.basic if self.container is not None else None

    def _apply(self, request: Request, response: Response) -> _Outcome:
        path = request.decoded_uri
        if self.in_context and request.context is not None:
            path = path[len(request.context.path) :]
        outcome = _Outcome(for_rules(path), request.server_name)
        found = Found(request)
        number, rounds = 0, 0
        while number < len(self.rules):
            rule = self.rules[number]
            result = rule.evaluate(outcome.host if rule.host else outcome.url, found)
            if result is None:
                number = self._behind_chain(number)
                continue
            self._note(rule, result, outcome)
            if self._answer(rule, request, response, outcome):
                break
            self._modify(rule, request, response, found)
            if rule.last:
                break
            if rule.next:
                rounds += 1
                if rounds > MAX_ROUNDS:
                    raise RuntimeError(f"{self}: the rules repeat [{rule.pattern.pattern}] for ever")
                number = 0
                continue
            number += 1 + rule.skip
        return outcome

    def _behind_chain(self, number: int) -> int:
        """The rule after one that did not match: behind the whole chain, if it begins one."""
        while self.rules[number].chain and number + 1 < len(self.rules):
            number += 1
        return number + 1

    @staticmethod
    def _note(rule: RewriteRule, result: str, outcome: _Outcome) -> None:
        if rule.host:
            outcome.rewritten |= outcome.host != result
            outcome.host = result
        else:
            outcome.rewritten |= outcome.url != result
            outcome.url = result
        outcome.append_query |= rule.append_query
        outcome.discard_query |= rule.discard_query
        outcome.skip_valve |= rule.valve_skip

    def _answer(self, rule: RewriteRule, request: Request, response: Response, outcome: _Outcome) -> bool:
        """Answer the request, if the rule says so."""
        if rule.forbidden or rule.gone:
            response.send_error(403 if rule.forbidden else 410)
        elif rule.redirect is not None:
            location = encode_redirect_url(request, self._location(rule, request, outcome))
            response.send_redirect(location, rule.redirect)
        else:
            return False
        outcome.answered = True
        return True

    def _location(self, rule: RewriteRule, request: Request, outcome: _Outcome) -> str:
        path, mark, query = outcome.url.partition("?")
        original = "" if outcome.discard_query else request.query_string or ""
        queries = [encode_rewritten_query(query)] if mark else []
        if original and (outcome.append_query or not mark):
            queries.append(original)
        location = encode_rewritten_path(path)
        # A lone ? at the end of a rule drops the query of the request.
        if queries and not (original and queries == [""]):
            location += "?" + "&".join(queries)
        if self.in_context and location.startswith("/") and request.context is not None:
            location = encode_path(request.context.path) + location
        return unquote(location) if rule.no_escape else location

    @staticmethod
    def _modify(rule: RewriteRule, request: Request, response: Response, found: Found) -> None:
        """Set cookie, request attributes and content type."""
        cookie = rule.cookie
        if cookie is not None:
            response.add_cookie(
                cookie.name,
                cookie.value.expand(found),
                domain=cookie.domain,
                max_age=cookie.max_age,
                path=cookie.path,
                secure=cookie.secure,
                http_only=cookie.http_only,
            )
        for name, value in rule.environment:
            request.attributes[name] = value.expand(found)
        if rule.content_type is not None:
            response.content_type = rule.content_type

    def _restart(self, request: Request, response: Response, outcome: _Outcome) -> None:
        """Map the new URL and let the request enter the engine again."""
        path, mark, query = outcome.url.partition("?")
        original = request.query_string
        request.request_uri = (request.context_path if self.in_context else "") + encode_rewritten_path(path)
        if mark:
            request.query_string = encode_rewritten_query(query)
            if outcome.append_query and not outcome.discard_query and original:
                request.query_string += "&" + original
        elif outcome.discard_query:
            request.query_string = ""
        request.server_name = outcome.host
        try:
            mapped = request.connector.map_request(request, response)
        except HttpError as error:  # parts of the client's request have made an invalid URL
            log.debug("%s: rewritten to [%s]: %s", self, request.request_uri, error)
            response.send_error(error.status)
            return
        # Parameters that a rule wrote (;v=1) now belong to the request, not to its URI (Tomcat: stripPathParams).
        request.request_uri = without_path_parameters(request.request_uri)
        service = request.connector.service
        if mapped and service is not None and service.engine is not None:
            service.engine.pipeline.first.invoke(request, response)


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
