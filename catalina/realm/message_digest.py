"""Java's names of message digests, and the rounds that Tomcat computes (ConcurrentMessageDigest)."""

from __future__ import annotations

import codecs
import hashlib

__all__ = ["digest", "digest_name", "password_bytes"]

_NAMES = {"sha": "sha1", "sha512256": "sha512_256", "sha512224": "sha512_224"}


def digest_name(algorithm: str) -> str:
    """``SHA-256`` -> ``sha256``, ``SHA`` -> ``sha1``, ``SHA3-256`` -> ``sha3_256``, ``SHA-512/256`` -> ``sha512_256``.

    Raises:
        ValueError: this Python has no such digest.
    """
    name = algorithm.strip().lower()
    name = name.replace("-", "_") if name.startswith("sha3") else name.replace("-", "").replace("/", "")
    name = _NAMES.get(name, name)
    if name not in hashlib.algorithms_available or name.startswith("shake"):
        raise ValueError(f"Invalid message digest algorithm [{algorithm}] specified")
    return name


def digest(name: str, *parts: bytes, iterations: int = 1) -> bytes:
    """The digest ``name`` (as :func:`digest_name` gives it) of the parts, then of the result, ``iterations`` in all."""
    first = hashlib.new(name)
    for part in parts:
        first.update(part)
    result = first.digest()
    for _ in range(iterations - 1):
        result = hashlib.new(name, result).digest()
    return result


def password_bytes(text: str, charset: str) -> bytes:
    """The bytes that Java makes of a text: UTF-16 with a byte order mark, big-endian, and UTF-32 without one.

    A character that the charset has not is a question mark.
    """
    match codecs.lookup(charset).name:
        case "utf-16":
            return codecs.BOM_UTF16_BE + text.encode("utf-16-be", "replace")
        case "utf-32":
            return text.encode("utf-32-be", "replace")
        case name:
            return text.encode(name, "replace")
