"""Sealed messages."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ConfigurationError, ProtocolError
from catalina.tribes.group.interceptors.message_cipher import MessageCipher

KEY = bytes(range(16))
ALGORITHMS = ["AES/GCM/NoPadding", "AES/CBC/PKCS5Padding", "AES/CFB/PKCS5Padding", "aes/ofb/pkcs5padding"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(st.binary(max_size=70))
def test_messages_open_again(algorithm, plain):
    cipher = MessageCipher(algorithm, KEY, allow_insecure=True)
    assert cipher.open(cipher.seal(plain, b"envelope")) == plain


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_message_has_a_vector_of_its_own(algorithm):
    """Each has an id and a time; nothing of what it says or is sent with can be seen in the vector."""
    cipher = MessageCipher(algorithm, KEY, allow_insecure=True)
    vectors = {cipher.seal(b"x", b"id %d" % number)[: cipher.nonce_size] for number in range(1000)}
    vectors |= {cipher.seal(b"%d" % number, b"id")[: cipher.nonce_size] for number in range(1000)}
    vectors.add(MessageCipher(algorithm, KEY[::-1], allow_insecure=True).seal(b"x", b"id 0")[: cipher.nonce_size])
    assert len(vectors) == 2001


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=40))
def test_what_was_sealed_is_told_from_everything_else(algorithm, plain, envelope, other):
    cipher = MessageCipher(algorithm, KEY, allow_insecure=True)
    sealed = cipher.seal(plain, envelope)
    assert cipher.is_bound(sealed, plain, envelope)
    assert cipher.is_bound(sealed, plain, other) is (other == envelope)
    assert cipher.is_bound(sealed, other, envelope) is (other == plain)
    assert not cipher.is_bound(sealed, plain + envelope, b"") or not envelope


@pytest.mark.parametrize("algorithm", ALGORITHMS[1:])
def test_a_mode_that_notices_no_change_must_be_asked_for(algorithm):
    with pytest.raises(ConfigurationError, match="does not notice a message that was changed"):
        MessageCipher(algorithm, KEY)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@given(st.binary(max_size=70))
def test_foreign_bytes_open_or_give_the_documented_error(algorithm, sealed):
    with contextlib.suppress(ProtocolError):
        assert len(MessageCipher(algorithm, KEY, allow_insecure=True).open(sealed)) < len(sealed)


@given(st.integers(0, 39), st.integers(1, 255))
def test_a_changed_message_never_opens_with_gcm(at, change):
    cipher = MessageCipher(ALGORITHMS[0], KEY, allow_insecure=True)
    sealed = bytearray(cipher.seal(b"twelve bytes", b"envelope"))
    sealed[at] ^= change
    with pytest.raises(ProtocolError, match="was changed"):
        cipher.open(bytes(sealed))


@pytest.mark.parametrize("length", range(28))
def test_a_message_cut_short_is_refused(length):
    cipher = MessageCipher(ALGORITHMS[0], KEY, allow_insecure=True)
    with pytest.raises(ProtocolError, match="too short"):
        cipher.open(cipher.seal(b"", b"envelope")[:length])


@pytest.mark.parametrize(
    "algorithm",
    [
        "AES/NONE/PKCS5Padding",
        "AES/ECB/PKCS5Padding",
        "AES/PCBC/PKCS5Padding",
        "AES/CTS/NoPadding",
        "AES/CTR/NoPadding",
        "AES/CBC/NoPadding",
        "AES/CFB8/NoPadding",
        "AES/OFB/NoPadding",
        "AES/GCM/PKCS5Padding",
        "DESede/GCM/NoPadding",
        "DES/CBC/PKCS5Padding",
    ],
)
def test_unsafe_and_unknown_ciphers_are_refused(algorithm):
    with pytest.raises(ConfigurationError, match="does not support algorithm"):
        MessageCipher(algorithm, KEY, allow_insecure=True)


@pytest.mark.parametrize("algorithm", ["AES", "AES/GCM"])
def test_all_three_parts_of_the_name_are_required(algorithm):
    with pytest.raises(ConfigurationError, match="fully-specified"):
        MessageCipher(algorithm, KEY, allow_insecure=True)


def test_a_key_of_a_wrong_length_is_refused():
    with pytest.raises(ConfigurationError, match="of 5 bytes"):
        MessageCipher(ALGORITHMS[0], b"short", allow_insecure=True)


def test_modes_without_a_tag_are_warned_about(caplog):
    MessageCipher(ALGORITHMS[1], KEY, allow_insecure=True)
    assert "insecure algorithm [AES/CBC/PKCS5Padding]" in caplog.text
