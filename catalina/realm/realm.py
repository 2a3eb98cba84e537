"""The interface of a realm to authenticators and containers (Tomcat: catalina/Realm.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from catalina.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cryptography.x509 import Certificate

    from catalina.realm.credential_handler import CredentialHandler
    from catalina.session.session import Principal

__all__ = ["DigestAnswer", "Realm", "RealmContainer", "RealmServer", "RoleNames"]


class RoleNames(Protocol):
    """A servlet, as far as roles are concerned."""

    @property
    def role_mappings(self) -> Mapping[str, str]:
        """The role that the application uses -> the role that the realm knows."""
        ...


class RealmServer(Protocol):
    """The server, whose files and global resources realms use."""

    @property
    def catalina_base(self) -> Path: ...

    @property
    def properties(self) -> Mapping[str, str]: ...

    @property
    def global_naming_resources(self) -> RealmResources | None: ...


class RealmResources(Protocol):
    """``<GlobalNamingResources>``."""

    def lookup(self, name: str) -> object: ...


class RealmContainer(Protocol):
    """The part of an Engine, Host or Context that a realm needs."""

    @property
    def server(self) -> RealmServer | None: ...

    def lookup(self, name: str) -> object:
        """The application's own resource with that name. Raises NamingError when there is none, or no application."""
        ...


class Realm(Lifecycle):
    """Users, their credentials and roles. Several threads may call the methods, which may wait (for a database or
    LDAP).

    The answer is None unless the user is proven; data from a client never makes a realm raise an exception.
    """

    #: The container that the realm belongs to; the realm serves it and the containers below without a realm of their
    #: own.
    container: RealmContainer | None = None
    #: Compares stored credentials; None before the start.
    credential_handler: CredentialHandler | None = None

    def authenticate(self, username: str | None, credentials: str | None) -> Principal | None:
        """The user, if ``credentials`` are his password."""
        raise NotImplementedError

    def authenticate_name(self, username: str) -> Principal | None:
        """The user whose name somebody else has proven: a proxy, or single sign-on."""
        raise NotImplementedError

    def authenticate_digest(self, username: str, digest: DigestAnswer) -> Principal | None:
        """The user, if his password answers the challenge of DIGEST."""
        raise NotImplementedError

    def authenticate_certificates(self, certificates: Sequence[Certificate]) -> Principal | None:
        """The user of a certificate chain that TLS has verified, the client's own first."""
        raise NotImplementedError

    def has_role(self, wrapper: RoleNames | None, principal: Principal | None, role: str) -> bool:
        """True when the user has the role, under the name that the servlet ``wrapper`` (or None) gives it."""
        raise NotImplementedError

    @property
    def is_available(self) -> bool:
        """False while logins fail because the store of users cannot be reached; LockOutRealm then counts no
        failures.
        """
        return True

    def background_process(self) -> None:
        """Do periodic work; the container's background tick calls this."""


class DigestAnswer(Protocol):
    """The client's answer to a DIGEST challenge (RFC 7616); hexadecimal digests are in lower case."""

    @property
    def response(self) -> str: ...

    @property
    def nonce(self) -> str: ...

    @property
    def nc(self) -> str: ...

    @property
    def cnonce(self) -> str: ...

    @property
    def qop(self) -> str: ...

    @property
    def realm_name(self) -> str: ...

    @property
    def digest_a2(self) -> str: ...

    @property
    def algorithm(self) -> str: ...
