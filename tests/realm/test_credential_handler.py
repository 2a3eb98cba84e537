"""The contract of credential handlers."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.realm.credential_handler import CredentialHandler, DigestCredentialHandlerBase
from catalina.realm.message_digest_credential_handler import MessageDigestCredentialHandler
from catalina.realm.secret_key_credential_handler import SecretKeyCredentialHandler

HANDLERS = [
    MessageDigestCredentialHandler(algorithm="SHA-256"),
    MessageDigestCredentialHandler(algorithm="SHA-512", iterations=3, salt_length=8, digest_in_rfc3112_order=True),
    SecretKeyCredentialHandler(iterations=2),
    SecretKeyCredentialHandler(algorithm="PBKDF2WithHmacSHA512", iterations=2, key_length=256),
]


def test_what_is_not_implemented_matches_nothing():
    with pytest.raises(NotImplementedError):
        CredentialHandler().matches("a", "a")
    with pytest.raises(NotImplementedError):
        CredentialHandler().mutate("a")


@pytest.mark.parametrize("handler", HANDLERS)
@settings(max_examples=25)
@given(password=st.text(), other=st.text())
def test_a_stored_form_matches_its_password_only(handler, password, other):
    stored = handler.mutate(password)
    assert handler.matches(password, stored)
    if other.encode("utf-8") != password.encode("utf-8"):
        assert not handler.matches(other, stored)


@pytest.mark.parametrize("handler", HANDLERS)
def test_two_stored_forms_of_one_password_differ(handler):
    assert handler.mutate("secret") != handler.mutate("secret")


@pytest.mark.parametrize("handler", HANDLERS)
@given(stored=st.text())
def test_whatever_is_stored_does_not_raise(handler, stored):
    assert not handler.matches("secret", stored)


@pytest.mark.parametrize("stored", ["$$", "aa$x$bb", "zz$1$aa", "aa$1$zz", "aa$1", None])
def test_stored_text_of_another_form_is_said_on_demand(stored, caplog):
    with caplog.at_level(logging.WARNING):
        assert not MessageDigestCredentialHandler(algorithm="SHA-1").matches_salted("x", stored)
        assert caplog.text == ""
        handler = MessageDigestCredentialHandler(algorithm="SHA-1", log_invalid_stored_credentials=True)
        assert not handler.matches_salted("x", stored) or stored == "$$"
    assert "invalid stored credential" in caplog.text


def test_a_handler_says_how_it_computes():
    with pytest.raises(NotImplementedError):
        DigestCredentialHandlerBase().compute("x", b"", 1)
