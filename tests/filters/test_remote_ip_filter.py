"""Proxies believed inside the application."""

import socket

from catalina.filters.remote_ip_filter import RemoteIpFilter
from tests.filters.middleware import Stand, configured

PROXY = "10.0.0.1"


def seen(parameters=None, **environ):
    return Stand(configured(RemoteIpFilter(), **(parameters or {}))).ask(**{"REMOTE_ADDR": PROXY, **environ}).seen


def test_the_client_behind_the_proxy_is_seen():
    environ = seen(HTTP_X_FORWARDED_FOR="203.0.113.5, 10.0.0.2")
    assert environ["REMOTE_ADDR"] == environ["REMOTE_HOST"] == "203.0.113.5"
    assert "HTTP_X_FORWARDED_FOR" not in environ
    assert environ["org.apache.tomcat.request.forwarded"] is True
    assert environ["org.apache.tomcat.remoteAddr"] == "203.0.113.5"


def test_a_client_that_is_no_proxy_is_not_believed():
    environ = seen(REMOTE_ADDR="198.51.100.1", HTTP_X_FORWARDED_FOR="203.0.113.5", HTTP_X_FORWARDED_PROTO="https")
    assert environ["REMOTE_ADDR"] == "198.51.100.1"
    assert environ["wsgi.url_scheme"] == "http"
    assert "org.apache.tomcat.remoteAddr" not in environ


def test_trusted_proxies_are_named():
    environ = seen({"trustedProxies": "proxy.*"}, HTTP_X_FORWARDED_FOR="fake, 203.0.113.5, proxy1, proxy2")
    assert environ["HTTP_X_FORWARDED_BY"] == "proxy1,proxy2"
    assert environ["HTTP_X_FORWARDED_FOR"] == "fake"


def test_scheme_port_and_host_are_believed():
    environ = seen(
        {"hostHeader": "X-Forwarded-Host", "portHeader": "X-Forwarded-Port"}, HTTP_X_FORWARDED_PROTO="https",
        HTTP_X_FORWARDED_PORT="8443", HTTP_X_FORWARDED_HOST="front.example:8443",
    )  # fmt: skip
    assert (environ["wsgi.url_scheme"], environ["SERVER_PORT"], environ["SERVER_NAME"]) == (
        "https", "8443", "front.example",
    )  # fmt: skip
    assert environ["HTTP_HOST"] == "front.example:8443"


def test_whether_the_client_is_secure_is_an_attribute():
    name = "org.apache.catalina.filters.RemoteIpFilter.secure"
    assert seen(HTTP_X_FORWARDED_PROTO="https")[name] is True
    assert seen(HTTP_X_FORWARDED_PROTO="http")[name] is False
    assert name not in seen()


def test_without_a_port_it_is_the_schemes():
    assert seen(HTTP_X_FORWARDED_PROTO="https")["SERVER_PORT"] == "443"
    assert seen(HTTP_X_FORWARDED_PROTO="http")["SERVER_PORT"] == "80"


def test_a_host_that_is_none_is_ignored():
    assert seen({"hostHeader": "X-Forwarded-Host"}, HTTP_X_FORWARDED_HOST="a b")["SERVER_NAME"] == "shop.example"


def test_names_can_be_looked_up(monkeypatch):
    monkeypatch.setattr(socket, "gethostbyaddr", lambda address: ("client.example", [], []))
    assert seen({"enableLookups": "true"}, HTTP_X_FORWARDED_FOR="203.0.113.5")["REMOTE_HOST"] == "client.example"


def test_publishing_can_be_switched_off():
    assert "org.apache.tomcat.remoteAddr" not in seen({"requestAttributesEnabled": "false"})
