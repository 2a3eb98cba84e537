from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalina.errors import ConfigurationError, ProtocolError
from catalina.tomcat.util.net.keystore import MAGIC, JavaKeystore, read_authorities, read_key, unprotect
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


@pytest.fixture(scope="module")
def java_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JKS file made by Java's own keytool."""
    keytool = need_command("keytool", "default-jre-headless")
    path = tmp_path_factory.mktemp("jks") / "keys.jks"
    subprocess.run(
        [
            keytool, "-genkeypair", "-alias", "Tomcat", "-keyalg", "EC", "-dname", "CN=shop", "-storetype", "JKS",
            "-keystore", str(path), "-storepass", "store-secret", "-keypass", "key-secret",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return path


def test_a_key_of_javas_keytool_is_read(java_file):
    store = JavaKeystore.parse(java_file.read_bytes(), "store-secret")
    assert list(store.keys) == ["tomcat"]
    key = unprotect(store.keys["tomcat"].protected, "key-secret")
    assert key.startswith(b"\x30")
    assert len(store.keys["tomcat"].chain) == 1


def test_wrong_passwords_are_refused(java_file):
    with pytest.raises(ProtocolError, match="password is wrong"):
        JavaKeystore.parse(java_file.read_bytes(), "wrong")
    store = JavaKeystore.parse(java_file.read_bytes(), "store-secret")
    with pytest.raises(ProtocolError, match="password of the key"):
        unprotect(store.keys["tomcat"].protected, "wrong")


def test_a_changed_byte_is_noticed(java_file):
    data = bytearray(java_file.read_bytes())
    data[40] ^= 1
    with pytest.raises(ProtocolError, match="tampered"):
        JavaKeystore.parse(bytes(data), "store-secret")


@given(st.binary(max_size=200))
def test_any_bytes_give_the_documented_error(data):
    body = MAGIC + data
    digest = hashlib.sha1("x".encode("utf-16-be") + b"Mighty Aphrodite" + body).digest()
    try:
        store = JavaKeystore.parse(body + digest, "x")
    except ProtocolError:
        return
    assert set(store.keys).isdisjoint(store.certificates) or store.keys


@given(st.binary(max_size=100))
@example(b"\x04")
def test_any_protected_key_gives_the_documented_error(data):
    with pytest.raises(ProtocolError):
        unprotect(data, "x")
    with pytest.raises(ProtocolError):
        unprotect(bytes.fromhex("060a2b060104012a02110101") + data, "x")
