"""The output of digest.sh: the real one's strings are ours, and each accepts those of the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from catalina.realm.message_digest_credential_handler import MessageDigestCredentialHandler
from catalina.realm.secret_key_credential_handler import SecretKeyCredentialHandler
from tests.support.needs import need_java_tomcat

pytestmark = pytest.mark.interop

#: Without salt the string depends on nothing but the options.
FIXED = [
    ["-a", "MD5", "-s", "0", "secret"],
    ["-a", "SHA-1", "-s", "0", "secret"],
    ["-a", "SHA-256", "-s", "0", "-i", "1", "secret"],
    ["-a", "SHA-512", "-s", "0", "-i", "1000", "secret"],
    ["-a", "SHA-384", "-s", "0", "-i", "3", "gehéim"],
    ["-a", "sha-256", "-s", "0", "one", "two"],
    ["-a", "SHA-256", "-s", "0", "-e", "UTF-8", "gehéim"],
    ["-a", "SHA-256", "-s", "0", "-e", "ISO-8859-1", "gehéim"],
    ["-a", "SHA-256", "-s", "0", "-e", "UTF-16", "gehéim"],
    ["-a", "SHA-256", "-s", "0", "-e", "UTF-16LE", "gehéim"],
    ["-a", "SHA-256", "-s", "0", "-e", "UTF-32", "gehéim"],
    ["-a", "SHA-256", "-s", "0", "-e", "US-ASCII", "gehéim"],
    ["-a", "SHA-256", "-s", "0", "-i", "5", "-h", "org.apache.catalina.realm.MessageDigestCredentialHandler", "x"],
]
#: With salt: our handler checks what Java has printed.
SALTED = [
    (["-a", "SHA-512", "-s", "16", "-i", "1000"], MessageDigestCredentialHandler(algorithm="SHA-512")),
    (["-a", "MD5", "-s", "4"], MessageDigestCredentialHandler(algorithm="MD5")),
    (["-a", "SHA-256"], MessageDigestCredentialHandler(algorithm="SHA-256")),
    (
        ["-h", "org.apache.catalina.realm.SecretKeyCredentialHandler", "-a", "PBKDF2WithHmacSHA512", "-i", "1000"],
        SecretKeyCredentialHandler(algorithm="PBKDF2WithHmacSHA512"),
    ),
    (
        ["-h", "org.apache.catalina.realm.SecretKeyCredentialHandler", "-a", "PBKDF2WithHmacSHA1", "-i", "20", "-s",
         "8", "-k", "256"],
        SecretKeyCredentialHandler(algorithm="PBKDF2WithHmacSHA1"),
    ),
    (
        ["-h", "org.apache.catalina.realm.SecretKeyCredentialHandler", "-a", "PBKDF2WithHmacSHA256", "-i", "20"],
        SecretKeyCredentialHandler(algorithm="PBKDF2WithHmacSHA256"),
    ),
]  # fmt: skip


def java(arguments: list[str]) -> list[str]:
    jars: Path = need_java_tomcat()
    class_path = f"{jars}/*:{jars.parent}/bin/tomcat-juli.jar"
    command = ["java", "-Dfile.encoding=UTF-8", "-cp", class_path, "org.apache.catalina.realm.RealmBase", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def ours(arguments: list[str]) -> list[str]:
    command = [sys.executable, "-m", "catalina.realm.digest_tool", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()


@pytest.mark.parametrize("arguments", FIXED, ids=" ".join)
def test_the_strings_are_the_same(arguments: list[str]) -> None:
    assert ours(arguments) == java(arguments)


@pytest.mark.parametrize(("arguments", "handler"), SALTED)
def test_we_take_the_strings_of_java(arguments: list[str], handler: object) -> None:
    (line,) = java([*arguments, "geheim:1"])
    password, _, stored = line.rpartition(":")
    assert password == "geheim:1"
    assert handler.matches("geheim:1", stored)  # type: ignore[attr-defined]
    assert not handler.matches("geheim:2", stored)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("arguments", "_handler"), SALTED)
def test_ours_have_the_same_shape(arguments: list[str], _handler: object) -> None:
    (theirs,), (here,) = java([*arguments, "x"]), ours([*arguments, "x"])
    assert [len(part) for part in here.split("$")] == [len(part) for part in theirs.split("$")]
    assert here.split("$")[1:2] == theirs.split("$")[1:2]
