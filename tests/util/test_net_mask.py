"""Networks as operators write them."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.attributes import AttributeRefused
from catalina.util.net_mask import NetMask, net_masks, parse_address, spellings


@pytest.mark.parametrize(
    ("network", "inside", "outside"),
    [
        ("10.0.0.0/8", "10.200.3.4", "11.0.0.1"),
        ("10.1.2.3/8", "10.200.3.4", "11.0.0.1"),
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("::1", "::1", "::2"),
        ("2001:db8::/32", "2001:db8:5::1", "2001:db9::1"),
        ("0.0.0.0/0", "1.2.3.4", "::1"),
        ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3", "10.1.2.4"),
        ("::ffff:10.0.0.0/8", "10.1.2.3", "::1"),
        ("1.2.3", "1.2.0.3", "1.2.3.0"),
        ("1.2.0.0/16", "1.2.3", "1.3"),
    ],
)
def test_a_network_holds_its_addresses(network, inside, outside):
    mask = NetMask(network)
    assert mask.matches(parse_address(inside))
    assert not mask.matches(parse_address(outside))


def test_a_port_pattern_wants_the_port():
    mask = NetMask("10.0.0.0/8;80[0-9]{2}")
    assert mask.matches(ipaddress.ip_address("10.0.0.1"), 8009)
    assert not mask.matches(ipaddress.ip_address("10.0.0.1"), 9009)
    assert not mask.matches(ipaddress.ip_address("10.0.0.1"))


@pytest.mark.parametrize(
    "text",
    ["10.0.0.0/33", "localhost", "10.0.0.1;(", "1.2.3.4.5", "1.2.65536", "1.256.3", "010.1", "::ffff:10.0.0.0/104"],
)
def test_what_is_no_network_is_refused(text):
    with pytest.raises(AttributeRefused):
        net_masks(text)


def test_a_list_is_separated_by_commas():
    assert [repr(mask) for mask in net_masks("10.0.0.0/8 , ::1")] == ["10.0.0.0/8", "::1"]


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_an_address_is_in_every_network_made_from_it(address, bits):
    assert NetMask(f"{address}/{bits}").matches(address)


@pytest.mark.parametrize(
    ("text", "address"), [("1", "0.0.0.1"), ("1.2", "1.0.0.2"), ("1.2.3", "1.2.0.3"), ("4294967295", "255.255.255.255"),
                          ("::FFFF:1.2.3.4", "1.2.3.4"), ("::1", "::1")]
)  # fmt: skip
def test_an_address_has_several_spellings(text, address):
    assert str(parse_address(text)) == address


@given(st.text(max_size=40) | st.from_regex(r"[0-9.:f;]{0,20}", fullmatch=True))
def test_any_text_is_an_address_or_refused(text):
    assert spellings(text)[0] == text
    try:
        assert parse_address(text).version in (4, 6)
    except ValueError:
        pass


@given(st.ip_addresses(v=4))
def test_a_mapped_address_has_both_spellings(address):
    assert spellings(f"::ffff:{address}") == (f"::ffff:{address}", str(address))
    assert spellings(f"::ffff:{address};8080")[1] == f"{address};8080"
    assert spellings(str(address)) == (str(address),)
