"""Clear text and digests. Stored forms made by Tomcat's digest.sh and by slappasswd."""

import base64
import hashlib

import pytest

from catalina.attributes import AttributeRefused
from catalina.realm.message_digest_credential_handler import MessageDigestCredentialHandler
from tests.support.narrowing import there


def test_clear_text_is_compared_as_it_is():
    handler = MessageDigestCredentialHandler()
    assert handler.matches("secret", "secret")
    assert not handler.matches("Secret", "secret")
    assert not handler.matches(None, "secret")
    assert not handler.matches("secret", None)
    assert there(handler.mutate("secret")).endswith("$1$secret")


@pytest.mark.parametrize(
    ("algorithm", "stored"),
    [
        ("MD5", "5ebe2294ecd0e0f08eab7690d2a6ee69"),
        ("SHA", "E5E9FA1BA31ECD1AE84F75CAAA474F3A663F05F4"),
        ("SHA-256", "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"),
    ],
)
def test_a_bare_digest_is_compared_in_any_case(algorithm, stored):
    handler = MessageDigestCredentialHandler(algorithm=algorithm)
    assert handler.matches("secret", stored)
    assert not handler.matches("Secret", stored)


def test_tomcats_salted_form_is_understood():
    # digest.sh -a SHA-256 -i 3 -s 8 -h org.apache.catalina.realm.MessageDigestCredentialHandler secret
    stored = "70ae8e76df9caba5$3$c3c71795480d6401be55ce00850c8847bc4cf1a016bc5ae649d1c2608095b282"
    assert MessageDigestCredentialHandler(algorithm="SHA-256").matches("secret", stored)
    assert not MessageDigestCredentialHandler(algorithm="SHA-256").matches("Secret", stored)


def test_ldap_forms_are_understood():
    salt = b"salt"
    ssha = base64.b64encode(hashlib.sha1(b"secret" + salt).digest() + salt).decode()
    sha = base64.b64encode(hashlib.sha1(b"secret").digest()).decode()
    handler = MessageDigestCredentialHandler(algorithm="SHA")
    assert handler.matches("secret", "{SSHA}" + ssha)
    assert handler.matches("secret", "{SHA}" + sha)
    assert not handler.matches("Secret", "{SSHA}" + ssha)
    assert not handler.matches("secret", "{SSHA}!!!")
    assert not handler.matches("secret", "{SSHA}aaaa")


def test_without_salt_and_with_one_round_the_form_is_bare():
    handler = MessageDigestCredentialHandler(algorithm="MD5", salt_length=0)
    assert handler.mutate("secret") == "5ebe2294ecd0e0f08eab7690d2a6ee69"


@pytest.mark.parametrize(("name", "text"), [("algorithm", "MD2"), ("encoding", "klingon")])
def test_names_that_do_not_exist_are_refused(name, text):
    with pytest.raises(AttributeRefused):
        MessageDigestCredentialHandler().set_attribute(name, text)


def test_the_charset_of_the_password_counts():
    stored = hashlib.md5("é".encode("latin-1")).hexdigest()
    assert MessageDigestCredentialHandler(algorithm="MD5", encoding="ISO-8859-1").matches("é", stored)
    assert not MessageDigestCredentialHandler(algorithm="MD5").matches("é", stored)
