"""Users of an LDAP directory (Tomcat: realm/JNDIRealm.java)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from catalina.attributes import Attribute, choice
from catalina.errors import LifecycleError
from catalina.extras import missing_package
from catalina.realm.generic_principal import GenericPrincipal
from catalina.realm.ldap_directory import (
    DirectoryError,
    Entry,
    LdapDirectory,
    connector,
    escape_filter,
    escape_name,
    format_message,
    parse_url,
    split_patterns,
)
from catalina.realm.realm_base import RealmBase
from catalina.session.session import Principal

__all__ = ["JNDIRealm"]

_KERBEROS = "there is no Kerberos login whose credentials could be used"


@dataclass(frozen=True, slots=True)
class _User:
    """A user's entry: his name, its name, and the parts that the realm needs."""

    username: str
    dn: str
    entry: Entry | None


class JNDIRealm(RealmBase):
    """Finds the user by a pattern of names or by a search; checks his password by a bind, or compares it.

    His roles come from a search, from attributes of his entry, or from both.
    """

    packages = ("ldap3",)

    connection_url = Attribute(str, "", xml="connectionURL", doc="ldap://host:port/base or ldaps; several by spaces.")
    alternate_url = Attribute(
        str, "", xml="alternateURL", doc="Directory that is asked when the first does not answer."
    )
    connection_name = Attribute(str, "", doc="Name for searches; not given is anonymous.")
    connection_password = Attribute(str, "", doc="Password for searches.")
    connection_timeout = Attribute(int, 5000, unit="ms", doc="For a connection.")
    read_timeout = Attribute(int, 5000, unit="ms", doc="For an answer.")
    connection_pool_size = Attribute(int, 1, doc="Idle connections kept.")
    user_pattern = Attribute(
        str, "", doc="Name of the user's entry, {0} = user name; several in parentheses, (uid={0},ou=a)(uid={0},ou=b)."
    )
    user_base = Attribute(str, "", doc="Where the search for the user starts.")
    user_search = Attribute(str, "", doc="Filter of that search, {0} = user name.")
    user_subtree = Attribute(bool, False, doc="Search the user at any depth.")
    user_search_as_user = Attribute(bool, False, doc="Search as the user himself.")
    user_password = Attribute(
        str, "", doc="Attribute with the password, which is compared here; empty binds as the user."
    )
    user_role_name = Attribute(str, "", doc="Attribute of the user's entry that has roles.")
    user_role_attribute = Attribute(str, "", doc="Attribute of the user's entry that is {2} in roleSearch.")
    role_base = Attribute(str, "", doc="Where the search for roles starts; {0}, {1} ... are parts of the user's name.")
    role_name = Attribute(str, "", doc="Attribute with the role's name.")
    role_search = Attribute(
        str, "", doc="Filter of that search: {0} name of the user's entry, {1} user name, {2} userRoleAttribute."
    )
    role_subtree = Attribute(bool, False, doc="Search roles at any depth.")
    role_search_as_user = Attribute(bool, False, doc="Search roles as the user.")
    role_nested = Attribute(bool, False, doc="Groups in groups: one more search for each.")
    common_role = Attribute(str, "", doc="Role of every user.")
    size_limit = Attribute(int, 0, doc="Most entries of a search; 0 is no limit.")
    time_limit = Attribute(int, 0, unit="ms", doc="Longest search; 0 is no limit.")
    deref_aliases = Attribute(choice("always", "never", "finding", "searching"), "always", doc="Handling of aliases.")
    referrals = Attribute(
        choice("ignore", "follow", "throw"), "ignore", doc="The treatment of referrals to other directories."
    )
    ad_compat = Attribute(bool, False, inert="Active Directory's partial results are never an error here")
    force_dn_hex_escape = Attribute(
        bool, False, inert="names are used as the directory writes them, there is no JNDI that changes their escapes"
    )
    use_start_tls = Attribute(bool, False, doc="Switch to TLS with StartTLS; the server's certificate is verified.")
    cipher_suites = Attribute(str, "", doc="OpenSSL ciphers for TLS, separated by colons.")
    ssl_protocol = Attribute(str, "", inert="TLS versions are those of the system's OpenSSL")
    hostname_verifier_class_name = Attribute(str, "", inert="host names are always verified")
    ssl_socket_factory_class_name = Attribute(str, "", inert="TLS is Python's ssl", aliases=("sslSocketFactory",))
    authentication = Attribute(str, "simple", doc="Kind of bind: simple, or none for anonymous searches.")
    protocol = Attribute(str, "", inert="an ldaps URL says that TLS is wanted")
    context_factory = Attribute(
        str, "com.sun.jndi.ldap.LdapCtxFactory", inert="ldap3 speaks the protocol, there is no JNDI"
    )
    spnego_delegation_qop = Attribute(str, "auth-conf", inert=_KERBEROS)
    use_delegated_credential = Attribute(bool, True, inert=_KERBEROS)
    use_context_class_loader = Attribute(bool, True, inert="ldap3 speaks the protocol, there is no JNDI")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.directory: LdapDirectory | None = None

    def _start(self) -> None:
        super()._start()
        if self.directory is None:
            self.directory = self._make_directory()

    def _stop(self) -> None:
        if self.directory is not None:
            self.directory.close()
            self.directory = None

    def _make_directory(self) -> LdapDirectory:
        try:
            urls = [parse_url(url) for url in (*self.connection_url.split(), *self.alternate_url.split())]
            connect = connector(
                self.connection_timeout,
                self.read_timeout,
                self.use_start_tls,
                self.cipher_suites,
                self.referrals == "follow",
            )
        except ImportError as error:
            raise LifecycleError(f"{self}: {missing_package('ldap3') or error}") from error
        except ValueError as error:
            raise LifecycleError(f"{self}: connectionURL: {error}") from None
        if not urls:
            raise LifecycleError(f"{self}: connectionURL is missing")
        anonymous = self.authentication == "none"
        return LdapDirectory(
            urls,
            connect,
            "" if anonymous else self.connection_name,
            "" if anonymous else self.connection_password,
            self.connection_pool_size,
            self.size_limit,
            -(-self.time_limit // 1000),
            self.deref_aliases,
        )

    @property
    def _directory(self) -> LdapDirectory:
        if self.directory is None:
            raise DirectoryError(f"{self}: not started")
        return self.directory

    @property
    def is_available(self) -> bool:
        """True when the last question reached a directory."""
        return self.directory is not None and self.directory.reached

    # -- logins ---------------------------------------------------------------------------------------------------

    def authenticate(self, username: str | None, credentials: str | None) -> Principal | None:
        """The user, if his entry is found and his password is right."""
        if not username or not credentials:
            return None
        try:
            for user in self._candidates(username, credentials):
                if self._check(user, credentials):
                    return self._principal(user, credentials)
        except DirectoryError as error:
            self.logger.error("Exception performing authentication: %s", error)
        return None

    def get_password(self, username: str) -> str | None:
        """The attribute ``userPassword``, which DIGEST needs; None when there is none."""
        if not self.user_password:
            return None
        user = self._find(username)
        return None if user is None or user.entry is None else user.entry.first(self.user_password)

    def get_principal(self, username: str) -> Principal | None:
        """The user with his roles, without his password."""
        try:
            for user in self._candidates(username, None):
                if user.entry is not None or self._directory.read(user.dn, ()) is not None:
                    return self._principal(user, None)
        except DirectoryError as error:
            self.logger.error("Exception performing authentication: %s", error)
        return None

    def _principal(self, user: _User, credentials: str | None) -> GenericPrincipal:
        found = {} if user.entry is None else user.entry.attributes
        names = found if "*" in self.user_attributes else self.user_attributes
        values = {name: found.get(name.lower(), []) for name in names}
        # Most attributes have one value, and an application expects one for a mail address.
        facts = {name: some[0] if len(some) == 1 else some for name, some in values.items() if some}
        attributes = self.attributes_of(facts, "userPassword", self.user_password)
        return GenericPrincipal(user.username, self._roles(user, credentials), attributes=attributes)

    def _find(self, username: str) -> _User | None:
        try:
            return next(iter(self._candidates(username, None)), None)
        except DirectoryError as error:
            self.logger.error("Exception performing authentication: %s", error)
            return None

    def _check(self, user: _User, credentials: str) -> bool:
        if not self.user_password:
            return self._directory.check_password(user.dn, credentials)
        stored = None if user.entry is None else user.entry.first(self.user_password)
        return self._handler.matches(credentials, stored)

    # -- users ----------------------------------------------------------------------------------------------------

    @property
    def _user_attributes(self) -> tuple[str, ...]:
        own = (self.user_password, self.user_role_name, self.user_role_attribute, *self.user_attributes)
        return tuple(dict.fromkeys(name for name in own if name))

    def _candidates(self, username: str, credentials: str | None) -> Iterable[_User]:
        patterns = split_patterns(self.user_pattern)
        if not patterns:
            user = self._search_user(username, credentials)
            if user is not None:
                yield user
        for pattern in patterns:
            user = self._by_pattern(pattern, username, credentials)
            if user is not None:
                yield user

    def _by_pattern(self, pattern: str, username: str, credentials: str | None) -> _User | None:
        name = format_message(pattern, [escape_name(username)])
        if not self._user_attributes:
            return _User(username, name, None)
        try:
            entry = self._directory.read(name, self._user_attributes)
        except DirectoryError:
            if not credentials:
                raise
            # Not everybody may read the entry, but the user himself may.
            entry = self._directory.read(name, self._user_attributes, (name, credentials))
        return None if entry is None else _User(username, name, entry)

    def _search_user(self, username: str, credentials: str | None) -> _User | None:
        if not self.user_search:
            return None
        found = self._directory.search(
            self.user_base,
            format_message(self.user_search, [escape_filter(username)]),
            self.user_subtree,
            self._user_attributes,
            (username, credentials) if self.user_search_as_user and credentials else None,
        )
        if len(found) > 1:
            self.logger.info("User name [%s] has multiple entries", username)
        return _User(username, found[0].dn, found[0]) if len(found) == 1 else None

    # -- roles ----------------------------------------------------------------------------------------------------

    def _roles(self, user: _User, credentials: str | None) -> tuple[str, ...]:
        roles = [] if user.entry is None else list(user.entry.values(self.user_role_name))
        if self.common_role:
            roles.append(self.common_role)
        if self.role_search and self.role_name:
            roles.extend(self._groups(user, credentials).values())
        return tuple(dict.fromkeys(roles))

    def _groups(self, user: _User, credentials: str | None) -> dict[str, str]:
        """The name of a group's entry -> role."""
        own = "" if user.entry is None else user.entry.first(self.user_role_attribute) or ""
        if not own and "{2}" in self.role_search:
            own = "\0"  # a value that no entry has, escaped below: an empty one would match too much
        bind_as = (user.dn, credentials) if self.role_search_as_user and credentials else None
        base = format_message(self.role_base, _name_parts(user.dn))
        found = self._search_groups(base, (user.dn, escape_name(user.username), escape_name(own)), bind_as)
        fresh = dict(found)
        while self.role_nested and fresh:
            next_round: dict[str, str] = {}
            for dn, role in fresh.items():
                for group, name in self._search_groups(
                    base, (dn, escape_name(role), escape_name(role)), bind_as
                ).items():
                    if group not in found:
                        found[group] = next_round[group] = name
            fresh = next_round
        return found

    def _search_groups(
        self, base: str, values: tuple[str, str, str], bind_as: tuple[str, str] | None
    ) -> dict[str, str]:
        text = format_message(self.role_search, [escape_filter(value) for value in values])
        entries = self._directory.search(base, text, self.role_subtree, (self.role_name,), bind_as)
        return {entry.dn: role for entry in entries if (role := entry.first(self.role_name)) is not None}


def _name_parts(dn: str) -> list[str]:
    """The parts of a name as Java counts them: {0} is the last and most general one."""
    from ldap3.core.exceptions import LDAPInvalidDnError
    from ldap3.utils.dn import parse_dn

    try:
        parts = parse_dn(dn, escape=False)
    except LDAPInvalidDnError:
        return []
    return [f"{name}={value}" for name, value, _ in reversed(parts)]
