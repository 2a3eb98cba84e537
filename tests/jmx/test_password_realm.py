from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest

from catalina.errors import ConfigurationError
from catalina.jmx.password_realm import PasswordLogin, PasswordRealm, hash_passwords, read_access, read_passwords


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


def test_passwords_become_hashes_and_everything_else_stays(tmp_path: Path) -> None:
    stored = hashed("schau")
    password, access = files(tmp_path, f"# users\nops \\\n   geheim\n\nlook {stored}\n! end")
    password.chmod(0o640)
    login = PasswordLogin(password, access, to_hashes=True)
    text = password.read_text()
    assert "geheim" not in text
    assert text.startswith("# The passwords in this file are hashed.\n")
    rest = text.splitlines()[6:]
    assert [rest[0], *rest[2:]] == ["# users", "", f"look {stored}", "! end"]
    assert rest[1].startswith("ops ")
    assert rest[1].endswith(" SHA3-512")
    assert password.stat().st_mode & 0o777 == 0o640
    assert login("ops", "geheim") == ("ops", True)
    assert login("look", "schau") == ("look", False)
    assert hash_passwords(password) == 0
    assert password.read_text() == text
    assert sorted(os.listdir(tmp_path)) == ["access", "password"]


def test_a_password_that_is_written_later_becomes_a_hash_at_the_next_login(tmp_path: Path) -> None:
    password, access = files(tmp_path, "ops geheim\n")
    login = PasswordLogin(password, access, to_hashes=True)
    password.write_text("ops neu\n")
    assert login("ops", "geheim") is None
    assert "neu" not in password.read_text()
    assert login("ops", "neu") == ("ops", True)


def test_a_link_is_followed_and_stays_one(tmp_path: Path) -> None:
    password, access = files(tmp_path, "ops geheim\n")
    (tmp_path / "link").symlink_to(password)
    PasswordLogin(tmp_path / "link", access, to_hashes=True)
    assert (tmp_path / "link").is_symlink()
    assert "geheim" not in password.read_text()


def test_a_file_that_cannot_be_written_keeps_its_passwords_and_lets_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    password, access = files(tmp_path, "ops geheim\n")
    login = PasswordLogin(password, access, to_hashes=True)
    assert login("ops", "geheim") == ("ops", True)
    assert caplog.text.count("are not hashed: Permission denied") == 1
    assert password.read_text() == "ops geheim\n"


def test_a_file_that_somebody_is_editing_is_left_to_him(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    password, _ = files(tmp_path, "ops geheim\n")
    monkeypatch.setattr(os, "fsync", lambda _: password.write_text("ops neu\nmore x\n"))
    assert hash_passwords(password) == 0
    assert password.read_text() == "ops neu\nmore x\n"
    assert sorted(os.listdir(tmp_path)) == ["access", "password"]


def test_passwords_stay_where_nobody_wants_hashes(tmp_path: Path) -> None:
    password, access = files(tmp_path, "ops geheim\n")
    PasswordLogin(password, access)
    assert password.read_text() == "ops geheim\n"
