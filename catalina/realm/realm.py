"""What authenticators and containers need of a realm (Tomcat: catalina/Realm.java)."""

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
    """A servlet, as far as roles go."""

    @property
    def role_mappings(self) -> Mapping[str, str]:
        """The role that the realm knows, by the one that the application names."""
        ...


class RealmServer(Protocol):
    """The server, of which realms use files and global resources."""

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
    """What a realm needs of the Engine, Host or Context that it belongs to."""

    @property
    def server(self) -> RealmServer | None: ...

    def lookup(self, name: str) -> object:
        """The application's own resource of that name. Raises NamingError: there is none, or no application."""
        ...


class Realm(Lifecycle):
    """Users, their credentials and roles. All methods may be called by several threads, and may wait (database, LDAP).

    None is the answer to everything that is not a proven user; no exception leaves a realm because of what a client
    sent.
    """

    #: The container the realm belongs to; it serves this one and those below that have none of their own.
    container: RealmContainer | None = None
    #: How stored credentials are compared, None before the start.
    credential_handler: CredentialHandler | None = None

    def authenticate(self, username: str | None, credentials: str | None) -> Principal | None:
        """The user, if ``credentials`` are his password."""
        raise NotImplementedError

    def authenticate_name(self, username: str) -> Principal | None:
        """The user whose name somebody else has proven: a proxy, or single sign-on."""
        raise NotImplementedError

    def authenticate_digest(self, username: str, digest: DigestAnswer) -> Principal | None:
        """The user, if he has answered the challenge of DIGEST with his password."""
        raise NotImplementedError

    def authenticate_certificates(self, certificates: Sequence[Certificate]) -> Principal | None:
        """The user of a certificate chain that TLS has verified, the client's own first."""
        raise NotImplementedError

    def has_role(self, wrapper: RoleNames | None, principal: Principal | None, role: str) -> bool:
        """Whether the user has the role, under the name that the servlet ``wrapper`` (or None) gives it."""
        raise NotImplementedError

    @property
    def is_available(self) -> bool:
        """False while logins fail because the store of users cannot be reached; LockOutRealm then counts none."""
        return True

    def background_process(self) -> None:
        """Periodic work; called by the container's background tick."""


class DigestAnswer(Protocol):
    """What a client answered to a DIGEST challenge (RFC 7616); hexadecimal digests in lower case."""

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
