"""Parameters and nonces."""

from catalina.filters.csrf_prevention_filter_base import CsrfPreventionFilterBase, parameter_values
from tests.filters.middleware import Input

FORM = "application/x-www-form-urlencoded"


def environ(query="", body=b"", method="POST", content_type=FORM):
    return {"QUERY_STRING": query, "wsgi.input": Input(body), "REQUEST_METHOD": method, "CONTENT_TYPE": content_type}


def test_query_and_form_are_looked_at_and_the_body_stays():
    given = environ("a=1", b"a=2&b=3")
    assert parameter_values(given, "a") == ["1", "2"]
    assert given["wsgi.input"].read() == b"a=2&b=3"


def test_other_bodies_are_not_read():
    assert parameter_values(environ("", b"a=2", content_type="text/plain"), "a") == []
    assert parameter_values(environ("", b"a=2", method="PUT"), "a") == []


def test_too_many_parameters_are_none():
    assert parameter_values(environ("&".join("a=1" for _ in range(10_001))), "a") == []


def test_nonces_are_long_and_never_twice():
    nonces = {CsrfPreventionFilterBase.generate_nonce() for _ in range(100)}
    assert len(nonces) == 100
    assert all(len(nonce) == 32 for nonce in nonces)
