"""digest.sh; lines compared with the real one in tests/interop."""

import io

import pytest

from catalina.realm.digest_tool import USAGE, main
from catalina.realm.message_digest_credential_handler import MessageDigestCredentialHandler
from catalina.realm.secret_key_credential_handler import SecretKeyCredentialHandler


def digest_sh(*arguments, standard_input=""):
    out = io.StringIO()
    status = main(arguments, out, io.StringIO(standard_input))
    return status, out.getvalue()


def test_a_bare_digest_is_what_tomcat_prints():
    assert digest_sh("-a", "MD5", "-s", "0", "secret") == (0, "secret:5ebe2294ecd0e0f08eab7690d2a6ee69\n")


def test_sha_512_with_salt_is_the_default():
    _, line = digest_sh("secret")
    password, stored = line.strip().split(":")
    assert password == "secret"
    assert MessageDigestCredentialHandler(algorithm="SHA-512").matches("secret", stored)
    assert len(stored.split("$")[0]) == 64


def test_a_key_derivation_chooses_the_other_handler():
    _, line = digest_sh("-a", "PBKDF2WithHmacSHA256", "-i", "3", "-k", "256", "secret")
    stored = line.strip().partition(":")[2]
    assert SecretKeyCredentialHandler(algorithm="PBKDF2WithHmacSHA256").matches("secret", stored)


def test_a_handler_can_be_named():
    _, line = digest_sh("-h", "org.apache.catalina.realm.SecretKeyCredentialHandler", "-i", "2", "secret")
    assert line.strip().split("$")[1] == "2"


def test_passwords_can_come_from_standard_input_and_files(tmp_path):
    assert digest_sh("-a", "MD5", "-s", "0", "-f", "-", standard_input="a\nb\n")[1].count("\n") == 2
    file = tmp_path / "passwords"
    file.write_text("secret\n")
    assert digest_sh("-a", "MD5", "-s", "0", "-f", str(file))[1] == "secret:5ebe2294ecd0e0f08eab7690d2a6ee69\n"


def test_a_file_that_is_not_there_is_an_error(tmp_path, capsys):
    assert digest_sh("-f", str(tmp_path / "none"))[0] == 1
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [(), ("-x", "y", "z")])
def test_without_passwords_it_says_how_it_is_used(arguments):
    assert digest_sh(*arguments) == (0, USAGE + "\n")


@pytest.mark.parametrize("arguments", [("-a", "MD2", "x"), ("-h", "a.b.C", "x")])
def test_unknown_algorithms_and_handlers_are_errors(arguments, capsys):
    assert digest_sh(*arguments)[0] == 1
    assert capsys.readouterr().err.startswith("digest:")


def test_two_hyphens_end_the_options():
    assert digest_sh("-a", "MD5", "-s", "0", "--", "-a")[1].startswith("-a:")
