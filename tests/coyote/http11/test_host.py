from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.http11 import host
from catalina.coyote.http11.host import parse_host
from catalina.coyote.http_error import HttpError


def test_name_and_port_are_separated():
    assert parse_host(b"shop.example.org:8080") == ("shop.example.org", 8080)
    assert parse_host(b"shop") == ("shop", -1)


def test_an_ipv6_address_keeps_its_brackets():
    assert parse_host(b"[2001:db8::1]:81") == ("[2001:db8::1]", 81)


@pytest.mark.parametrize("value", [b"a b", b"a_b", b"a..b", b".a", b"-a", b"a-", b"a:x", b"a:65536", b"[::g]", b"\xe4"])
def test_what_is_no_host_is_refused(value):
    with pytest.raises(HttpError) as caught:
        parse_host(value)
    assert caught.value.status == 400


def test_the_table_of_known_hosts_stays_bounded():
    for number in range(2 * host.CACHED_HOSTS):
        parse_host(b"host%d.example.org" % number)
    assert len(host._parsed) <= host.CACHED_HOSTS


@given(st.binary(max_size=60))
def test_any_bytes_give_a_host_or_the_documented_error(value):
    with contextlib.suppress(HttpError):
        name, port = parse_host(value)
        assert -1 <= port <= 65535
        assert name.isascii()


@pytest.mark.parametrize(
    "value", [b"a" * 100_000 + b"!", b"a-" * 50_000, b"a." * 50_000 + b"-", b"[" + b":" * 100_000 + b"]"]
)
def test_long_hosts_are_refused_without_trying_all_ways(value):
    with pytest.raises(HttpError):
        parse_host(value)
