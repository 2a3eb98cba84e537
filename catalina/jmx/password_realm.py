"""``jmxremote.password`` and ``jmxremote.access``: the users, and their right to change something.

::

    monitorRole  tomcat                                   a password as it is
    controlRole  SALT HASH SHA3-512                       a hash, as newer JDKs make of it; both in Base64

    monitorRole  readonly
    controlRole  readwrite
"""

from __future__ import annotations

import base64
import binascii
import threading
from pathlib import Path
from typing import Any

from catalina.errors import ConfigurationError
from catalina.realm.constant_time import equal_bytes
from catalina.realm.generic_principal import GenericPrincipal
from catalina.realm.lock_out_realm import LockOutRealm
from catalina.realm.message_digest import digest, digest_name
from catalina.realm.realm_base import RealmBase
from catalina.session.session import Principal

__all__ = ["PasswordLogin", "PasswordRealm", "read_access", "read_passwords"]

READ_WRITE = "readwrite"
#: Characters of a user's name.
MAX_NAME = 256
#: Bytes of either file.
MAX_BYTES = 2**20


def _words(path: Path) -> list[tuple[int, list[str]]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ConfigurationError(f"{path} has {len(data)} bytes, the limit is {MAX_BYTES}")
    found: list[tuple[int, list[str]]] = []
    goes_on = False
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").splitlines(), 1):
        text = line.strip()
        if goes_on and found:
            found[-1][1].extend(text.removesuffix("\\").split())
        elif text and text[0] not in "#!":
            found.append((number, text.removesuffix("\\").split()))
        goes_on = text.endswith("\\")
    return [(number, words) for number, words in found if words]


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
    """The users of the two files, which are read anew when they have changed."""

    def __init__(self, password_file: Path, access_file: Path, **values: Any) -> None:
        super().__init__(**values)
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
        try:
            stamps = tuple((stat.st_mtime_ns, stat.st_size) for stat in (file.stat() for file in self._files))
        except OSError as error:
            raise ConfigurationError(f"{error.filename}: {error.strerror}") from error
        with self._lock:
            if stamps != self._stamps:
                passwords, access = read_passwords(self._files[0]), read_access(self._files[1])
                self._passwords, self._access, self._stamps = passwords, access, stamps

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
        password_file, access_file: see the module.

    Raises:
        ConfigurationError: a file cannot be used.
    """

    def __init__(self, password_file: Path, access_file: Path) -> None:
        self.realm = LockOutRealm()
        self.realm.add_realm(PasswordRealm(password_file, access_file))
        self.realm.start()

    def __call__(self, user: str | None, password: str | None) -> tuple[str, bool] | None:
        if user is None or len(user) > MAX_NAME or not user.isprintable():
            return None  # no line of the file has such a name, and no log shall have it
        principal = self.realm.authenticate(user, password)
        return None if principal is None else (principal.name, principal.has_role(READ_WRITE))
