"""``jmxremote.password`` and ``jmxremote.access``: the users, and their right to change something.

::

    monitorRole  tomcat                                   a password as it is
    controlRole  SALT HASH SHA3-512                       a hash, as newer JDKs make of it; both in Base64

    monitorRole  readonly
    controlRole  readwrite

As with the JDK, passwords as they are become hashes in the file, at the start and at the next login after a change,
unless ``com.sun.management.jmxremote.password.toHashes`` is false.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import stat
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple

from catalina.errors import ConfigurationError
from catalina.realm.constant_time import equal_bytes
from catalina.realm.generic_principal import GenericPrincipal
from catalina.realm.lock_out_realm import LockOutRealm
from catalina.realm.message_digest import digest, digest_name
from catalina.realm.realm_base import RealmBase
from catalina.session.session import Principal

__all__ = ["PasswordLogin", "PasswordRealm", "hash_passwords", "read_access", "read_passwords"]

READ_WRITE = "readwrite"
#: Characters of a user's name.
MAX_NAME = 256
#: Bytes of either file.
MAX_BYTES = 2**20
#: Stands above hashed passwords; the JDK's words.
_NOTE = (
    "# The passwords in this file are hashed.",
    "# In order to change the password for a role, replace the hashed password entry",
    "# with a new clear text password or a new hashed password.",
    "# If the new password is in clear, it will be replaced with its hash when a new",
    "# login attempt is made.",
    "",
)


class _Entry(NamedTuple):
    """One entry: the lines from ``first`` (counted from 0) to before ``end``, which backslashes join, and its words."""

    first: int
    end: int
    words: list[str]


def _entries(path: Path) -> tuple[list[str], list[_Entry]]:
    """The lines of a file with their ends, and its entries."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{path} has {len(data)} bytes, the limit is {MAX_BYTES}")
    lines = data.decode("utf-8", "surrogateescape").splitlines(keepends=True)
    found: list[_Entry] = []
    goes_on = False
    for number, line in enumerate(lines):
        text = line.strip()
        words = text.removesuffix("\\").split()
        if goes_on and found:
            found[-1] = _Entry(found[-1].first, number + 1, found[-1].words + words)
        elif text and text[0] not in "#!":
            found.append(_Entry(number, number + 1, words))
        goes_on = text.endswith("\\")
    return lines, [entry for entry in found if entry.words]


def _words(path: Path) -> list[tuple[int, list[str]]]:
    """The number of the line that each entry begins in, and its words."""
    return [(entry.first + 1, entry.words) for entry in _entries(path)[1]]


def hash_passwords(path: Path) -> int:
    """Replace the passwords of a file that stand in it as they are; returns how many there were.

    The file is exchanged as a whole and keeps its owner and mode; everything else in it stays.

    Raises:
        ConfigurationError: the file cannot be read.
        OSError: it cannot be replaced.
    """
    target = path.resolve()
    before = target.stat()
    lines, entries = _entries(target)
    clear = [entry for entry in entries if len(entry.words) == 2]
    if not clear:
        return 0
    for entry in reversed(clear):
        user, password = entry.words
        lines[entry.first : entry.end] = [f"{user} {_hashed(password)}\n"]
    if not any(_NOTE[0] in line for line in lines):
        lines[:0] = [f"{line}\n" for line in _NOTE]
    content = "".join(lines).encode("utf-8", "surrogateescape")
    descriptor, staged = tempfile.mkstemp(prefix=".jmxremote-", dir=target.parent)  # for its owner only
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
            os.fchown(descriptor, before.st_uid, before.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
        now = target.stat()
        if (now.st_mtime_ns, now.st_size, now.st_ino) != (before.st_mtime_ns, before.st_size, before.st_ino):
            return 0  # somebody is editing it: the next login finds what he has written
        os.replace(staged, target)
    finally:
        with contextlib.suppress(FileNotFoundError):  # it is the file now
            os.unlink(staged)
    return len(clear)


def _hashed(password: str) -> str:
    """Salt, hash and algorithm, as the JDK makes them (HashedPasswordManager)."""
    salt = os.urandom(64)
    hashed = digest("sha3_512", salt, password.encode("utf-8", "surrogateescape"))
    return f"{base64.b64encode(salt).decode()} {base64.b64encode(hashed).decode()} SHA3-512"


def read_passwords(path: Path) -> dict[str, list[str]]:
    """User -> the words behind the name: a password, or salt, hash and algorithm.

    Raises:
        ConfigurationError: the file cannot be read, or a line has another form.
    """
    found = {}
    for number, words in _words(path):
        if len(words) not in (2, 4):
            raise ConfigurationError(f"{path}:{number}: expected a user and a password, or salt, hash, algorithm")
        if len(words) == 4:
            _hash_of(words[1:], "", f"{path}:{number}")
        found[words[0]] = words[1:]
    return found


def read_access(path: Path) -> dict[str, bool]:
    """User -> True when the user may change something.

    Raises:
        ConfigurationError: the file cannot be read, or a line has another form.
    """
    found = {}
    for number, words in _words(path):
        words = [word for word in words[0].split("=", 1) if word] + words[1:]
        words = [word for word in words if word != "="]
        if len(words) < 2 or words[1] not in ("readonly", READ_WRITE):
            raise ConfigurationError(f"{path}:{number}: expected a user and readonly or readwrite")
        found[words[0]] = words[1] == READ_WRITE
    return found


def _hash_of(stored: list[str], password: str, where: str) -> tuple[bytes, bytes]:
    """The hash that is stored, and that of the password."""
    salt, hashed, algorithm = stored
    try:
        name = digest_name(algorithm)
        raw = base64.b64decode(salt, validate=True), base64.b64decode(hashed, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ConfigurationError(f"{where}: {error}") from error
    return raw[1], digest(name, raw[0], password.encode("utf-8", "surrogateescape"))


class PasswordRealm(RealmBase):
    """The users of the two files, which are read anew when they have changed.

    Args:
        to_hashes: passwords as they are become hashes in the file.
    """

    def __init__(self, password_file: Path, access_file: Path, to_hashes: bool = False, **values: Any) -> None:
        super().__init__(**values)
        self._to_hashes = to_hashes
        self._files = (password_file, access_file)
        self._lock = threading.Lock()
        self._stamps: tuple[tuple[int, int], ...] = ()
        self._passwords: dict[str, list[str]] = {}
        self._access: dict[str, bool] = {}
        self._read()

    def _read(self) -> None:
        """Read both files if either has changed; one that cannot be used lets nobody in.

        Raises:
            ConfigurationError: it cannot be used.
        """
        stamps = self._look()
        with self._lock:
            if stamps != self._stamps:
                passwords, access = read_passwords(self._files[0]), read_access(self._files[1])
                self._passwords, self._access, self._stamps = passwords, access, stamps
                if self._to_hashes and any(len(stored) == 1 for stored in passwords.values()):
                    self._hash()

    def _look(self) -> tuple[tuple[int, int], ...]:
        try:
            return tuple((status.st_mtime_ns, status.st_size) for status in (file.stat() for file in self._files))
        except OSError as error:
            raise ConfigurationError(f"{error.filename}: {error.strerror}") from error

    def _hash(self) -> None:
        """Hash the passwords of the file; where it cannot be written, they stay, and count as before."""
        file = self._files[0]
        try:
            count = hash_passwords(file)
        except OSError as error:
            self.logger.warning("Passwords in [%s] are not hashed: %s", file, error.strerror or error)
            return
        if count:
            self.logger.info("[%d] passwords in [%s] have become hashes", count, file)
            self._passwords, self._stamps = read_passwords(file), self._look()

    def authenticate(self, username: str | None, credentials: str | None) -> Principal | None:
        """The user with ``readonly`` or ``readwrite`` as the role; None when the login fails."""
        if username is None or credentials is None:
            return None
        try:
            self._read()
        except ConfigurationError as error:
            self.logger.error("Nobody can log in: %s", error)
            return None
        stored = self._passwords.get(username)
        if not self._matches(stored, credentials) or username not in self._access:
            return None
        return GenericPrincipal(username, (READ_WRITE if self._access[username] else "readonly",))

    def _matches(self, stored: list[str] | None, password: str) -> bool:
        if stored is None:
            digest("sha3_512", password.encode("utf-8", "surrogateescape"))  # the time says nothing about users
            return False
        if len(stored) == 1:
            given, expected = password.encode("utf-8", "surrogateescape"), stored[0].encode("utf-8", "surrogateescape")
        else:
            expected, given = _hash_of(stored, password, str(self._files[0]))
        return equal_bytes(given, expected)


class PasswordLogin:
    """A login with lock-out: name and password -> the name, and True if the user may change something; None when it
    fails.

    Args:
        password_file, access_file, to_hashes: see the module.

    Raises:
        ConfigurationError: a file cannot be used.
    """

    def __init__(self, password_file: Path, access_file: Path, to_hashes: bool = False) -> None:
        self.realm = LockOutRealm()
        self.realm.add_realm(PasswordRealm(password_file, access_file, to_hashes))
        self.realm.start()

    def __call__(self, user: str | None, password: str | None) -> tuple[str, bool] | None:
        if user is None or len(user) > MAX_NAME or not user.isprintable():
            return None  # no line of the file has such a name, and no log shall have it
        principal = self.realm.authenticate(user, password)
        return None if principal is None else (principal.name, principal.has_role(READ_WRITE))
