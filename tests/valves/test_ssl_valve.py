"""Facts of TLS from a proxy's headers."""

from urllib.parse import quote

import pytest

from catalina.realm.client_certificates import CERTIFICATES_ATTRIBUTE, certificates_of
from catalina.valves.ssl_valve import SSLValve
from tests.valves.certificates import make_certificate, pem
from tests.valves.exchange import make_request, run

PEM = pem(make_certificate())


def attributes(headers):
    request, response = make_request(headers=headers)
    run(SSLValve(), request, response)
    return request


def test_a_certificate_on_one_line_is_read():
    request = attributes([("ssl_client_cert", " ".join(PEM.split("\n")))])
    (certificate,) = certificates_of(request)
    assert certificate == make_certificate()


def test_a_percent_encoded_certificate_wins():
    request = attributes([("ssl_client_cert", "nonsense"), ("ssl_client_escaped_cert", quote(PEM))])
    assert certificates_of(request) == (make_certificate(),)


def test_a_certificate_that_cannot_be_read_is_nobodys(caplog):
    request = attributes([("ssl_client_cert", "-----BEGIN CERTIFICATE----- AAAA -----END CERTIFICATE-----")])
    assert request.attributes[CERTIFICATES_ATTRIBUTE] == ()
    assert "Failed to process certificate string" in caplog.text


@pytest.mark.parametrize("value", ["(null)", None])
def test_no_certificate_leaves_the_request_alone(value):
    request = attributes([("ssl_client_cert", value)] if value else [])
    assert CERTIFICATES_ATTRIBUTE not in request.attributes


def test_cipher_session_and_key_size_become_attributes():
    request = attributes([("ssl_cipher", "AES"), ("ssl_session_id", "ab"), ("ssl_cipher_usekeysize", "256")])
    assert request.attributes["jakarta.servlet.request.cipher_suite"] == "AES"
    assert request.attributes["jakarta.servlet.request.ssl_session_id"] == "ab"
    assert request.attributes["jakarta.servlet.request.key_size"] == 256


def test_a_key_size_that_is_no_number_is_left_out(caplog):
    request = attributes([("ssl_cipher_usekeysize", "big")])
    assert "jakarta.servlet.request.key_size" not in request.attributes
    assert "Invalid value [big]" in caplog.text
