"""Java's names of digests, and rounds."""

import hashlib

import pytest

from catalina.realm.message_digest import digest, digest_name


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
