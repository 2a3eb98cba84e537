from __future__ import annotations

import ssl
import subprocess

import pytest

from catalina.tomcat.util.net.cipher_names import TLS13, java_name, openssl_ciphers
from tests.support.needs import need_command


@pytest.mark.parametrize(
    ("java", "openssl"),
    [
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384"),
        ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"),
        ("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384"),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"),
        ("SSL_RSA_WITH_3DES_EDE_CBC_SHA", "DES-CBC3-SHA"),
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "ECDHE-ECDSA-AES128-CCM8"),
        ("TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"),
    ],
)
def test_java_names_become_openssl_names(java, openssl):
    assert openssl_ciphers(java) == openssl


def test_openssl_knows_the_translations_of_todays_java_defaults():
    names = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(openssl_ciphers(names))
    offered = {cipher["name"] for cipher in context.get_ciphers() if cipher["protocol"] != "TLSv1.3"}
    assert offered == {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"}


def test_an_openssl_expression_stays_as_it_is():
    assert openssl_ciphers("HIGH:!aNULL:!kRSA") == "HIGH:!aNULL:!kRSA"


def test_openssl_itself_agrees_with_every_name_in_both_directions():
    command = [need_command("openssl"), "ciphers", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = [(line.split()[0], line.split()[2]) for line in lines]
    old = [(java, openssl) for java, openssl in pairs if java not in TLS13]
    assert len(old) > 100
    assert [openssl_ciphers(java) for java, _ in old] == [openssl for _, openssl in old]
    assert [java_name(openssl) for _, openssl in pairs] == [java for java, _ in pairs]


def test_signs_and_unknown_names_stay():
    assert openssl_ciphers("HIGH:!TLS_RSA_WITH_AES_128_CBC_SHA:-FOO") == "HIGH:!AES128-SHA:-FOO"
    assert java_name("FOO-BAR") == "FOO-BAR"
