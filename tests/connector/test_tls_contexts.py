from __future__ import annotations

from pathlib import Path

import pytest

from catalina.connector.tls_contexts import CERTIFICATE_NAMES, HOST_NAMES, TlsContexts, config_of_old_attributes
from catalina.coyote.http11.http11_nio_protocol import Http11NioProtocol
from catalina.coyote.http11.tls_attributes import TlsAttributes
from catalina.errors import ConfigurationError
from catalina.place import Place
from catalina.tomcat.util.net.ssl_host_config import SSLHostConfig
from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate
from tests.connector.certificates import pair


def test_every_old_attribute_leads_to_one_that_exists():
    old = {declaration.name for declaration in TlsAttributes.attributes().values()}
    assert set(HOST_NAMES) | set(CERTIFICATE_NAMES) <= old
    assert set(HOST_NAMES.values()) <= set(SSLHostConfig.attributes())
    assert set(CERTIFICATE_NAMES.values()) <= set(SSLHostConfigCertificate.attributes())


def test_old_attributes_are_carried_over():
    handler = Http11NioProtocol()
    for name, text in {"keystoreFile": "conf/k.p12", "keystorePass": "x", "clientAuth": "true"}.items():
        assert handler.set_attribute(name, text)
    config = config_of_old_attributes(handler)
    assert config.certificate_verification == "required"
    assert config.certificates[0].certificate_keystore_file == "conf/k.p12"
    assert config.certificates[0].certificate_keystore_password == "x"


def config(directory: Path, name: str) -> SSLHostConfig:
    pair("shop.example.org").write(directory, "shop")
    made = SSLHostConfig(host_name=name)
    made.add_certificate(SSLHostConfigCertificate(certificate_file="shop.crt", certificate_key_file="shop.key"))
    return made


def test_names_must_differ_and_the_default_must_exist(tmp_path):
    handler = Http11NioProtocol()
    with pytest.raises(ConfigurationError, match="same hostName"):
        TlsContexts(handler, [config(tmp_path, "a"), config(tmp_path, "A")], tmp_path, ["http/1.1"])
    with pytest.raises(ConfigurationError, match="_default_"):
        TlsContexts(handler, [config(tmp_path, "a")], tmp_path, ["http/1.1"])


def test_relative_files_belong_to_the_base(tmp_path):
    contexts = TlsContexts(Http11NioProtocol(), [config(tmp_path, "_default_")], tmp_path, ["http/1.1"])
    assert contexts.config_for("anything").host_name == "_default_"
    assert contexts.config_for(None).host_name == "_default_"


def test_a_missing_file_of_old_attributes_is_named_as_it_was_written(tmp_path):
    handler = Http11NioProtocol()
    assert handler.set_attribute("keystoreFile", "conf/no.p12")
    with pytest.raises(
        ConfigurationError, match=r"^server.xml:7: .*keystoreFile \(certificateKeystoreFile\) \[.*no.p12\]"
    ):
        TlsContexts(handler, [], tmp_path, ["http/1.1"], Place("server.xml", 7))
