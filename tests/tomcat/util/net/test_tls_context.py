from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from catalina.errors import ConfigurationError
from catalina.place import Place
from catalina.tomcat.util.net.openssl.open_ssl_conf import OpenSSLConf
from catalina.tomcat.util.net.openssl.open_ssl_conf_cmd import OpenSSLConfCmd
from catalina.tomcat.util.net.ssl_host_config import SSLHostConfig
from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate
from catalina.tomcat.util.net.tls_context import files_of, make_context, protocol_versions
from tests.connector.certificates import authority, pair

V = ssl.TLSVersion


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("all", {V.TLSv1_2, V.TLSv1_3}),
        ("TLSv1.2", {V.TLSv1_2}),
        ("TLSv1.2,TLSv1.3", {V.TLSv1_2, V.TLSv1_3}),
        ("+TLSv1.2 +TLSv1.3", {V.TLSv1_2, V.TLSv1_3}),
        ("all -TLSv1.2", {V.TLSv1_3}),
        ("SSLv2Hello,tlsv1.3", {V.TLSv1_3}),
        ("TLSv1.1+TLSv1.2", {V.TLSv1_1, V.TLSv1_2}),
    ],
)
def test_protocols_are_read_as_tomcat_reads_them(text, versions):
    assert protocol_versions(text) == versions


@pytest.mark.parametrize("text", ["", "TLSv9", "TLSv1.2 -TLSv1.2", "???"])
def test_protocols_that_mean_nothing_are_refused(text):
    with pytest.raises(ConfigurationError):
        protocol_versions(text)


def config(directory: Path, **certificate: str) -> SSLHostConfig:
    made = SSLHostConfig()
    if certificate:
        made.add_certificate(SSLHostConfigCertificate(**certificate))
    return made


@pytest.fixture
def pem(tmp_path: Path) -> SSLHostConfig:
    pair("shop").write(tmp_path, "shop")
    return config(tmp_path, certificate_file="shop.crt", certificate_key_file="shop.key")


def test_a_key_may_have_a_password(tmp_path):
    pair("shop").write(tmp_path, "shop", password="secret")
    with pytest.raises(ConfigurationError, match="certificateKeyPassword"):
        make_context(config(tmp_path, certificate_file="shop.crt", certificate_key_file="shop.key"), tmp_path, [])
    (tmp_path / "password").write_text("secret\n")
    files = {"certificate_file": "shop.crt", "certificate_key_file": "shop.key"}
    make_context(config(tmp_path, **files, certificate_key_password="secret"), tmp_path, [])
    make_context(config(tmp_path, **files, certificate_key_password_file="password"), tmp_path, [])


def test_the_chain_may_be_in_a_file_of_its_own(tmp_path, pem):
    (tmp_path / "chain.pem").write_bytes(authority().certificate_pem)
    pem.certificates[0].certificate_chain_file = "chain.pem"
    make_context(pem, tmp_path, [])
    assert {path.name for path in files_of(pem, tmp_path)} == {"shop.crt", "shop.key", "chain.pem"}


def test_a_pkcs12_keystore_gives_the_key(tmp_path):
    pair("shop").write_pkcs12(tmp_path / "keys.p12", "store-secret")
    store = {"certificate_keystore_file": "keys.p12", "certificate_keystore_password": "store-secret"}
    make_context(config(tmp_path, **store), tmp_path, [])
    with pytest.raises(ConfigurationError, match="alias"):
        make_context(config(tmp_path, **store, certificate_key_alias="other"), tmp_path, [])
    with pytest.raises(ConfigurationError, match="password is wrong"):
        make_context(config(tmp_path, certificate_keystore_file="keys.p12"), tmp_path, [])


def test_authorities_come_from_a_file_or_a_trust_store(tmp_path, pem):
    (tmp_path / "ca.pem").write_bytes(authority().certificate_pem)
    pem.certificate_verification = "required"
    pem.ca_certificate_file = "ca.pem"
    context = make_context(pem, tmp_path, [])
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    "attribute",
    [{"ocsp_enabled": True}, {"trust_manager_class_name": "x.Y"}, {"certificate_revocation_list_path": "crls"},
     {"revocation_enabled": True}],
)  # fmt: skip
def test_what_guards_and_cannot_be_done_keeps_the_connector_from_starting(tmp_path, pem, attribute):
    for name, value in attribute.items():
        setattr(pem, name, value)
    with pytest.raises(ConfigurationError, match="cannot be done"):
        make_context(pem, tmp_path, [])


def test_commands_for_openssl_are_refused_by_name(tmp_path, pem):
    conf = OpenSSLConf()
    conf.commands.append(OpenSSLConfCmd(name="VerifyMode"))
    pem.set_open_ssl_conf(conf)
    with pytest.raises(ConfigurationError, match="VerifyMode"):
        make_context(pem, tmp_path, [])


def test_missing_files_and_wrong_ciphers_name_the_set_up(tmp_path, pem):
    with pytest.raises(ConfigurationError, match=r"SSLHostConfig\[_default_\]"):
        make_context(config(tmp_path), tmp_path, [])
    pem.ciphers = "NO_SUCH_CIPHER"
    with pytest.raises(ConfigurationError, match=r"SSLHostConfig\[_default_\]"):
        make_context(pem, tmp_path, [])
    missing = config(tmp_path, certificate_file="nowhere.crt")
    with pytest.raises(ConfigurationError, match=r"SSLHostConfig\[_default_\]"):
        make_context(missing, tmp_path, [])


def test_options_follow_the_attributes(tmp_path, pem):
    context = make_context(pem, tmp_path, [])
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert not context.options & ssl.OP_NO_TICKET
    pem.disable_session_tickets = True
    assert make_context(pem, tmp_path, []).options & ssl.OP_NO_TICKET


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("certificate_file", "no.crt"), ("certificate_key_file", "no.key"), ("certificate_chain_file", "no.pem"),
     ("certificate_key_password_file", "no.txt")],
)  # fmt: skip
def test_a_missing_file_is_named_with_attribute_and_place(tmp_path, pem, attribute, value):
    pem.certificates[0].place = Place("server.xml", 42)
    setattr(pem.certificates[0], attribute, value)
    xml_name = next(name for name, known in pem.certificates[0].attributes().items() if known.name == attribute)
    with pytest.raises(ConfigurationError) as caught:
        make_context(pem, tmp_path, [])
    expected = f"server.xml:42: SSLHostConfig[_default_]: {xml_name} [{tmp_path / value}] cannot be read: No such file"
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    "attribute", ["ca_certificate_file", "ca_certificate_path", "certificate_revocation_list_file", "truststore_file"]
)
def test_missing_files_of_the_set_up_are_named_too(tmp_path, pem, attribute):
    setattr(pem, attribute, "nowhere")
    pem.certificate_verification = "required"
    with pytest.raises(ConfigurationError, match=r"\[.*nowhere\] cannot be read: No such file or directory"):
        make_context(pem, tmp_path, [])


def test_a_key_that_does_not_belong_to_the_certificate_is_named(tmp_path, pem):
    pair("other").write(tmp_path, "other")
    pem.certificates[0].certificate_key_file = "other.key"
    with pytest.raises(ConfigurationError, match=r"shop.crt\] with certificateKeyFile \[.*other.key\].*MISMATCH"):
        make_context(pem, tmp_path, [])


def test_protocols_without_a_sign_are_taken_and_asked_about(tmp_path, pem, caplog):
    pem.protocols = "TLSv1.3,TLSv1.2"
    make_context(pem, tmp_path, [])
    assert (
        "The protocol [TLSv1.2] was added to the list of protocols on the SSLHostConfig named [_default_]"
        in caplog.text
    )
    caplog.clear()
    pem.protocols = "TLSv1.3+TLSv1.2"
    make_context(pem, tmp_path, [])
    assert caplog.text == ""


def test_versions_that_openssl_would_refuse_in_every_handshake_are_refused_at_once(tmp_path, pem, caplog):
    pem.protocols = "TLSv1"
    with pytest.raises(
        ConfigurationError, match=r"protocols 'TLSv1': OpenSSL refuses TLSv1 at its security level [12]"
    ):
        make_context(pem, tmp_path, [])
    pem.protocols = "TLSv1.1+TLSv1.2"
    make_context(pem, tmp_path, [])
    assert "OpenSSL refuses TLSv1.1 at its security level" in caplog.text
    pem.protocols, pem.ciphers = "TLSv1", "DEFAULT@SECLEVEL=0"
    make_context(pem, tmp_path, [])
