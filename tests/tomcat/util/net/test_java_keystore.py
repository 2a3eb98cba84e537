from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tomcat.util.net.java_keystore import MAGIC, JavaKeystore, unprotect
from tests.support.needs import need_command


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
