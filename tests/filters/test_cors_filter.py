"""Cross-origin requests."""

import pytest

from catalina.attributes import AttributeRefused
from catalina.errors import DeploymentError
from catalina.filters.cors_filter import CorsFilter
from tests.filters.middleware import CONTEXT, Stand, configured, unreached

ORIGIN = "https://app.example"


def make(**parameters):
    return Stand(configured(CorsFilter(), **{"cors__allowed__origins": ORIGIN, **parameters}))


def preflight(stand, method="POST", headers=None, origin=ORIGIN):
    extra = {} if headers is None else {"HTTP_ACCESS_CONTROL_REQUEST_HEADERS": headers}
    return stand.ask(method="OPTIONS", HTTP_ORIGIN=origin, HTTP_ACCESS_CONTROL_REQUEST_METHOD=method, **extra)


def test_an_allowed_origin_may_read():
    reply = make().ask(HTTP_ORIGIN=ORIGIN)
    assert reply.status == 200
    assert reply.get("Access-Control-Allow-Origin") == ORIGIN
    assert reply.get("Vary") == "Origin"
    assert reply.seen["cors.isCorsRequest"] is True
    assert reply.seen["cors.request.type"] == "simple"


@pytest.mark.parametrize("origin", ["https://other.example", "nonsense", "https://app.example:8443"])
def test_another_origin_is_refused(origin):
    reply = make().ask(HTTP_ORIGIN=origin)
    assert reply.status == 403
    assert reply.seen is None


def test_requests_of_the_site_itself_pass():
    for origin in (None, "http://shop.example"):
        reply = make().ask(**({"HTTP_ORIGIN": origin} if origin else {}))
        assert reply.status == 200
        assert reply.get("Access-Control-Allow-Origin") is None
        assert reply.get("Vary") == "Origin"


def test_all_origins_are_a_star_without_vary():
    reply = make(cors__allowed__origins="*").ask(HTTP_ORIGIN=ORIGIN)
    assert reply.get("Access-Control-Allow-Origin") == "*"
    assert reply.get("Vary") is None


def test_a_preflight_request_is_answered_by_the_filter():
    reply = preflight(make(), headers="Content-Type, x-requested-with")
    assert reply.status == 200
    assert reply.seen is None
    assert reply.get("Access-Control-Allow-Methods") == "GET,POST,HEAD,OPTIONS"
    assert reply.get("Access-Control-Max-Age") == "1800"
    assert "content-type" in reply.get("Access-Control-Allow-Headers")


@pytest.mark.parametrize(
    ("method", "headers", "origin"),
    [("DELETE", None, ORIGIN), ("POST", "X-Own", ORIGIN), ("POST", None, "https://x.example")],
)
def test_a_preflight_request_for_more_is_refused(method, headers, origin):
    assert preflight(make(), method, headers, origin).status == 403


def test_methods_headers_and_age_can_be_set():
    stand = make(
        cors__allowed__methods="PUT", cors__allowed__headers="X-Own", cors__preflight__maxage="0",
        cors__exposed__headers="X-A,X-B", cors__support__credentials="true",
    )  # fmt: skip
    reply = preflight(stand, "PUT", "x-own")
    assert reply.status == 200
    assert reply.get("Access-Control-Max-Age") is None
    assert reply.get("Access-Control-Expose-Headers") == "X-A,X-B"
    assert reply.get("Access-Control-Allow-Credentials") == "true"
    assert stand.ask(HTTP_ORIGIN=ORIGIN).status == 403  # GET is not allowed now


@pytest.mark.parametrize(
    ("method", "content_type", "kind"),
    [
        ("POST", "text/plain", "simple"),
        ("POST", "application/json", "actual"),
        ("PUT", "", "actual"),
        ("HEAD", "", "simple"),
    ],
)
def test_the_application_is_told_the_kind(method, content_type, kind):
    stand = make(cors__allowed__methods="POST,PUT,HEAD")
    assert stand.ask(method=method, HTTP_ORIGIN=ORIGIN, CONTENT_TYPE=content_type).seen["cors.request.type"] == kind


def test_the_application_need_not_be_told():
    assert "cors.isCorsRequest" not in make(cors__request__decorate="false").ask(HTTP_ORIGIN=ORIGIN).seen


def test_credentials_for_all_origins_are_refused_at_the_start():
    wrong = configured(CorsFilter(), cors__allowed__origins="*", cors__support__credentials="true")
    with pytest.raises(DeploymentError, match="supportsCredentials"):
        wrong.start(unreached, CONTEXT)


def test_empty_parameters_are_zero_and_false():
    stand = make(cors__preflight__maxage="", cors__support__credentials="", cors__request__decorate="")
    reply = stand.ask(HTTP_ORIGIN=ORIGIN)
    assert "cors.isCorsRequest" not in reply.seen
    assert reply.get("Access-Control-Allow-Credentials") is None
    assert preflight(stand).get("Access-Control-Max-Age") is None


def test_a_star_in_a_list_is_not_everybody():
    stand = make(cors__allowed__origins="*, https://other.example")
    assert stand.ask(HTTP_ORIGIN=ORIGIN).status == 403
    assert stand.ask(HTTP_ORIGIN="https://other.example").status == 200


@pytest.mark.parametrize("parameters", [{"cors__preflight__maxage": "soon"}, {"cors__support__credentials": "maybe"}])
def test_nonsense_still_stops_the_application(parameters):
    with pytest.raises(AttributeRefused):
        make(**parameters)
