"""Certificates of a request."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from catalina.realm.client_certificates import CERTIFICATES_ATTRIBUTE, certificates_of, parse_certificate
from tests.valves.certificates import make_certificate, pem
from tests.valves.exchange import make_request

CERTIFICATE = make_certificate()
DER = CERTIFICATE.public_bytes(Encoding.DER)


@pytest.mark.parametrize("source", [pem(CERTIFICATE), DER, CERTIFICATE], ids=["pem", "der", "parsed"])
def test_each_form_of_a_certificate_is_read(source):
    request, _ = make_request()
    request.attributes[CERTIFICATES_ATTRIBUTE] = (source,)
    assert certificates_of(request) == (CERTIFICATE,)
    assert parse_certificate(source) == CERTIFICATE


def test_the_connections_own_certificate_is_looked_at_late():
    class Socket:
        def getpeercert(self, binary_form):
            return DER

    request, _ = make_request(tls_socket=Socket())
    assert certificates_of(request) == (CERTIFICATE,)


def test_no_certificate_is_none():
    class Socket:
        def getpeercert(self, binary_form):
            return None

    assert certificates_of(make_request()[0]) == ()
    assert certificates_of(make_request(tls_socket=Socket())[0]) == ()


def test_what_cannot_be_read_is_nobodys(caplog):
    request, _ = make_request()
    request.attributes[CERTIFICATES_ATTRIBUTE] = (b"nonsense",)
    assert certificates_of(request) == ()
    assert "cannot be read" in caplog.text


def test_without_the_package_nobody_is_recognised(monkeypatch, caplog):
    monkeypatch.setitem(__import__("sys").modules, "cryptography", None)
    request, _ = make_request()
    request.attributes[CERTIFICATES_ATTRIBUTE] = (DER,)
    assert certificates_of(request) == ()
    assert "package cryptography" in caplog.text
