"""RemoteIpValve: what the application sees, and what is put back."""

import pytest

from catalina.connector.connector import Connector
from catalina.valves.remote_ip_valve import RemoteIpValve
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request, run


def seen(valve, headers, **attributes):
    """The request as the application sees it, and as it is afterwards."""
    facts = {}

    def look(request, response):
        for name in ("remote_addr", "remote_host", "scheme", "secure", "server_name", "server_port", "local_name",
                     "local_port", "peer_addr"):  # fmt: skip
            facts[name] = getattr(request, name)
        facts["host"] = request.headers.get("Host")
        facts["by"] = request.headers.get("X-Forwarded-By")
        facts["for"] = request.headers.get("X-Forwarded-For")
        facts["attributes"] = dict(request.attributes)

    attributes.setdefault("remote_addr", "10.0.0.1")
    request, response = make_request(headers=headers, **attributes)
    run(valve, request, response, look)
    return facts, request


def test_the_client_behind_an_internal_proxy_is_seen():
    facts, _ = seen(RemoteIpValve(), [("X-Forwarded-For", "203.0.113.5")])
    assert facts["remote_addr"] == facts["remote_host"] == "203.0.113.5"
    assert facts["peer_addr"] == "10.0.0.1"
    assert facts["for"] is None
    assert facts["attributes"]["org.apache.tomcat.request.forwarded"] is True
    assert facts["attributes"]["org.apache.catalina.AccessLog.RemoteAddr"] == "203.0.113.5"
    assert facts["attributes"]["org.apache.tomcat.remoteAddr"] == "203.0.113.5"


def test_afterwards_the_request_is_as_before():
    headers = [("X-Forwarded-For", "203.0.113.5"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-By", "me")]
    _, request = seen(RemoteIpValve(), headers)
    assert (request.remote_addr, request.scheme, request.secure, request.server_port) == ("10.0.0.1", "http", False, 80)
    assert request.headers.get_all("x-forwarded-for") == ["203.0.113.5"]
    assert request.headers.get_all("x-forwarded-by") == ["me"]


def test_afterwards_holds_also_when_the_application_fails():
    request, response = make_request(headers=[("X-Forwarded-For", "203.0.113.5")], remote_addr="10.0.0.1")

    def fail(request, response):
        raise ValueError("application")

    with pytest.raises(ValueError, match="application"):
        run(RemoteIpValve(), request, response, fail)
    assert request.remote_addr == "10.0.0.1"


def test_a_peer_that_is_no_proxy_is_not_believed():
    headers = [("X-Forwarded-For", "203.0.113.5"), ("X-Forwarded-Proto", "https")]
    facts, _ = seen(RemoteIpValve(), headers, remote_addr="198.51.100.1")
    assert facts["remote_addr"] == "198.51.100.1"
    assert facts["secure"] is False
    assert "org.apache.tomcat.request.forwarded" not in facts["attributes"]


def test_trusted_proxies_are_named_and_what_is_before_the_client_stays():
    valve = RemoteIpValve()
    valve.set_attribute("trustedProxies", "proxy1|proxy2")
    facts, _ = seen(valve, [("X-Forwarded-For", "fake, 203.0.113.5, proxy1, proxy2")])
    assert facts["by"] == "proxy1,proxy2"
    assert facts["for"] == "fake"


def test_https_is_believed_with_the_default_port():
    facts, _ = seen(RemoteIpValve(), [("X-Forwarded-For", "203.0.113.5"), ("X-Forwarded-Proto", "https")])
    assert (facts["scheme"], facts["secure"], facts["server_port"]) == ("https", True, 443)


def test_the_port_header_wins_over_the_default():
    valve = RemoteIpValve(port_header="X-Forwarded-Port", change_local_port=True)
    headers = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "8443")]
    facts, _ = seen(valve, headers)
    assert facts["server_port"] == facts["local_port"] == 8443


def test_a_port_that_is_no_number_is_ignored():
    valve = RemoteIpValve(port_header="X-Forwarded-Port")
    facts, _ = seen(valve, [("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "x")])
    assert facts["server_port"] == 443


def test_the_host_header_is_believed_when_named():
    valve = RemoteIpValve(host_header="X-Forwarded-Host", change_local_name=True)
    facts, request = seen(valve, [("X-Forwarded-Host", "front.example:8080")])
    assert facts["server_name"] == facts["local_name"] == "front.example"
    assert request.server_name == "shop.example.org"


def test_applications_read_the_believed_host_and_port_in_the_host_field():
    names = {"host_header": "X-Forwarded-Host", "port_header": "X-Forwarded-Port"}
    sent = [("Host", "inside:8009"), ("X-Forwarded-Host", "front.example"), ("X-Forwarded-Proto", "https")]
    facts, request = seen(RemoteIpValve(**names), sent)
    assert facts["host"] == "front.example"
    assert request.headers.get("Host") == "inside:8009"
    facts, _ = seen(RemoteIpValve(**names), [*sent, ("X-Forwarded-Port", "8443")])
    assert facts["host"] == "front.example:8443"
    facts, _ = seen(RemoteIpValve(), [("Host", "shop:8443"), ("X-Forwarded-Proto", "https")])
    assert facts["host"] == "shop:8443"


def test_a_host_that_is_none_is_ignored():
    facts, _ = seen(RemoteIpValve(host_header="X-Forwarded-Host"), [("X-Forwarded-Host", "a b")])
    assert facts["server_name"] == "shop.example.org"


def test_without_internal_proxies_nobody_is_believed():
    valve = RemoteIpValve()
    valve.set_attribute("internalProxies", "")
    facts, _ = seen(valve, [("X-Forwarded-For", "203.0.113.5")])
    assert facts["remote_addr"] == "10.0.0.1"


def test_attributes_for_logs_can_be_switched_off():
    facts, _ = seen(RemoteIpValve(request_attributes_enabled=False), [("X-Forwarded-For", "203.0.113.5")])
    assert "org.apache.catalina.AccessLog.RemoteAddr" not in facts["attributes"]


def test_the_name_is_looked_up_when_the_connector_looks_names_up(monkeypatch):
    import socket

    monkeypatch.setattr(socket, "gethostbyaddr", lambda address: ("client.example", [], [address]))
    connector = stand_in(Connector, enable_lookups=True, host_name_of=lambda address: address)
    facts, _ = seen(RemoteIpValve(), [("X-Forwarded-For", "203.0.113.5")], connector=connector)
    assert facts["remote_host"] == "client.example"


def test_an_empty_host_header_names_no_host():
    valve = RemoteIpValve(host_header="X-Forwarded-Host")
    assert seen(valve, [("X-Forwarded-Host", "")])[0]["server_name"] == "shop.example.org"
