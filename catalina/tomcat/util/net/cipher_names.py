"""Cipher names: Java's (IANA's) -> OpenSSL's (Tomcat: util/net/openssl/ciphers/Cipher.java)."""

from __future__ import annotations

import re

__all__ = ["openssl_ciphers"]

_JAVA_NAME = re.compile(r"(?:TLS|SSL)_(.+)_WITH_(.+)")
#: Suites of TLS 1.3, which have no key exchange in their names.
TLS13 = frozenset(
    ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256", "TLS_AES_128_CCM_SHA256")
)


def openssl_ciphers(text: str) -> str:
    """An OpenSSL cipher expression for the attribute ``ciphers``.

    A text without a Java name is an OpenSSL expression already. In a list each Java name is translated; suites of
    TLS 1.3 are left out, for they are always offered.
    """
    if "_WITH_" not in text and not any(name in text for name in TLS13):
        return text
    names = [name for name in re.split(r"[,:\s]+", text) if name]
    return ":".join(_translate(name) for name in names if name not in TLS13)


def _translate(name: str) -> str:
    match = _JAVA_NAME.fullmatch(name)
    if match is None:
        return name
    exchange, cipher = match[1].replace("_", "-"), match[2]
    cipher = cipher.replace("3DES_EDE_CBC", "DES-CBC3").replace("CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305")
    cipher = re.sub(r"(AES|CAMELLIA|ARIA)_(\d+)_", r"\1\2_", cipher)
    cipher = cipher.replace("_CBC", "").replace("CCM_8", "CCM8").replace("_", "-")
    return cipher if exchange == "RSA" else f"{exchange}-{cipher}"
