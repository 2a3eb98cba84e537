"""Java's names of digests, and rounds."""

import hashlib

import pytest

from catalina.realm.message_digest import digest, digest_name, password_bytes


@pytest.mark.parametrize(
    ("java", "python"),
    [("SHA-256", "sha256"), ("SHA", "sha1"), ("sha-1", "sha1"), ("MD5", "md5"), ("SHA-512/256", "sha512_256"),
     ("SHA3-256", "sha3_256"), ("SHA-512", "sha512")],
)  # fmt: skip
def test_names_are_translated(java, python):
    assert digest_name(java) == python


@pytest.mark.parametrize("name", ["MD2", "", "SHA-999", "SHAKE-128", "shake_128"])
def test_unknown_names_are_refused(name):
    with pytest.raises(ValueError, match="Invalid message digest"):
        digest_name(name)


def test_rounds_digest_the_result_again():
    once = hashlib.sha256(b"ab").digest()
    assert digest("sha256", b"a", b"b") == once
    assert digest("sha256", b"a", b"b", iterations=2) == hashlib.sha256(once).digest()


@pytest.mark.parametrize(
    ("charset", "expected"),
    [("UTF-16", "feff00610062"), ("utf16", "feff00610062"), ("UTF-16LE", "61006200"), ("UTF-32", "0000006100000062"),
     ("UTF-8", "6162")],
)  # fmt: skip
def test_a_text_has_the_bytes_that_java_makes(charset, expected):
    assert password_bytes("ab", charset).hex() == expected
    assert password_bytes("\u20ac", "latin-1") == b"?"
