"""HTTP Basic."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.attributes import AttributeRefused
from catalina.authenticator.basic_authenticator import BasicAuthenticator, decode_credentials
from catalina.core.standard_context import StandardContext
from tests.authenticator.application import PROTECTED, basic, login_config, secure_node, text
from tests.support.narrowing import of_type

INNER = PROTECTED + login_config("BASIC", "<realm-name>My Realm</realm-name>")


def encoded(raw: bytes) -> str:
    return "Basic " + base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("header", "credentials"),
    [
        (encoded(b"bob:secret"), ("bob", "secret")),
        (encoded(b"bob:se:cret"), ("bob", "se:cret")),
        (encoded(b"bob:"), ("bob", "")),
        (encoded(b":secret"), ("", "secret")),
        (encoded(b"bob"), ("bob", None)),
        (encoded(b"bob:secret").replace("Basic", "bAsIc"), ("bob", "secret")),
        (encoded(b"bob:secre").rstrip("="), ("bob", "secre")),
        (encoded(b" bob : x "), (" bob ", " x ")),
        (encoded("b\u00f6b:x".encode("latin-1")), ("b\u00f6b", "x")),
        ("Basic !!!", None),
        ("Basic  " + base64.b64encode(b"bob:secret").decode(), None),
        ("Bearer abc", None),
        ("Basic", None),
        ("", None),
    ],
)
def test_credentials_are_taken_apart(header, credentials):
    assert decode_credentials(header, "ISO-8859-1") == credentials


def test_the_charset_counts_and_blanks_can_be_cut():
    assert decode_credentials(encoded("b\u00f6b:x".encode()), "UTF-8") == ("b\u00f6b", "x")
    assert decode_credentials(encoded(b" bob : x "), "UTF-8", trim=True) == ("bob", "x")


@given(st.text(max_size=60))
def test_any_header_gives_credentials_or_none(header):
    for text_ in (header, "Basic " + header):
        found = decode_credentials(text_, "UTF-8")
        assert found is None or isinstance(found[0], str)


@given(
    st.text(alphabet=st.characters(exclude_characters=":", exclude_categories=["Cs"])),
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)
def test_what_a_browser_encodes_is_what_comes_out(username, password):
    assert decode_credentials(encoded(f"{username}:{password}".encode()), "UTF-8") == (username, password)


def test_the_challenge_names_the_realm(tmp_path):
    with secure_node(tmp_path, INNER) as node:
        assert node.ask("/shop/private/x").get("WWW-Authenticate") == 'Basic realm="My Realm"'


def test_without_a_realm_name_it_has_tomcats(tmp_path):
    with secure_node(tmp_path, PROTECTED + login_config("BASIC")) as node:
        assert node.ask("/shop/private/x").get("WWW-Authenticate") == 'Basic realm="Authentication required"'


def test_the_challenge_offers_the_charset(tmp_path):
    node = secure_node(tmp_path, INNER)
    valve = BasicAuthenticator(charset="UTF-8")
    of_type(StandardContext, node.host.find_child("/shop")).pipeline.add_valve(valve)
    with node:
        assert node.ask("/shop/private/x").get("WWW-Authenticate") == 'Basic realm="My Realm", charset=UTF-8'


@pytest.mark.parametrize(
    "headers",
    [basic("bob", "wrong"), basic("nobody", "x"), {"Authorization": "Basic ###"}, {"Authorization": "Bearer x"}],
)
def test_wrong_credentials_are_asked_for_again(tmp_path, headers):
    with secure_node(tmp_path, INNER) as node:
        assert node.ask("/shop/private/x", headers=headers).status == 401


def test_right_credentials_pass(tmp_path):
    with secure_node(tmp_path, INNER) as node:
        assert text(node.ask("/shop/private/x", headers=basic("bob", "secret"))).startswith("bob|BASIC")


def test_another_charset_is_refused():
    with pytest.raises(AttributeRefused):
        BasicAuthenticator().set_attribute("charset", "klingon")
