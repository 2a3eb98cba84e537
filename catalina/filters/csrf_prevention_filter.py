"""A nonce in every link, so that other sites cannot act in the user's name (Tomcat: CsrfPreventionFilter.java).

The application puts the nonce into its links and forms: name and value are in the environ. Redirects to the application
itself get it from the filter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from catalina.attributes import Attribute, comma_list
from catalina.errors import DeploymentError
from catalina.filters.csrf_prevention_filter_base import CsrfPreventionFilterBase, parameter_values
from catalina.filters.filter_base import Environ, Headers, StartResponse
from catalina.java_pattern import compile_pattern
from catalina.webapp import send_error

if TYPE_CHECKING:
    from catalina.session.session_facade import SessionFacade

__all__ = ["CsrfPreventionFilter", "Matcher", "url_matchers"]

#: Attribute of the session: the nonces given out, oldest first.
SESSION_ATTRIBUTE = "org.apache.catalina.filters.CSRF_NONCE"
#: Keys of the environ: the nonce for the links of this page, and the parameter's name.
NONCE_KEY = "org.apache.catalina.filters.CSRF_REQUEST_NONCE"
PARAMETER_KEY = "org.apache.catalina.filters.CSRF_NONCE_PARAM_NAME"
Matcher = Callable[[str], bool]


class CsrfPreventionFilter(CsrfPreventionFilterBase):
    """Refuses a request without a nonce that the session knows, except GET of an entry point."""

    entry_points: Attribute[tuple[str, ...]] = Attribute(
        comma_list, (), doc="Paths that need no nonce with GET; they must change nothing."
    )
    nonce_cache_size = Attribute(int, 5, doc="Nonces kept per session: pages that may be open at once.")
    nonce_request_parameter_name = Attribute(str, SESSION_ATTRIBUTE, doc="Name of the parameter.")
    enforce = Attribute(bool, True, doc="Refuse; false only logs.")
    no_nonce_url_patterns = Attribute(
        str,
        "*.css, *.js, *.gif, *.png, *.jpg, *.svg, *.ico, *.jpeg, *.mjs",
        xml="noNonceURLPatterns",
        doc="Paths that need no nonce with GET, and links that get none.",
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._without_nonce: Sequence[Matcher] = ()

    def prepare(self) -> None:
        """Compile the patterns."""
        try:
            self._without_nonce = url_matchers(self.no_nonce_url_patterns, self.context.mime_type)
        except ValueError as error:
            raise DeploymentError(f"CsrfPreventionFilter: noNonceURLPatterns: {error}") from None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        session = environ["catalina.session"]
        path = self.path_of(environ)
        if not self._needs_none(environ, path) and not self._has_nonce(environ, session):
            self.logger.debug("Rejected request for [%s] without a CSRF nonce of its session [%s]", path, session.id)
            if self.enforce:
                return send_error(environ, start_response, self.deny_status)
        nonce = self.generate_nonce()
        # A new list, because a set value is replicated at once, while a change inside is found only at the end of the
        # request.
        session[SESSION_ATTRIBUTE] = [*session.get(SESSION_ATTRIBUTE, ()), nonce][-max(1, self.nonce_cache_size) :]
        environ[NONCE_KEY], environ[PARAMETER_KEY] = nonce, self.nonce_request_parameter_name

        def change(_status: int, headers: Headers) -> None:
            headers[:] = [
                (name, self._with_nonce(environ, value, nonce)) if name.lower() == "location" else (name, value)
                for name, value in headers
            ]

        return self.pass_on(environ, start_response, change)

    def _needs_none(self, environ: Environ, path: str) -> bool:
        if environ["REQUEST_METHOD"] != "GET":
            return False
        return path in self.entry_points or any(matches(path) for matches in self._without_nonce)

    def _has_nonce(self, environ: Environ, session: SessionFacade) -> bool:
        given = parameter_values(environ, self.nonce_request_parameter_name)
        return bool(given) and given[0] in session.get(SESSION_ATTRIBUTE, ())

    def _with_nonce(self, environ: Environ, location: str, nonce: str) -> str:
        """The location with the nonce, when it is in this application and its kind needs one."""
        target = _without_parameter(location, self.nonce_request_parameter_name)
        if any(matches(target) for matches in self._without_nonce) or not self._is_own(environ, target):
            return target
        path, hash_mark, fragment = target.partition("#")
        separator = "&" if "?" in path else "?"
        return f"{path}{separator}{self.nonce_request_parameter_name}={nonce}{hash_mark}{fragment}"

    def _is_own(self, environ: Environ, location: str) -> bool:
        host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        here = f"{environ['wsgi.url_scheme']}://{host}"
        try:
            target = urlsplit(urljoin(f"{here}{environ.get('REQUEST_URI', '/')}", location))
        except ValueError:
            return False
        prefix = self.context.context_path + "/"
        return f"{target.scheme}://{target.netloc}" == here and f"{target.path}/".startswith(prefix)


def _without_parameter(url: str, name: str) -> str:
    """The URL without an older nonce."""
    path, question_mark, rest = url.partition("?")
    if not question_mark:
        return url
    query, hash_mark, fragment = rest.partition("#")
    kept = [pair for pair in query.split("&") if pair.partition("=")[0] != name]
    query = "&".join(kept)
    return f"{path}{'?' if query else ''}{query}{hash_mark}{fragment}"


def url_matchers(text: str, mime_type: Callable[[str], str | None]) -> Sequence[Matcher]:
    """One matcher for each pattern of the URLs that are left alone: ``*.css, /static/*, mime:image/*, /regex/``.

    Tomcat: CsrfPreventionFilter.createNoNoncePredicates.

    Args:
        mime_type: the type of a path, for patterns that start with ``mime:``.

    Raises:
        ValueError: a pattern has no known form.
    """
    text = text.strip()
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        return (_regular(text[1:-1]),)
    return tuple(_matcher(part.strip(), mime_type) for part in text.split(",") if part.strip())


def _matcher(pattern: str, mime_type: Callable[[str], str | None]) -> Matcher:
    if pattern.startswith("mime:"):
        matches = _matcher(pattern[5:], mime_type)
        return lambda path: (kind := mime_type(path)) is not None and matches(kind)
    if pattern.startswith("*"):
        suffix = pattern[1:]
        return lambda path: path.endswith(suffix)
    if pattern.endswith("*"):
        prefix = pattern[:-1]
        return lambda path: path.startswith(prefix)
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        return _regular(pattern[1:-1])
    raise ValueError(f"expected *suffix, prefix*, /regular expression/ or mime:..., got {pattern!r}")


def _regular(text: str) -> Matcher:
    try:
        compiled = compile_pattern(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return lambda path: compiled.fullmatch(path) is not None
