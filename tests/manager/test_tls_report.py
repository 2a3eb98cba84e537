"""Ciphers and certificates of connectors."""

from __future__ import annotations

import pytest

from catalina.connector.connector import Connector
from catalina.core.standard_service import StandardService
from catalina.manager import tls_report
from catalina.manager.asked import Refused
from catalina.tomcat.util.net.ssl_host_config import SSLHostConfig
from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate
from tests.connector.certificates import pair
from tests.support.stand_in import stand_in


@pytest.fixture
def connectors(tmp_path):
    issued = pair("localhost")
    (tmp_path / "own.pem").write_bytes(issued.certificate_pem + issued.key_pem())
    plain, secure = Connector(port=0), Connector(port=0)
    secure.set_attribute("SSLEnabled", "true")
    config, certificate = SSLHostConfig(), SSLHostConfigCertificate(certificate_file=str(tmp_path / "own.pem"))
    config.add_certificate(certificate)
    secure.add_ssl_host_config(config)
    for connector in (plain, secure):
        connector.protocol_handler.address = "127.0.0.1"
        connector.service = stand_in(StandardService, server=None, find_executor=lambda name: None)
    from catalina.connector.tls_contexts import TlsContexts

    secure.tls = TlsContexts(secure.http, secure.ssl_host_configs, tmp_path, ["http/1.1"])
    return [plain, secure]


def test_a_connector_without_tls_says_so(connectors):
    for report in (tls_report.ciphers, tls_report.certificates, tls_report.trusted_certificates):
        assert next(report(connectors))[1] == ["SSL is not enabled for this connector"]


def test_ciphers_have_javas_names(connectors):
    name, found = list(tls_report.ciphers(connectors))[1]
    assert name == f"{connectors[1]}-_default_"
    assert "TLS_AES_256_GCM_SHA384" in found
    assert len(found) == len(set(found))


def test_a_certificate_is_described(connectors):
    name, found = list(tls_report.certificates(connectors))[1]
    assert name.startswith(f"{connectors[1]}-_default_-")
    assert "  Subject: CN=localhost" in found[0]
    assert "Validity: [From: " in found[0]


def test_nobody_is_trusted_where_no_client_needs_a_certificate(connectors):
    assert list(tls_report.trusted_certificates(connectors))[1][1] == [
        "No trusted certificates are configured for this virtual host"
    ]


def test_certificates_are_read_anew(connectors):
    all_of_them = ["OK - Reloaded TLS configuration for all TLS virtual hosts"]
    assert tls_report.reload_tls(connectors, None, Connector.reload_ssl_host_configs) == all_of_them
    assert tls_report.reload_tls(connectors, "_DEFAULT_", Connector.reload_ssl_host_configs) == [
        "OK - Reloaded TLS configuration for [_DEFAULT_]"
    ]
    with pytest.raises(Refused, match="Failed to reload TLS configuration"):
        tls_report.reload_tls(connectors, "other.example.org", Connector.reload_ssl_host_configs)


def test_files_that_cannot_be_used_leave_the_old_ones(connectors, tmp_path):
    before = connectors[1].tls.context_of(connectors[1].ssl_host_configs[0])
    (tmp_path / "own.pem").write_text("broken")
    with pytest.raises(Refused, match="Encountered exception"):
        tls_report.reload_tls(connectors, None, Connector.reload_ssl_host_configs)
    assert connectors[1].tls.context_of(connectors[1].ssl_host_configs[0]) is before
