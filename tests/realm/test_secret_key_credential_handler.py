"""PBKDF2; the stored form made by Tomcat's digest.sh."""

import logging

import pytest

from catalina.attributes import AttributeRefused
from catalina.realm.secret_key_credential_handler import SecretKeyCredentialHandler
from tests.support.narrowing import there


def test_tomcats_stored_form_is_understood():
    # digest.sh -a PBKDF2WithHmacSHA512 -i 1000 -s 16 -k 256 secret
    stored = "9cb375d3ae2de31115a47d88f48d46c6$1000$dc061c8d0b8420bdbf44f29de133cc788de6697180c5b906248fef11c5cf7a62"
    handler = SecretKeyCredentialHandler(algorithm="PBKDF2WithHmacSHA512")
    assert handler.matches("secret", stored)
    assert not handler.matches("Secret", stored)
    assert not handler.matches(None, stored)


def test_the_defaults_are_tomcats():
    salt, iterations, key = there(SecretKeyCredentialHandler().mutate("secret")).split("$")
    assert (len(salt), iterations, len(key)) == (64, "20000", 40)


def test_an_empty_salt_is_refused_as_java_does(caplog):
    with caplog.at_level(logging.WARNING):
        assert SecretKeyCredentialHandler(salt_length=0, iterations=2).mutate("secret") is None
    assert "Unable to generate a password based key" in caplog.text


@pytest.mark.parametrize("name", ["PBKDF2WithHmacMD2", "SHA-256", "PBKDF2"])
def test_other_key_derivations_are_refused(name):
    with pytest.raises(AttributeRefused, match="PBKDF2"):
        SecretKeyCredentialHandler().set_attribute("algorithm", name)
