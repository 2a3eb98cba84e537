"""Preflight requests without login."""

from types import SimpleNamespace

import pytest

from catalina.authenticator.cors_preflight import CORS_FILTER, may_bypass
from catalina.descriptor.elements import FilterDef, FilterMap
from tests.valves.exchange import make_request

PREFLIGHT = [("Origin", "https://other.example"), ("Access-Control-Request-Method", "PUT")]


def context(filter_class=CORS_FILTER, pattern="/*", dispatcher="REQUEST"):
    return SimpleNamespace(
        filter_definitions={"cors": FilterDef("cors", filter_class)},
        filter_mappings=[FilterMap("cors", [pattern], [], frozenset({dispatcher}))],
    )


def asks(mode, headers=PREFLIGHT, method="OPTIONS", application=None):
    request, _ = make_request("/x", method, headers, servlet_path="/x")
    return may_bypass(mode, request, application or context())


def test_always_and_never_mean_what_they_say():
    assert asks("always")
    assert not asks("never")


def test_filter_needs_a_cors_filter_for_the_path():
    assert asks("filter")
    assert not asks("filter", application=context(filter_class="other"))
    assert not asks("filter", application=context(pattern="/y"))
    assert not asks("filter", application=context(dispatcher="ERROR"))


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        (PREFLIGHT, "GET"),
        (PREFLIGHT[:1], "OPTIONS"),
        (PREFLIGHT[1:], "OPTIONS"),
        ([("Origin", "http://shop.example.org"), PREFLIGHT[1]], "OPTIONS"),
        ([("Origin", "not an origin"), PREFLIGHT[1]], "OPTIONS"),
    ],
)
def test_what_is_no_preflight_does_not_pass(headers, method):
    assert not asks("always", headers, method)
