"""The chain of proxies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.coyote.http_error import HttpError
from catalina.java_pattern import compile_pattern
from catalina.util.forwarded import (
    INTERNAL_PROXIES,
    Client,
    follow_chain,
    forwarded_host,
    host_field,
    is_https,
    split_list,
)

TRUSTED = compile_pattern(r"proxy\d|192\.0\.2\.9")


@pytest.mark.parametrize(
    ("peer", "values", "expected"),
    [
        ("10.0.0.1", ["203.0.113.5"], Client("203.0.113.5", (), ())),
        ("10.0.0.1", ["203.0.113.5, 10.0.0.2"], Client("203.0.113.5", (), ())),
        ("10.0.0.1", ["203.0.113.5, proxy1, proxy2"], Client("203.0.113.5", ("proxy1", "proxy2"), ())),
        ("192.0.2.9", ["203.0.113.5"], Client("203.0.113.5", ("192.0.2.9",), ())),
        ("10.0.0.1", ["fake, 203.0.113.5", "proxy1"], Client("203.0.113.5", ("proxy1",), ("fake",))),
        ("10.0.0.1", [], Client(None, (), ())),
        ("10.0.0.1", ["10.0.0.7"], Client("10.0.0.7", (), ())),
        ("203.0.113.99", ["1.2.3.4"], None),
        ("::ffff:10.0.0.1", ["203.0.113.5, ::ffff:10.0.0.2"], Client("203.0.113.5", (), ())),
    ],
)
def test_only_hops_behind_known_proxies_are_believed(peer, values, expected):
    assert follow_chain(peer, values, INTERNAL_PROXIES, TRUSTED) == expected


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.0.1", "127.0.0.1", "172.16.0.1", "172.31.9.9", "100.64.0.1", "169.254.1.1", "::1",
                "0:0:0:0:0:0:0:1", "fe80:0:0:0:1:2:3:4", "fd00:1:2:3"],
)  # fmt: skip
def test_private_addresses_are_internal_by_default(address):
    assert INTERNAL_PROXIES.fullmatch(address)


@pytest.mark.parametrize("address", ["11.1.1.1", "172.32.0.1", "100.128.0.1", "2001:db8::1", "100.63.0.1"])
def test_public_addresses_are_not(address):
    assert not INTERNAL_PROXIES.fullmatch(address)


@pytest.mark.parametrize(
    ("values", "secure"),
    [(["https"], True), (["HTTPS"], True), (["http"], False), (["https, http"], False), ([""], False)],
)
def test_every_hop_must_be_https(values, secure):
    assert is_https(values, "https") is secure


@given(st.lists(st.text(alphabet="ab, ", max_size=8)))
def test_items_have_no_spaces_and_no_commas(values):
    assert all(item == item.strip() and item and "," not in item for item in split_list(values))


@given(st.lists(st.sampled_from(["10.0.0.1", "proxy1", "203.0.113.5", "1.1.1.1"]), max_size=6))
def test_nobody_invents_hops(chain):
    client = follow_chain("10.0.0.1", [", ".join(chain)], INTERNAL_PROXIES, TRUSTED)
    assert client is not None
    assert len(client.proxies) + len(client.unread) + (client.address is not None) <= max(len(chain), 1) + 1
    assert set(client.unread) | set(client.proxies) <= set(chain)


@pytest.mark.parametrize(
    ("scheme", "port", "believed", "field"),
    [
        ("https", 443, True, "shop"),
        ("https", 443, False, None),
        ("http", 80, False, None),
        ("http", 443, False, "shop:443"),
        ("https", 8443, True, "shop:8443"),
    ],
)
def test_the_host_field_fits_what_the_proxies_say(scheme, port, believed, field):
    assert host_field(scheme, "shop", port, believed) == field


@pytest.mark.parametrize(
    ("text", "name"), [("shop.example", "shop.example"), (" shop.example:99999 ", "shop.example"), ("[::1]:8", "[::1]")]
)
def test_a_port_of_a_forwarded_host_is_left_out(text, name):
    assert forwarded_host(text) == name


@pytest.mark.parametrize("text", ["a b", "::1", "a:b"])
def test_what_is_no_host_is_refused(text):
    with pytest.raises(HttpError):
        forwarded_host(text)
