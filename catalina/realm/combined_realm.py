"""Asks several realms in order (Tomcat: realm/CombinedRealm.java)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from catalina.attributes import Element
from catalina.errors import LifecycleError
from catalina.realm.credential_handler import CredentialHandler
from catalina.realm.nested_credential_handler import NestedCredentialHandler
from catalina.realm.realm import DigestAnswer, Realm, RealmContainer, RoleNames
from catalina.realm.realm_base import RealmBase
from catalina.session.session import Principal

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


__all__ = ["CombinedRealm"]


class CombinedRealm(RealmBase):
    """The first nested realm that knows the user decides; if none does, the login fails."""

    elements = {"Realm": Element(add=lambda parent, realm: parent.add_realm(realm), role=Realm, guards=True)}

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.realms: list[Realm] = []
        self._container: RealmContainer | None = None

    @property
    def container(self) -> RealmContainer | None:
        """The container of this realm and of all nested ones."""
        return self._container

    @container.setter
    def container(self, container: RealmContainer | None) -> None:
        self._container = container
        for number, realm in enumerate(self.realms):
            self._place(number, realm)

    def _place(self, number: int, realm: Realm) -> None:
        if isinstance(realm, RealmBase):
            realm.realm_path = f"{self.realm_path}/realm{number}"
        realm.container = self._container

    def add_realm(self, realm: Realm) -> None:
        """Add a realm, which is asked after those added before."""
        self.realms.append(realm)
        self._place(len(self.realms) - 1, realm)

    def set_credential_handler(self, handler: CredentialHandler) -> None:
        """Keep the handler; the nested realms compare with their own."""
        self.logger.warning(
            "A CredentialHandler was set on an instance of the CombinedRealm (or a sub-class of CombinedRealm)."
            " CombinedRealm doesn't use a configured CredentialHandler. Is this a configuration error?"
        )
        super().set_credential_handler(handler)

    def _start(self) -> None:
        """Start the nested realms. One that does not start is logged and left out; nobody can log in through it."""
        for realm in tuple(self.realms):
            try:
                realm.start()
            except LifecycleError:
                self.realms.remove(realm)
                self.logger.exception("Failed to start [%s] realm", realm)
        if self.credential_handler is None:
            nested = NestedCredentialHandler()
            nested.handlers.extend(r.credential_handler for r in self.realms if r.credential_handler is not None)
            self.credential_handler = nested
        super()._start()

    def _stop(self) -> None:
        for realm in self.realms:
            realm.stop()

    def _destroy(self) -> None:
        for realm in self.realms:
            realm.destroy()

    def background_process(self) -> None:
        """Let all nested realms do their periodic work."""
        for realm in self.realms:
            realm.background_process()

    @property
    def is_available(self) -> bool:
        """True when any nested realm is available."""
        return any(realm.is_available for realm in self.realms)

    def _first(self, ask: Callable[[Realm], Principal | None]) -> Principal | None:
        for realm in self.realms:
            principal = ask(realm)
            if principal is not None:
                return principal
        return None

    def authenticate(self, username: str | None, credentials: str | None) -> Principal | None:
        """The first user that a nested realm returns."""
        return self._first(lambda realm: realm.authenticate(username, credentials))

    def authenticate_name(self, username: str) -> Principal | None:
        """The first user that a nested realm returns."""
        return self._first(lambda realm: realm.authenticate_name(username))

    def authenticate_digest(self, username: str, digest: DigestAnswer) -> Principal | None:
        """The first user that a nested realm returns."""
        return self._first(lambda realm: realm.authenticate_digest(username, digest))

    def authenticate_certificates(self, certificates: Sequence[Certificate]) -> Principal | None:
        """The first user that a nested realm returns."""
        return self._first(lambda realm: realm.authenticate_certificates(certificates))

    def has_role(self, wrapper: RoleNames | None, principal: Principal | None, role: str) -> bool:
        """True when any nested realm says so."""
        return any(realm.has_role(wrapper, principal, role) for realm in self.realms)
