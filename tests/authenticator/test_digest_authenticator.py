"""HTTP Digest, with answers as a browser computes them (RFC 7616)."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.attributes import AttributeRefused
from catalina.authenticator.authenticator_base import AuthenticatorBase
from catalina.authenticator.digest_authenticator import DigestAuthenticator, DigestCredentials, parse_digest
from catalina.core.standard_context import StandardContext
from tests.authenticator.application import PROTECTED, login_config, secure_node, text
from tests.support.narrowing import of_type, there

INNER = PROTECTED + login_config("DIGEST", "<realm-name>Shop</realm-name>")
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def challenge(answer, algorithm="SHA-256"):
    """The directives of the challenge for an algorithm."""
    for name, value in answer.headers:
        if name.lower() == "www-authenticate" and value.endswith(f"algorithm={algorithm}"):
            return dict(re.findall(r'(\w+)="?([^",]*)"?', value.removeprefix("Digest ")))
    raise AssertionError(f"no challenge for {algorithm} in {answer.headers}")


def answer_for(asked, uri="/shop/private/x", password="secret", method="GET", nc="00000001", **changes):
    def h(data):
        return hashlib.new(HASHES[asked["algorithm"]], data.encode()).hexdigest()

    a1, a2 = h(f"bob:{asked['realm']}:{password}"), h(f"{method}:{uri}")
    values = {
        "username": "bob", "realm": asked["realm"], "nonce": asked["nonce"], "uri": uri,
        "response": h(f"{a1}:{asked['nonce']}:{nc}:abc:auth:{a2}"), "cnonce": "abc", "opaque": asked["opaque"],
        **changes,
    }  # fmt: skip
    text_ = ", ".join(f'{name}="{value}"' for name, value in values.items() if value is not None)
    return {"Authorization": f"Digest {text_}, qop=auth, nc={nc}, algorithm={asked['algorithm']}"}


def valve(node):
    pipeline = of_type(StandardContext, node.host.find_child("/shop")).pipeline
    return next(one for one in pipeline.valves if isinstance(one, AuthenticatorBase))


def test_the_challenge_offers_sha_256_before_md5(tmp_path):
    with secure_node(tmp_path, INNER) as node:
        answer = node.ask("/shop/private/x")
    values = [value for name, value in answer.headers if name == "WWW-Authenticate"]
    assert answer.status == 401
    assert [value.rpartition("=")[2] for value in values] == ["SHA-256", "MD5"]
    assert values[0].startswith('Digest realm="Shop", qop="auth", nonce="')


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_the_right_answer_passes(tmp_path, algorithm):
    with secure_node(tmp_path, INNER) as node:
        asked = challenge(node.ask("/shop/private/x"), algorithm)
        answer = node.ask("/shop/private/x", headers=answer_for(asked))
    assert text(answer).startswith("bob|DIGEST")


def test_an_answer_counts_once_and_the_next_count_passes(tmp_path):
    with secure_node(tmp_path, INNER) as node:
        asked = challenge(node.ask("/shop/private/x"))
        assert node.ask("/shop/private/x", headers=answer_for(asked)).status == 200
        assert node.ask("/shop/private/x", headers=answer_for(asked)).status == 401
        assert node.ask("/shop/private/x", headers=answer_for(asked, nc="00000002")).status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "wrong"}, {"uri": "/shop/private/other"}, {"realm": "Other"}, {"opaque": "x"}, {"nonce": "1:ab"},
        {"username": "nobody"}, {"response": "00"}, {"method": "POST"}, {"nc": "1"}, {"username": None},
        {"cnonce": None},
    ],
    ids=str,
)  # fmt: skip
def test_an_answer_that_does_not_fit_is_asked_for_again(tmp_path, changes):
    with secure_node(tmp_path, INNER) as node:
        asked = challenge(node.ask("/shop/private/x"))
        answer = node.ask("/shop/private/x", headers=answer_for(asked, **changes))
    assert answer.status == 401
    assert "stale" not in challenge(answer)


def test_the_query_is_part_of_the_uri_and_the_host_may_be(tmp_path):
    with secure_node(tmp_path, INNER) as node:
        asked = challenge(node.ask("/shop/private/x"))
        uri = "/shop/private/x?a=1"
        assert node.ask(uri, headers=answer_for(asked, uri)).status == 200
        absolute = "http://localhost/shop/private/x"
        assert node.ask("/shop/private/x", headers=answer_for(asked, absolute, nc="00000002")).status == 200


def test_the_uri_need_not_be_looked_at(tmp_path):
    with secure_node(tmp_path, INNER) as node:
        valve(node).validate_uri = False
        asked = challenge(node.ask("/shop/private/x"))
        assert node.ask("/shop/private/x", headers=answer_for(asked, "/other")).status == 200


def test_a_stale_nonce_is_exchanged_without_asking_the_user(tmp_path):
    with secure_node(tmp_path, INNER) as node:
        asked = challenge(node.ask("/shop/private/x"))
        nonces = valve(node)._nonces
        clock = nonces.clock
        nonces.clock = lambda: clock() + 301 * 10**9
        answer = node.ask("/shop/private/x", headers=answer_for(asked))
        assert answer.status == 401
        again = challenge(answer)
        assert again["stale"] == "true"
        assert node.ask("/shop/private/x", headers=answer_for(again)).status == 200


def test_a_stale_nonce_with_a_wrong_password_is_not_called_stale(tmp_path):
    with secure_node(tmp_path, INNER) as node:
        asked = challenge(node.ask("/shop/private/x"))
        nonces = valve(node)._nonces
        clock = nonces.clock
        nonces.clock = lambda: clock() + 301 * 10**9
        answer = node.ask("/shop/private/x", headers=answer_for(asked, password="wrong"))
        assert "stale" not in challenge(answer)


def test_other_algorithms_can_be_offered(tmp_path):
    node = secure_node(tmp_path, INNER)
    digest = DigestAuthenticator()
    digest.set_attribute("algorithms", "SHA-512/256")
    of_type(StandardContext, node.host.find_child("/shop")).pipeline.add_valve(digest)
    with node:
        answer = node.ask("/shop/private/x")
        asked = challenge(answer, "SHA-512-256")
        assert node.ask("/shop/private/x", headers=answer_for(asked)).status == 200
        md5 = {**asked, "algorithm": "MD5"}
        assert node.ask("/shop/private/x", headers=answer_for(md5, nc="00000002")).status == 401


@pytest.mark.parametrize("text_", ["SHA-1", "", "MD5,X"])
def test_algorithms_that_the_rfc_does_not_know_are_refused(text_):
    with pytest.raises(AttributeRefused):
        DigestAuthenticator().set_attribute("algorithms", text_)


def test_preemptive_answers_are_recognised(tmp_path):
    node = secure_node(tmp_path, INNER)
    of_type(StandardContext, node.host.find_child("/shop")).preemptive_authentication = True
    with node:
        asked = challenge(node.ask("/shop/private/x"))
        assert text(node.ask("/shop/open", headers=answer_for(asked, "/shop/open"))).startswith("bob|DIGEST")


def test_a_field_of_a_browser_is_taken_apart():
    header = (
        'Digest username="b\\"ob", realm="Shop", nonce="1:ab", uri="/x?a=1", response="00ff", algorithm=SHA-256,'
        ' cnonce="c", opaque="o", qop=auth, nc=00000001'
    )
    assert parse_digest(header) == DigestCredentials(
        'b"ob', "Shop", "1:ab", "/x?a=1", "00ff", "SHA-256", "c", "o", "auth", "00000001"
    )


def test_unknown_directives_are_ignored_and_missing_ones_none():
    found = there(parse_digest('DIGEST userhash=false, username="bob"'))
    assert found.username == "bob"
    assert found.nonce is None


@pytest.mark.parametrize(
    "header",
    ["", "Basic abc", 'Digest username=bob', 'Digest nc="xyz"', "Digest response=zz", 'Digest username="bob',
     "Digest ,,",
     'Digest username="a" realm="b"'],
)  # fmt: skip
def test_what_is_not_well_formed_is_nothing(header):
    assert parse_digest(header) is None


@given(st.text(max_size=80))
def test_any_text_gives_credentials_or_none(text):
    for header in (text, "Digest " + text):
        found = parse_digest(header)
        assert found is None or isinstance(found, DigestCredentials)
