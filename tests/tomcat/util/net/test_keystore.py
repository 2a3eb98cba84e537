from __future__ import annotations

import subprocess

import pytest

from catalina.errors import ConfigurationError
from catalina.tomcat.util.net.keystore import read_authorities, read_key
from tests.connector.certificates import authority, pair
from tests.support.needs import need_command


def test_a_pkcs12_file_gives_key_and_chain(tmp_path):
    pair("shop").write_pkcs12(tmp_path / "keys", "secret")
    found = read_key(tmp_path / "keys", "secret", None, "TOMCAT")
    assert found.key.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert found.chain == pair("shop").certificate_pem


def test_java_and_pkcs12_stores_are_told_apart_by_their_bytes(tmp_path):
    keytool = need_command("keytool", "default-jre-headless")
    pair("shop").write_pkcs12(tmp_path / "keys.p12", "secret")
    (tmp_path / "ca.crt").write_bytes(authority().certificate_pem)
    jks = ["-storetype", "JKS", "-keystore", str(tmp_path / "keys.jks"), "-storepass", "secret", "-noprompt"]
    subprocess.run(
        [keytool, "-importcert", "-alias", "ca", "-file", str(tmp_path / "ca.crt"), *jks],
        check=True, capture_output=True,
    )  # fmt: skip
    assert read_authorities(tmp_path / "keys.jks", "secret") == authority().certificate_pem.decode()
    with pytest.raises(ConfigurationError, match="no key"):
        read_key(tmp_path / "keys.jks", "secret", None, None)
    assert read_authorities(tmp_path / "keys.p12", "secret") == pair("shop").certificate_pem.decode()


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xfe\xed\xfe\xed", b"\x30\x82\x01\x00"])
def test_what_is_no_keystore_is_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ConfigurationError):
        read_key(tmp_path / "file", "x", None, None)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="nowhere"):
        read_key(tmp_path / "nowhere", "x", None, None)
