"""The output of each code."""

import logging
import socket
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.realm.generic_principal import GenericPrincipal
from catalina.valves.access_log_elements import ElementFactory, canonical_ipv6
from catalina.valves.access_log_pattern import compile_line, parse_pattern
from tests.valves.exchange import make_request


class OneSession:
    id = "S1"

    def get_attribute(self, name, default=None):
        return {"cart": ["a"]}.get(name, default)


def write(pattern, time_ns=2_500_000, factory=None, prepare=None, **request_arguments):
    request, response = make_request(**request_arguments)
    if prepare is not None:
        prepare(request, response)
    factory = factory or ElementFactory()
    parts = [part if isinstance(part, str) else factory.make(part) for part in parse_pattern(pattern)]
    return compile_line(parts)(request, response, time_ns)


def answer(request, response):
    response.status = 404
    response.write(b"hello")
    response.set_header("X-Age", "7")
    response.add_header("X-Age", '8"')


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("%a %h %l %u", "192.0.2.1 192.0.2.1 - -"),
        ("%{remote}a %{peer}a", "192.0.2.1 192.0.2.1"),
        ("%b %B", "5 5"),
        ("%D %T %{ms}T %{fracsec}T", "2500 0 2 0.002"),
        ("%H %m %s", "HTTP/1.1 GET 404"),
        ("%p %{local}p %{remote}p", "80 80 50123"),
        ("%q", "?a=1&b=%22"),
        ("%r", "GET /x?a=1&b=%22 HTTP/1.1"),
        ("%U %v", "/x shop.example.org"),
        ("%{Referer}i|%{X-None}i", "http://a/,http://b/|-"),
        ("%{X-Age}o|%{X-None}o", '7,8\\"|-'),
        ("%{color}c|%{none}c", "red,blue|-"),
        ("%{attr}r|%{none}r", "[1]|-"),
        ("%S %{cart}s", "- -"),
        ("%X", "+"),
        ("%F", "2"),
        ("%%", "%"),
        ("%y %{a}y", "???y??? ???"),
    ],
)
def test_each_code_writes_its_part_of_the_request(pattern, text):
    def prepare(request, response):
        answer(request, response)
        request.attributes["attr"] = [1]

    headers = [("referer", "http://a/"), ("Referer", "http://b/"), ("Cookie", "color=red; color=blue")]
    assert write(pattern, prepare=prepare, uri="/x", query="a=1&b=%22", headers=headers) == text


def test_nothing_sent_is_a_dash_or_zero():
    assert write("%b %B") == "- 0"


def test_an_empty_query_is_the_question_mark_alone():
    assert write("%q %r", query="") == "? GET /? HTTP/1.1"


def test_no_query_is_a_dash():
    assert write("%q") == "-"


def test_a_request_line_that_could_not_be_read_is_a_dash():
    assert write("%r", method="") == "-"


def test_the_user_is_the_principal():
    assert write("%u", principal=GenericPrincipal("bob")) == "bob"


def test_the_session_is_named_when_there_is_one():
    def prepare(request, response):
        request.get_session = lambda create=True: OneSession()

    assert write("%S %{cart}s %{none}s", prepare=prepare) == "S1 ['a'] -"


def test_an_aborted_connection_and_one_that_closes_are_told_apart():
    def abort(request, response):
        response.exception = ClientAbortException("gone")

    def close(request, response):
        response.set_header("Connection", "Close")

    def last(request, response):
        response.outlet.will_close = lambda answer: answer is response

    assert write("%X", prepare=abort) == "X"
    assert write("%X", prepare=close) == "-"
    assert write("%X", prepare=last) == "-"


def test_the_first_byte_is_measured_from_the_start():
    def commit(request, response):
        response.commit_time_ns = request.start_time_ns + 7_000_000

    assert write("%F", prepare=commit) == "7"


def test_the_connection_has_a_number():
    assert write("%{c}L %{x}L", prepare=lambda request, _: setattr(request, "connection_id", "17")) == "17 ???"


def test_request_attributes_count_only_when_enabled():
    def prepare(request, response):
        for name, value in (("RemoteAddr", "198.51.100.7"), ("RemoteHost", "client"), ("Protocol", "HTTP/2.0"),
                            ("ServerName", "front"), ("ServerPort", 443)):  # fmt: skip
            request.attributes[f"org.apache.catalina.AccessLog.{name}"] = value

    pattern = "%a %h %H %v %p"
    assert write(pattern, prepare=prepare) == "192.0.2.1 192.0.2.1 HTTP/1.1 shop.example.org 80"
    enabled = ElementFactory(request_attributes=True)
    assert write(pattern, factory=enabled, prepare=prepare) == "198.51.100.7 client HTTP/2.0 front 443"
    assert write(pattern, factory=enabled) == "192.0.2.1 192.0.2.1 HTTP/1.1 shop.example.org 80"


def test_ipv6_addresses_are_shortened_on_demand():
    address = "0:0:0:0:0:0:0:1"
    assert write("%a", remote_addr=address) == address
    assert write("%a", factory=ElementFactory(ipv6_canonical=True), remote_addr=address) == "::1"


@pytest.mark.parametrize(
    ("text", "short"), [("2001:db8:0::1", "2001:db8::1"), ("a.example", "a.example"), ("a:b", "a:b")]
)
def test_only_ipv6_addresses_are_shortened(text, short):
    assert canonical_ipv6(text) == short


def test_the_local_address_falls_back_to_loopback(monkeypatch):
    def fail(name):
        raise OSError(name)

    monkeypatch.setattr(socket, "gethostbyname", fail)
    assert write("%A") == "127.0.0.1"


@pytest.mark.parametrize("pattern", ["%{wrong}a", "%{wrong}p"])
def test_a_wrong_kind_is_said_and_the_usual_one_written(pattern, caplog):
    with caplog.at_level(logging.ERROR):
        assert write(pattern) in ("192.0.2.1", "80")
    assert "wrong" in caplog.text


def test_the_thread_is_named():
    assert write("%I") == "MainThread"


def test_the_fields_that_the_connection_adds_are_written_too():
    assert write("%{Content-Length}o", prepare=answer_of(b"12345")) == "5"
    assert (
        write("%{content-length}o", prepare=lambda _request, response: response.set_header("Content-Length", "7"))
        == "7"
    )
    assert write("%{Content-Length}o", prepare=lambda _request, response: setattr(response, "status", 304)) == "-"
    date = parsedate_to_datetime(write("%{Date}o"))
    assert abs((datetime.now(UTC) - date).total_seconds()) < 100


def answer_of(body):
    return lambda _request, response: response.write(body)
