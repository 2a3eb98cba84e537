from __future__ import annotations

from typing import Any

import pytest

from catalina.connector.connection_facts import ConnectionFacts
from catalina.connector.connector import Connector
from catalina.connector.headers import Headers
from catalina.connector.request import Request, to_wsgi_text
from catalina.connector.request_input import RequestInput
from catalina.errors import InvalidSessionError, LimitError
from catalina.realm.generic_principal import GenericPrincipal
from catalina.session.session_facade import SessionFacade
from tests.connector.bare import bare_connector
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request


def request(**attributes: Any) -> Request:
    headers = Headers(((b"Content-Type", b"text/plain"),))
    made = Request(ConnectionFacts(bare_connector()), "GET", "/shop/x", "a=1", headers=headers)
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def test_what_a_valve_sets_is_what_the_application_sees():
    made = request(remote_addr="10.0.0.1", scheme="http")
    made.remote_addr, made.scheme, made.server_name, made.server_port = "1.2.3.4", "https", "shop", 443
    made.headers.set("X-Own", "1")
    environ = made.build_environ()
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"], environ["SERVER_NAME"]) == ("1.2.3.4", "https", "shop")
    assert environ["HTTP_X_OWN"] == "1"
    assert environ["CONTENT_TYPE"] == "text/plain"


@pytest.mark.parametrize(
    ("context_path", "servlet_path", "path_info", "expected"),
    [
        ("/shop", "/x", None, ("/shop", "/x")),
        ("/shop", "/api", "/x", ("/shop/api", "/x")),
        ("", "/", None, ("", "/")),
        ("", "", "/", ("", "/")),
        ("/sh%C3%B6p", "/\xe4", None, ("/sh\xc3\xb6p", "/\xc3\xa4")),
    ],
)
def test_only_prefix_mappings_mount_the_application_below_the_context(context_path, servlet_path, path_info, expected):
    made = request()
    made.context_path, made.servlet_path, made.path_info = context_path, servlet_path, path_info
    environ = made.build_environ()
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == expected


def test_attributes_are_in_the_environ_under_their_names():
    made = request()
    made.attributes["org.apache.catalina.ha.session.JvmRouteOrignalSessionID"] = "A.n1"
    made.notes["internal"] = 1
    environ = made.build_environ()
    assert environ["org.apache.catalina.ha.session.JvmRouteOrignalSessionID"] == "A.n1"
    assert "internal" not in environ
    assert isinstance(environ["catalina.session"], SessionFacade)


def test_the_user_is_the_principal_or_whom_a_proxy_names():
    made = request()
    assert made.remote_user is None
    assert "REMOTE_USER" not in made.build_environ()
    made.principal, made.auth_type = stand_in(GenericPrincipal, name="rosa"), "BASIC"
    assert made.build_environ()["REMOTE_USER"] == "rosa"
    made.remote_user = "karl"
    assert (made.remote_user, made.build_environ()["AUTH_TYPE"]) == ("karl", "BASIC")


def test_the_url_leaves_out_the_schemes_own_port():
    made = request(scheme="https")
    made.server_name, made.server_port = "shop", 443
    assert made.request_url == "https://shop/shop/x"
    made.server_port = 8443
    assert made.request_url == "https://shop:8443/shop/x"


def test_host_names_are_looked_up_only_where_that_is_switched_on():
    def name_of(address: str) -> str:
        return f"name-of-{address}"

    made = request(connector=stand_in(Connector, enable_lookups=False, host_name_of=name_of), remote_addr="10.0.0.1")
    assert made.remote_host == "10.0.0.1"
    made = request(connector=stand_in(Connector, enable_lookups=True, host_name_of=name_of), remote_addr="10.0.0.1")
    assert made.remote_host == "name-of-10.0.0.1"


def test_100_continue_is_sent_once():
    sent: list[int] = []
    made = request()
    made.expects_continue, made.on_acknowledge = True, lambda: sent.append(1)
    made.acknowledge()
    made.acknowledge()
    assert sent == [1]


def test_a_request_that_is_through_keeps_nothing_alive():
    made = request()
    facade = made.session_facade
    assert made.session_facade is facade
    made.release()
    assert made.session_facade is not facade
    assert made.response is None


def test_a_thread_that_is_left_behind_gets_no_session_of_a_request_that_is_over():
    made = request()
    facade = made.session_facade
    made.release()
    assert facade.get("cart") is None
    with pytest.raises(InvalidSessionError):
        facade["cart"] = 1


def test_wsgi_text_is_bytes_as_latin_1():
    assert to_wsgi_text("plain") == "plain"
    assert to_wsgi_text("\u20ac") == "\xe2\x82\xac"


def test_the_environ_has_tomcats_request_attributes():
    made = request(remote_addr="203.0.113.5")
    environ = made.build_environ()
    assert environ["org.apache.tomcat.peerAddr"] == "203.0.113.5"
    assert environ["org.apache.catalina.ASYNC_SUPPORTED"] is False
    assert environ["org.apache.tomcat.sendfile.support"] is False
    assert "catalina.principal" not in environ
    made.peer_addr = "10.0.0.1"  # as RemoteIpValve leaves it
    assert made.build_environ()["org.apache.tomcat.peerAddr"] == "10.0.0.1"
    made.principal = GenericPrincipal("bob", attributes={"mail": "bob@example.org"})
    assert made.build_environ()["catalina.principal"].attributes == {"mail": "bob@example.org"}


@pytest.mark.parametrize(
    ("query", "body", "reason"),
    [("a=1&b=2&c=3", b"", "TOO_MANY_PARAMETERS"), (None, b"a=" + b"x" * 40, "POST_TOO_LARGE")],
)
def test_parameters_that_could_not_be_read_are_an_attribute(query, body, reason):
    connector = stand_in(Connector,
        max_post_size=20, max_parameter_count=2, uri_encoding="utf-8", use_body_encoding_for_uri=False,
        parse_body_methods=("POST",),
    )  # fmt: skip
    fields = [("Content-Type", "application/x-www-form-urlencoded")]
    made, _ = make_request(
        "/x", "POST", fields, query, connector=connector, content_length=len(body), input=RequestInput(None, body)
    )
    for _ in range(2):
        with pytest.raises(LimitError):
            _ = made.parameters
    assert made.attributes["org.apache.catalina.parameter_parse_failed"] is True
    assert made.attributes["org.apache.catalina.parameter_parse_failed_reason"] == reason
