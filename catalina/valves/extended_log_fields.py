"""The fields of the W3C extended log file format and Tomcat's own ``x-`` fields (Tomcat: ExtendedAccessLogValve.java).

====================  ===========================================================================================
date, time            of the request, GMT
time-taken(-unit)     seconds, or ``-ns``, ``-us``, ``-ms``, ``-fracsec``
bytes, cached         body bytes, always ``-``
c-ip, c-dns           client
s-ip, s-dns           this machine
cs-method             and ``cs-uri``, ``cs-uri-stem``, ``cs-uri-query``, ``cs(Header)``
sc-status             and ``sc-comment``, ``sc(Header)``
x-A(name)             attribute of the context        x-C(name)  cookie        x-O(name)  all response headers
x-R(name)             request attribute               x-S(name)  session attribute
x-P(name)             parameter, URL-encoded          x-H(name)  property of the request
x-threadname          thread
====================  ===========================================================================================
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from catalina.connector.parameters import declared_encoding
from catalina.errors import CatalinaError
from catalina.simple_date_format import date_formatter
from catalina.valves.access_log_elements import ElementFactory, query_string, request_uri, thread_name
from catalina.valves.access_log_escape import escape, escape_quotes_doubled
from catalina.valves.access_log_pattern import Code, Element
from catalina.valves.access_log_time import elapsed_element, once_a_second

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["FieldFactory", "PatternError"]

#: A field ends at a space or after its closing parenthesis.
_FIELD = re.compile(r"(?P<name>[^\s()]+)(?:\((?P<argument>[^)]*)\))?(?P<space>\s*)")


class PatternError(CatalinaError):
    """A pattern names an unknown field."""


def quoted(value: object) -> str:
    """A value in quotes; ``-`` for None."""
    if value is None or value == "-":
        return "-"
    text = str(value)
    return f'"{escape_quotes_doubled(text)}"' if text else '""'


class FieldFactory:
    """Makes the function for a field, or its text if that is the same for all requests."""

    def __init__(self, elements: ElementFactory) -> None:
        self.elements = elements

    def parts(self, pattern: str) -> Iterator[str | Element]:
        """Fields and the white space between them.

        Raises:
            PatternError: a field is unknown, or a parenthesis does not match.
        """
        at = len(pattern) - len(pattern.lstrip())
        while at < len(pattern):
            found = _FIELD.match(pattern, at)
            if found is None:
                raise PatternError(f"Unexpected {pattern[at]!r} at character {at}")
            name, argument, space = found.group("name", "argument", "space")
            yield self._field(name, argument)
            if space:
                yield space
            at = found.end()

    def _field(self, name: str, argument: str | None) -> str | Element:
        if argument is None:
            plain = _PLAIN.get(name)
            if plain is not None:
                return plain(self.elements)
            if name.startswith("time-taken-"):
                return elapsed_element(name.removeprefix("time-taken-"))
            if name.startswith(("sr-", "rs-")):
                return "-"  # between proxy and server: such a connection does not exist here
        elif name in ("sr", "rs"):
            return "-"
        elif name in _WITH_ARGUMENT:
            return _WITH_ARGUMENT[name](argument)
        elif name == "x-H":
            return _request_property(argument)
        raise PatternError(f"Unable to decode the field [{name}{f'({argument})' if argument is not None else ''}]")


def _gmt(pattern: str) -> Callable[[ElementFactory], Element]:
    def make(factory: ElementFactory) -> Element:
        write = once_a_second(date_formatter(pattern, UTC))
        clock = factory.clock
        return lambda _request, _response, time_ns: write((clock() - time_ns) // 1_000_000)

    return make


def _code(letter: str) -> Callable[[ElementFactory], str | Element]:
    return lambda factory: factory.make(Code(letter, None))


def _uri(request: Request, _response: Response, _time_ns: int) -> str:
    return request_uri(request) + query_string(request, "?", "", escape_quotes_doubled)


_PLAIN: dict[str, Callable[[ElementFactory], str | Element]] = {
    "date": _gmt("yyyy-MM-dd"),
    "time": _gmt("HH:mm:ss"),
    "time-taken": lambda _factory: elapsed_element("s"),
    "bytes": _code("b"),
    "cached": lambda _factory: "-",
    "c-ip": _code("a"),
    "c-dns": _code("h"),
    "s-ip": _code("A"),
    "s-dns": lambda _factory: socket.gethostname(),
    "cs-method": _code("m"),
    "cs-uri": lambda _factory: _uri,
    "cs-uri-stem": _code("U"),
    "cs-uri-query": lambda _factory: (
        lambda request, _response, _time_ns: query_string(request, "", "-", escape_quotes_doubled)
    ),
    "sc-status": _code("s"),
    "sc-comment": lambda _factory: "?",
    "x-threadname": lambda _factory: thread_name,
}


def _header(name: str) -> Element:
    return lambda request, _response, _time_ns: quoted(request.headers.get(name))


def _response_header(name: str) -> Element:
    return lambda _request, response, _time_ns: quoted(response.get_header(name))


def _all_response_headers(name: str) -> Element:
    def write(_request: Request, response: Response, _time_ns: int) -> str:
        values = response.get_headers(name)
        return quoted(",".join(values)) if values else "-"

    return write


def _cookie(name: str) -> Element:
    return lambda request, _response, _time_ns: quoted(",".join(request.cookies.get(name, ())) or None)


def _context_attribute(name: str) -> Element:
    def write(request: Request, _response: Response, _time_ns: int) -> str:
        context = request.context
        return quoted(None if context is None else context.application_context.attributes.get(name))

    return write


def _session_attribute(name: str) -> Element:
    def write(request: Request, _response: Response, _time_ns: int) -> str:
        session = request.get_session(False)
        return "-" if session is None else quoted(session.get_attribute(name))

    return write


def _parameter(name: str) -> Element:
    def write(request: Request, _response: Response, _time_ns: int) -> str:
        try:
            values = request.known_parameters.get(name)
        except CatalinaError:
            return "-"  # too many or too large: the application was told
        return quoted(quote_plus(values[0], safe="*-._") if values and values[0] else None)

    return write


_WITH_ARGUMENT: dict[str, Callable[[str], Element]] = {
    "cs": _header,
    "sc": _response_header,
    "x-A": _context_attribute,
    "x-C": _cookie,
    "x-O": _all_response_headers,
    "x-P": _parameter,
    "x-R": lambda name: lambda request, _response, _time_ns: quoted(request.attributes.get(name)),
    "x-S": _session_attribute,
}


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _session_id_is_valid(request: Request) -> bool:
    session = request.get_session(False)
    return session is not None and session.id == request.requested_session_id


def _locale(request: Request) -> str:
    """The first language of Accept-Language in the form of a Java Locale, such as ``de_AT``."""
    first = (request.headers.get("accept-language") or "en-US").split(",")[0].split(";")[0].strip()
    language, _, country = first.partition("-")
    return f"{language.lower()}_{country.upper()}" if country else language.lower()


_PROPERTIES: dict[str, Callable[[Request], object]] = {
    "authType": lambda request: request.auth_type,
    "remoteUser": lambda request: request.remote_user,
    "requestedSessionId": lambda request: request.requested_session_id,
    "requestedSessionIdFromCookie": lambda request: _boolean(request.requested_session_id_from_cookie),
    "requestedSessionIdValid": lambda request: _boolean(_session_id_is_valid(request)),
    "contentLength": lambda request: request.content_length,
    "connectionId": lambda request: request.connection_id,
    "characterEncoding": declared_encoding,
    "locale": _locale,
    "protocol": lambda request: request.protocol,
    "secure": lambda request: _boolean(request.secure),
}


def _request_property(name: str) -> Element:
    if name == "scheme":
        return lambda request, _response, _time_ns: escape(request.scheme)  # the only field without quotes
    read = _PROPERTIES.get(name)
    if read is None:
        raise PatternError(f"Invalid x parameter value for Servlet request [{name}]")
    return lambda request, _response, _time_ns: quoted(read(request))
