"""Translates cipher names between Java (IANA) and OpenSSL (Tomcat: util/net/openssl/ciphers/Cipher.java)."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["java_name", "openssl_ciphers"]

_JAVA_NAME = re.compile(r"(?:TLS|SSL)_(.+)_WITH_(.+)")
#: Suites of TLS 1.3, which have no key exchange in their names.
TLS13 = frozenset(
    ("TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256", "TLS_AES_128_CCM_SHA256")
)

#: Key exchanges that have another name in OpenSSL.
OTHER_EXCHANGES = {
    "DH_anon": "ADH",
    "ECDH_anon": "AECDH",
    "PSK_DHE": "DHE_PSK",
    "SRP_SHA": "SRP",
    "SRP_SHA_RSA": "SRP_RSA",
    "SRP_SHA_DSS": "SRP_DSS",
}
EXCHANGES = (
    "RSA", "DHE_RSA", "DHE_DSS", "ECDHE_RSA", "ECDHE_ECDSA", "ECDH_RSA", "ECDH_ECDSA", "DH_RSA", "DH_DSS", "DH_anon",
    "ECDH_anon", "PSK", "RSA_PSK", "DHE_PSK", "ECDHE_PSK", "SRP_SHA", "SRP_SHA_RSA", "SRP_SHA_DSS",
)  # fmt: skip
CIPHERS = (
    *(
        f"{kind}_{size}_CBC_{digest}"
        for kind in ("AES", "CAMELLIA") for size in (128, 256) for digest in ("SHA", "SHA256", "SHA384")
    ),
    *(f"{kind}_{size}" for kind in ("AES", "CAMELLIA", "ARIA") for size in ("128_GCM_SHA256", "256_GCM_SHA384")),
    "AES_128_CCM", "AES_256_CCM", "AES_128_CCM_8", "AES_256_CCM_8", "CHACHA20_POLY1305_SHA256", "3DES_EDE_CBC_SHA",
    "RC4_128_SHA", "RC4_128_MD5", "NULL_SHA", "NULL_SHA256", "NULL_SHA384", "NULL_MD5",
)  # fmt: skip


def openssl_ciphers(text: str) -> str:
    """An OpenSSL cipher expression for the attribute ``ciphers``.

    A text without a Java name is an OpenSSL expression already. In a list each Java name is translated; suites of TLS
    1.3 are left out, because they are always offered.
    """
    if "_WITH_" not in text and not any(name in text for name in TLS13):
        return text
    names = [name for name in re.split(r"[,:\s]+", text) if name]
    return ":".join(_translate(name) for name in names if name not in TLS13)


@lru_cache(maxsize=256)
def java_name(openssl: str) -> str:
    """Java's name for a suite of OpenSSL, which applications see; unknown ones stay."""
    return _java_names().get(openssl, openssl)


@lru_cache(maxsize=1)
def _java_names() -> dict[str, str]:
    """All suites that may exist, by their name in OpenSSL."""
    names = [f"TLS_{exchange}_WITH_{cipher}" for exchange in EXCHANGES for cipher in CIPHERS]
    names += [f"TLS_PSK_DHE_WITH_AES_{size}_CCM_8" for size in (128, 256)]  # IANA's only name of this form
    return {_translate(name): name for name in names}


def _translate(name: str) -> str:
    sign = name[:1] if name[:1] in "!+-" else ""
    match = _JAVA_NAME.fullmatch(name.removeprefix(sign))
    if match is None:
        return name
    exchange, cipher = match[1], match[2]
    cipher = cipher.replace("3DES_EDE_CBC", "DES-CBC3").replace("CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305")
    if not exchange.startswith("SRP"):
        cipher = re.sub(r"(AES|CAMELLIA|ARIA)_(\d+)_", r"\1\2_", cipher)
    if "SRP" not in exchange and not ("PSK" in exchange and cipher.startswith("AES")):
        cipher = cipher.replace("_CBC", "")
    if cipher.startswith("ARIA") and exchange == "ECDHE_RSA":
        exchange = "ECDHE"
    exchange = OTHER_EXCHANGES.get(exchange, exchange).replace("_", "-")
    cipher = cipher.replace("CCM_8", "CCM8").replace("_", "-")
    return sign + (cipher if exchange == "RSA" else f"{exchange}-{cipher}")
