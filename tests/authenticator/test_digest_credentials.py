"""The Authorization field of DIGEST."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.authenticator.digest_credentials import DigestCredentials, parse_digest
from tests.support.narrowing import there


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
