"""Fields of the W3C format, as Tomcat writes them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.core.application_context import ApplicationContext
from catalina.errors import LimitError
from catalina.valves.access_log_elements import ElementFactory
from catalina.valves.access_log_pattern import compile_line
from catalina.valves.extended_log_fields import FieldFactory, PatternError
from tests.connector.bare import BareContext
from tests.support.stand_in import stand_in
from tests.valves.exchange import ChangeableRequest, make_request

END_NS = 1_704_207_845_678_901_234


def write(pattern, prepare=None, time_ns=2_500_000, **arguments):
    request, response = make_request(**arguments)
    context: Any = BareContext(application_context=stand_in(ApplicationContext, attributes={"build": "7"}))
    request.context = context
    if prepare is not None:
        prepare(request, response)
    factory = FieldFactory(ElementFactory(clock=lambda: END_NS))
    return compile_line(list(factory.parts(pattern)))(request, response, time_ns)


def prepare(request, response):
    response.write(b"12345")
    response.set_header("X-One", 'a"b')
    response.add_header("X-One", "c")
    request.attributes["r"] = 5
    request.requested_session_id = "S1"
    request.secure = True
    request.connection_id = "9"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("date time time-taken time-taken-ms", "2024-01-02 15:04:05 0 2"),
        ("bytes cached c-ip c-dns", "5 - 192.0.2.1 192.0.2.1"),
        ("cs-method cs-uri cs-uri-stem cs-uri-query", "GET /x?q=1 /x q=1"),
        ("sc-status  sc-comment", "200  ?"),
        ("cs(Referer) cs(None)", '"http://a/?""x""" -'),
        ("sc(X-One) x-O(X-One) x-O(No)", '"a""b" "a""b,c" -'),
        ("x-C(color) x-C(no)", '"red,blue" -'),
        ("x-R(r) x-R(no) x-A(build) x-S(cart)", '"5" - "7" -'),
        ("x-P(q) x-P(no)", '"1" -'),
        ("sr-ip rs-status sr(Via)", "- - -"),
        ("x-H(authType) x-H(remoteUser)", "- -"),
        ("x-H(requestedSessionId) x-H(requestedSessionIdFromCookie)", '"S1" "false"'),
        ("x-H(requestedSessionIdValid) x-H(contentLength)", '"false" "-1"'),
        ("x-H(connectionId) x-H(characterEncoding)", '"9" "utf-8"'),
        ("x-H(locale) x-H(protocol) x-H(scheme) x-H(secure)", '"de_AT" "HTTP/1.1" http "true"'),
        ("x-threadname", "MainThread"),
    ],
)
def test_each_field_is_written_as_tomcat_does(pattern, text):
    headers = [
        ("Referer", 'http://a/?"x"'),
        ("Cookie", "color=red; color=blue"),
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Accept-Language", "de-AT,en;q=0.5"),
    ]
    assert write(pattern, prepare, uri="/x", query="q=1", headers=headers) == text


def test_no_query_is_a_dash_and_no_part_of_the_uri():
    assert write("cs-uri cs-uri-query") == "/ -"


def test_parameters_that_cannot_be_read_are_a_dash():
    def refuse(request, response):
        class Refusing(ChangeableRequest):
            @property
            def known_parameters(self):
                raise LimitError("too many")

        request.__class__ = Refusing

    assert write("x-P(a)", refuse) == "-"


@pytest.mark.parametrize("pattern", ["cs-nothing", "x-H(nothing)", "x-Z(a)", "nonsense", "cs(a", ")", "x-H"])
def test_a_field_that_there_is_not_is_named(pattern):
    with pytest.raises(PatternError):
        list(FieldFactory(ElementFactory()).parts(pattern))


@given(st.text(alphabet="csxH-()date ", max_size=20))
def test_any_text_gives_a_line_or_the_documented_error(pattern):
    try:
        parts = list(FieldFactory(ElementFactory()).parts(pattern))
    except PatternError:
        return
    assert len(parts) <= 2 * len(pattern)
