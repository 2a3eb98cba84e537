from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest

from catalina.errors import ConfigurationError
from catalina.jmx.password_realm import PasswordLogin, PasswordRealm, read_access, read_passwords


def files(tmp_path: Path, passwords: str, access: str = "ops readwrite\nlook readonly\n") -> tuple[Path, Path]:
    (tmp_path / "password").write_text(passwords)
    (tmp_path / "access").write_text(access)
    return tmp_path / "password", tmp_path / "access"


def hashed(password: str) -> str:
    salt = b"salt" * 16
    digest = hashlib.sha3_512(salt + password.encode()).digest()
    return f"{base64.b64encode(salt).decode()} {base64.b64encode(digest).decode()} SHA3-512"


def test_a_password_and_a_hash_let_their_user_in(tmp_path: Path) -> None:
    login = PasswordLogin(*files(tmp_path, f"# users\nops geheim\nlook {hashed('schau')}\nnobody x\n"))
    assert login("ops", "geheim") == ("ops", True)
    assert login("look", "schau") == ("look", False)
    assert login("look", "geheim") is None
    assert login("nobody", "x") is None  # the access file does not name him
    assert login("stranger", "x") is None
    assert login(None, None) is None


def test_who_guesses_is_locked_out(tmp_path: Path) -> None:
    login = PasswordLogin(*files(tmp_path, "ops geheim\n"))
    for _ in range(5):
        assert login("ops", "wrong") is None
    assert login("ops", "geheim") is None
    assert login.realm.is_locked("ops")


def test_a_changed_file_counts_at_the_next_login(tmp_path: Path) -> None:
    password, access = files(tmp_path, "ops geheim\n")
    login = PasswordLogin(password, access)
    password.write_text("ops neu\n")
    os.utime(password, ns=(1, 1))
    assert login("ops", "geheim") is None
    assert login("ops", "neu") == ("ops", True)


def test_a_file_that_has_gone_lets_nobody_in(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    password, access = files(tmp_path, "ops geheim\n")
    realm = PasswordRealm(password, access)
    password.unlink()
    assert realm.authenticate("ops", "geheim") is None
    assert "Nobody can log in" in caplog.text


@pytest.mark.parametrize("text", ["ops\n", "ops a b\n", "ops a b SHA3-512\n", "ops YQ== YQ== MD7\n"])
def test_a_line_of_another_form_is_refused_with_its_place(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="password:1"):
        read_passwords(files(tmp_path, text)[0])


def test_access_may_have_more_words_as_in_the_jdk(tmp_path: Path) -> None:
    text = "ops readwrite \\\n create javax.management.monitor.*\nlook = readonly\n"
    (tmp_path / "access").write_text("ops readwrite create x.* unregister\nlook = readonly\nother=readonly\n")
    assert read_access(tmp_path / "access") == {"ops": True, "look": False, "other": False}
    (tmp_path / "access").write_text(text)
    assert read_access(tmp_path / "access") == {"ops": True, "look": False}
    (tmp_path / "access").write_text("ops everything\n")
    with pytest.raises(ConfigurationError, match="access:1: expected a user and readonly or readwrite"):
        read_access(tmp_path / "access")
