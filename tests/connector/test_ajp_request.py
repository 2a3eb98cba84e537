from __future__ import annotations

from typing import Any

import pytest

from catalina.connector.ajp_request import AjpRequestRules
from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.request import Request
from catalina.coyote.ajp.ajp_nio_protocol import AjpNioProtocol
from catalina.coyote.ajp.forward_request import decode_forward_request
from catalina.coyote.http_error import HttpError
from tests.connector.bare import bare_connector
from tests.coyote.ajp.web_server import attribute, forward_request
from tests.support.narrowing import there


def make(*args: Any, handler: AjpNioProtocol | None = None, **kwargs: Any) -> Request:
    rules = AjpRequestRules(handler or AjpNioProtocol())
    return rules.make(decode_forward_request(forward_request(*args, **kwargs)), ConnectionFacts(bare_connector()))


@pytest.mark.parametrize(
    ("uri", "attributes", "path", "query"),
    [
        ("/a", [attribute(5, "x=1")], "/a", "x=1"),
        ("/a?y=2", [], "/a?y=2", None),
        ("/a?y=2", [attribute(5, "x=1")], "/a?y=2", "x=1"),
        ("http://shop:81/a", [], "http://shop:81/a", None),
    ],
)
def test_the_uri_is_taken_literally(uri, attributes, path, query):
    request = make("GET", uri, attributes=attributes)
    assert (request.request_uri, request.query_string) == (path, query)


@pytest.mark.parametrize(
    ("fields", "is_tls", "name", "port"),
    [
        ([(0xA00B, "shop:81")], False, "shop", 81),
        ([(0xA00B, "shop")], False, "shop", 80),
        ([(0xA00B, "shop")], True, "shop", 443),
        ([], False, "web.example.org", 8080),
        ([(0xA00B, "")], False, "web.example.org", 8080),
    ],
)
def test_the_host_is_the_clients_or_what_the_web_server_calls_itself(fields, is_tls, name, port):
    request = make(fields=fields, is_tls=is_tls)
    assert (request.server_name, request.server_port) == (name, port)


@pytest.mark.parametrize("fields", [[(0xA00B, "a b")], [(0xA00B, "a"), ("Host", "b")]])
def test_a_malformed_or_second_host_is_400(fields):
    with pytest.raises(HttpError) as caught:
        make(fields=fields)
    assert caught.value.status == 400


def test_what_load_balancers_say_of_themselves_is_passed_on():
    request = make(attributes=[attribute(10, "JK_LB_ACTIVATION", "DIS"), attribute(10, "AJP_LOCAL_ADDR", "10.9.9.9")])
    assert request.attributes["JK_LB_ACTIVATION"] == "DIS"
    assert request.local_addr == "10.9.9.9"


def test_the_secret_must_be_the_same_letter_by_letter():
    handler = AjpNioProtocol(secret="s3cret")
    assert make(handler=handler, attributes=[attribute(12, "s3cret")]).method == "GET"
    for wrong in ([], [attribute(12, "s3cre")], [attribute(12, "s3cret ")], [attribute(12, "S3CRET")]):
        with pytest.raises(HttpError) as caught:
            make(handler=handler, attributes=wrong)
        assert caught.value.status == 403


def test_roles_of_the_proxys_user_are_for_the_realm_with_tomcat_authorization():
    request = make(handler=AjpNioProtocol(tomcat_authorization=True), attributes=[attribute(3, "rosa")])
    assert request.remote_user_needs_authorization
    assert request.proxy_user == "rosa"
    assert request.remote_user is None
    assert request.principal is None
    request = make(handler=AjpNioProtocol(tomcat_authentication=False), attributes=[attribute(3, "rosa")])
    assert not request.remote_user_needs_authorization
    assert there(request.principal).name == "rosa"
