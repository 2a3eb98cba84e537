"""A directory server, with the operations of the realm: search, read, and try a password. It uses the package
``ldap3``.

The functions at the end make filters and names from patterns and user input (RFC 4514, RFC 4515).
"""

from __future__ import annotations

import logging
import re
import ssl
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from catalina.errors import CatalinaError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = [
    "DirectoryError",
    "Entry",
    "LdapDirectory",
    "LdapUrl",
    "connector",
    "escape_filter",
    "escape_name",
    "format_message",
    "load_ldap3",
    "parse_url",
    "split_patterns",
]

log = logging.getLogger("org.apache.catalina.realm.JNDIRealm")

INVALID_CREDENTIALS = 49
#: Results that prove that a password was wrong or a name does not exist; any other result is a fault.
REFUSED = frozenset({INVALID_CREDENTIALS, 32, 34, 48, 53})
SIZE_LIMIT_EXCEEDED, NO_SUCH_OBJECT, SUCCESS = 4, 32, 0
_FILTER = {"\\": "\\5c", "*": "\\2a", "(": "\\28", ")": "\\29", "\0": "\\00"}
_NAME = {
    '"': "\\22", "+": "\\2B", ",": "\\2C", ";": "\\3B", "<": "\\3C", ">": "\\3E", "\\": "\\5C", "\0": "\\00",
}  # fmt: skip
_PATTERN = re.compile(r"'([^']*)'|\{(\d+)\}|([^'{]+|\{)")


class DirectoryError(CatalinaError):
    """The directory cannot be reached, or does not answer as it should."""


def load_ldap3() -> ModuleType:
    """Import the package ``ldap3``, an extra. It still uses old names of pyasn1, which we cannot change.

    Raises:
        ImportError: the package is not installed.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"pyasn1|ldap3")
        import ldap3
    module: ModuleType = ldap3
    return module


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry: its name, and the values of the attributes that were asked for, names in lower case."""

    dn: str
    attributes: dict[str, list[str]]

    def values(self, name: str) -> list[str]:
        """All values of an attribute; empty when it has none."""
        return self.attributes.get(name.lower(), []) if name else []

    def first(self, name: str) -> str | None:
        """The first value of an attribute."""
        return next(iter(self.values(name)), None)


@dataclass(frozen=True, slots=True)
class LdapUrl:
    """``ldap://host:port/base``"""

    host: str
    port: int
    secure: bool
    base: str


def parse_url(text: str) -> LdapUrl:
    """Parse a URL.

    Raises:
        ValueError: its scheme is neither ldap nor ldaps.
    """
    parts = urlsplit(text)
    if parts.scheme not in ("ldap", "ldaps"):
        raise ValueError(f"expected ldap://host:port/base, got {text!r}")
    secure = parts.scheme == "ldaps"
    return LdapUrl(
        parts.hostname or "localhost", parts.port or (636 if secure else 389), secure, unquote(parts.path[1:])
    )


@dataclass(slots=True)
class LdapDirectory:
    """Connections to one directory, whose URLs are tried in order. Any thread.

    Args:
        connect: makes an unbound connection to a URL for a user; :func:`connector` makes the usual one.
        user, password: used for searches; an empty user is anonymous.
        pool_size: the number of idle connections that are kept.
        time_limit: the limit for a search in seconds; 0 for none.
    """

    urls: Sequence[LdapUrl]
    connect: Callable[[LdapUrl, str, str], Any]
    user: str = ""
    password: str = field(default="", repr=False)
    pool_size: int = 1
    size_limit: int = 0
    time_limit: int = 0
    dereference: str = "always"
    reached: bool = True
    _idle: list[tuple[LdapUrl, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def base(self) -> str:
        """The base of relative names."""
        return self.urls[0].base

    def absolute(self, name: str) -> str:
        """A name with the base of the URL behind it."""
        return ",".join(part for part in (name, self.base) if part)

    def search(
        self, base: str, text: str, subtree: bool, attributes: Sequence[str], bind_as: tuple[str, str] | None = None
    ) -> list[Entry]:
        """The entries below the relative name ``base`` that match the filter.

        Args:
            subtree: search at any depth, otherwise only directly below.
            bind_as: name and password of the user who searches.

        Raises:
            DirectoryError: the search could not be made.
        """
        return self._with_connection(
            lambda connection: self._search(connection, self.absolute(base), text, subtree, attributes), bind_as
        )

    def read(self, name: str, attributes: Sequence[str], bind_as: tuple[str, str] | None = None) -> Entry | None:
        """One entry by its (relative) name; None when there is none. Raises DirectoryError."""

        def read(connection: object) -> list[Entry]:
            return self._search(connection, self.absolute(name), "(objectClass=*)", None, attributes)

        return next(iter(self._with_connection(read, bind_as)), None)

    def check_password(self, dn: str, password: str) -> bool:
        """True when the directory accepts this name and password.

        Raises:
            DirectoryError: the directory could not be asked.
        """
        if not password:
            return False  # an empty password logs in anonymously and proves nothing (RFC 4513 section 5.1.2)
        try:
            _, connection = self._open(dn, password)
        except _Refused:
            return False
        _close(connection)
        return True

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for _, connection in idle:
            _close(connection)

    def _with_connection(self, use: Callable[[Any], list[Entry]], bind_as: tuple[str, str] | None) -> list[Entry]:
        """Run a step on an idle connection, or on a new one if that has died."""
        if bind_as is not None:
            _, connection = self._open_or_raise(*bind_as)
            try:
                return use(connection)
            finally:
                _close(connection)
        with self._lock:
            url, connection = self._idle.pop() if self._idle else (None, None)
        if connection is not None and url is not None:
            try:
                found = use(connection)
            except DirectoryError:
                _close(connection)
                self.close()
            else:
                self._keep(url, connection)
                return found
        url, connection = self._open_or_raise(self.user, self.password)
        try:
            found = use(connection)
        except DirectoryError:
            _close(connection)
            raise
        self._keep(url, connection)
        return found

    def _keep(self, url: LdapUrl, connection: object) -> None:
        with self._lock:
            if len(self._idle) < max(1, self.pool_size):
                self._idle.append((url, connection))
                return
        _close(connection)

    def _open_or_raise(self, user: str, password: str) -> tuple[LdapUrl, Any]:
        try:
            return self._open(user, password)
        except _Refused as refused:
            raise DirectoryError(f"the directory refuses the user {user!r}: {refused}") from None

    def _open(self, user: str, password: str) -> tuple[LdapUrl, Any]:
        from ldap3.core.exceptions import LDAPException

        failures = []
        for url in self.urls:
            try:
                connection = self.connect(url, user, password)
                bound = connection.bind()
            except (LDAPException, OSError) as error:
                failures.append(f"{url.host}:{url.port}: {error}")
                continue
            self.reached = True
            if bound:
                return url, connection
            result = dict(connection.result or {})
            _close(connection)
            if result.get("result") in REFUSED:
                raise _Refused(str(result.get("description")))
            failures.append(f"{url.host}:{url.port}: {result.get('description')}")
        self.reached = False
        raise DirectoryError("; ".join(failures) or "no URL")

    def _search(
        self, connection: Any, base: str, text: str, subtree: bool | None, attributes: Sequence[str]
    ) -> list[Entry]:
        from ldap3.core.exceptions import LDAPException

        ldap3 = load_ldap3()
        scope = ldap3.BASE if subtree is None else ldap3.SUBTREE if subtree else ldap3.LEVEL
        try:
            connection.search(
                base,
                text,
                search_scope=scope,
                attributes=list(attributes) or None,
                size_limit=self.size_limit,
                time_limit=self.time_limit,
                dereference_aliases=_DEREFERENCE[self.dereference],
            )
        except (LDAPException, OSError) as error:
            raise DirectoryError(f"search below {base!r} for {text!r}: {error}") from error
        code = connection.result["result"]
        if code == NO_SUCH_OBJECT:
            return []
        if code not in (SUCCESS, SIZE_LIMIT_EXCEEDED):
            raise DirectoryError(f"search below {base!r} for {text!r}: {connection.result['description']}")
        return [
            _entry(one) for one in connection.response or () if one.get("type", "searchResEntry") == "searchResEntry"
        ]


class _Refused(Exception):
    """The name or the password is wrong."""


_DEREFERENCE = {"always": "ALWAYS", "never": "NEVER", "finding": "BASE", "searching": "SEARCH"}


def _entry(response: dict[str, Any]) -> Entry:
    attributes = {
        name.lower(): [_text(value) for value in (values if isinstance(values, list | tuple) else [values])]
        for name, values in (response.get("raw_attributes") or response.get("attributes") or {}).items()
    }
    return Entry(response["dn"], attributes)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _close(connection: Any) -> None:
    from ldap3.core.exceptions import LDAPException

    try:
        connection.unbind()
    except (LDAPException, OSError) as error:
        log.debug("Exception closing directory server connection: %s", error)


def connector(
    connect_timeout_ms: int, read_timeout_ms: int, start_tls: bool, ciphers: str, follow_referrals: bool
) -> Callable[[LdapUrl, str, str], Any]:
    """The function that makes connections; it verifies the certificates of servers."""
    ldap3 = load_ldap3()

    def connect(url: LdapUrl, user: str, password: str) -> Any:
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ciphers=ciphers or None) if url.secure or start_tls else None
        server = ldap3.Server(
            url.host,
            url.port,
            use_ssl=url.secure,
            tls=tls,
            get_info=ldap3.NONE,
            connect_timeout=connect_timeout_ms / 1000 or None,
        )
        connection = ldap3.Connection(
            server,
            user or None,
            password or None,
            receive_timeout=read_timeout_ms / 1000 or None,
            auto_referrals=follow_referrals,
        )
        if start_tls:
            connection.start_tls()
        return connection

    return connect


def escape_filter(text: str) -> str:
    """A value inside a search filter. Without the escapes, a user could type a filter of his own as his name."""
    return "".join(_FILTER.get(char, char) for char in text)


def escape_name(text: str) -> str:
    """A value inside a distinguished name."""
    escaped = "".join(_NAME.get(char, char) for char in text)
    if escaped.startswith(" "):
        escaped = "\\20" + escaped[1:]
    elif escaped.startswith("#"):
        escaped = "\\23" + escaped[1:]
    if escaped.endswith(" "):
        escaped = escaped[:-1] + "\\20"
    return escaped


def format_message(pattern: str, values: Sequence[str]) -> str:
    """Java's MessageFormat for texts: ``{0}`` is the first value, ``'...'`` is literal, ``''`` is a quote.

    A number without a value stays as it is.
    """

    def replace(found: re.Match[str]) -> str:
        quoted, number, plain = found.groups()
        if quoted is not None:
            return quoted or "'"
        if number is not None:
            return values[int(number)] if int(number) < len(values) else found.group()
        return plain

    return _PATTERN.sub(replace, pattern)


def split_patterns(text: str) -> list[str]:
    """Split ``(uid={0},ou=a)(uid={0},ou=b)`` into the patterns in parentheses; a text without parentheses is one
    pattern.
    """
    found = [
        part.replace("\\(", "(").replace("\\)", ")") for part in re.findall(r"(?<!\\)\(((?:\\.|[^()\\|])+)\)", text)
    ]
    return found or ([text] if text else [])
