"""The common part of realms: comparing credentials, DIGEST, client certificates, roles (Tomcat:
realm/RealmBase.java).
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from catalina.attributes import Attribute, AttributeRefused, Element, choice, comma_list
from catalina.errors import LifecycleError
from catalina.realm.constant_time import equal_text
from catalina.realm.credential_handler import CredentialHandler
from catalina.realm.message_digest import digest, digest_name, password_bytes
from catalina.realm.message_digest_credential_handler import MessageDigestCredentialHandler
from catalina.realm.realm import DigestAnswer, Realm, RealmServer, RoleNames
from catalina.realm.x509_subject_dn_retriever import X509SubjectDnRetriever
from catalina.session.session import Principal

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


__all__ = ["RealmBase", "UsernameRetriever"]

_DEFAULT_RETRIEVER = "org.apache.catalina.realm.X509SubjectDnRetriever"


class UsernameRetriever(Protocol):
    """Makes a user name from a client certificate (``X509UsernameRetrieverClassName``)."""

    def get_username(self, certificate: Certificate) -> str | None: ...


def _old_digest(text: str) -> str:
    try:
        digest_name(text)
    except ValueError:
        raise AttributeRefused("the name of a message digest, such as SHA-256") from None
    return text


def _set_credential_handler(realm: RealmBase, handler: CredentialHandler) -> None:
    realm.set_credential_handler(handler)


class RealmBase(Realm):
    """A subclass provides the facts about a user: :meth:`get_password` and :meth:`get_principal`."""

    bean_operations = ("init", "start", "stop", "destroy")

    all_roles_mode = Attribute(
        choice("strict", "authOnly", "strictAuthOnly"),
        "strict",
        doc="How the role name * is read: strict = one of the roles of web.xml is needed, authOnly = any logged-in "
        "user, strictAuthOnly = any logged-in user unless web.xml declares roles.",
    )
    digest = Attribute(
        _old_digest, "", doc="Before Tomcat 8.5: digest of the stored passwords; now a CredentialHandler says it."
    )
    realm_path = Attribute(str, "/realm0", doc="Name of this realm among the nested ones, for its MBean.")
    strip_realm_for_gss = Attribute(bool, True, inert="Kerberos logins (SPNEGO) let nobody in")
    transport_guarantee_redirect_status = Attribute(
        int, 302, doc="Status of the redirect when a plain request must come over TLS."
    )
    user_attributes: Attribute[tuple[str, ...]] = Attribute(
        comma_list,
        (),
        doc="Names of further facts of a user that the principal carries (columns of userTable, attributes of the "
        "directory's entry, fullName of a users file); * is all but the password.",
    )
    validate = Attribute(bool, True, doc="Refuse client certificates that are not yet or no longer valid.")
    x509_username_retriever_class_name = Attribute(
        str,
        _DEFAULT_RETRIEVER,
        xml="X509UsernameRetrieverClassName",
        aliases=("x509UsernameRetrieverClassName",),
        doc="Class whose get_username(certificate) turns a client certificate into a user name.",
    )

    elements = {"CredentialHandler": Element(add=_set_credential_handler, role=CredentialHandler, guards=True)}

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._retriever: UsernameRetriever = X509SubjectDnRetriever()

    @property
    def logger(self) -> logging.Logger:
        """The logger of the concrete class."""
        return logging.getLogger(f"org.apache.{type(self).__module__.rpartition('.')[0]}.{type(self).__name__}")

    @property
    def server(self) -> RealmServer | None:
        """The server whose global resources this realm uses; None for a realm without one."""
        return None if self.container is None else self.container.server

    def set_credential_handler(self, handler: CredentialHandler) -> None:
        """Use ``handler`` to compare credentials."""
        self.credential_handler = handler

    def _start(self) -> None:
        if self.credential_handler is None:
            self.credential_handler = MessageDigestCredentialHandler(algorithm=self.digest)
        name = self.x509_username_retriever_class_name
        if name and name != _DEFAULT_RETRIEVER:
            self._retriever = _make_retriever(name)

    # -- provided by subclasses -----------------------------------------------------------------------------------

    def get_password(self, username: str) -> str | None:
        """The stored credentials of a user, None when there is no such user."""
        raise NotImplementedError

    def get_principal(self, username: str) -> Principal | None:
        """The user with that name, without checking credentials."""
        raise NotImplementedError

    def attributes_of(self, facts: Mapping[str, Any], *secrets: str) -> dict[str, Any]:
        """The facts about a user that his principal carries, chosen by ``userAttributes``.

        Args:
            secrets: names, in any case, that no principal carries, such as that of the stored password.
        """
        hidden = {name.lower() for name in secrets}
        wanted = facts if "*" in self.user_attributes else self.user_attributes
        return {name: facts[name] for name in wanted if name.lower() not in hidden and facts.get(name) is not None}

    # -- logins ---------------------------------------------------------------------------------------------------

    @property
    def _handler(self) -> CredentialHandler:
        handler = self.credential_handler
        if handler is None:
            raise LifecycleError(f"{self}: a realm must be started before it can compare credentials")
        return handler

    def authenticate(self, username: str | None, credentials: str | None) -> Principal | None:
        """Compare the credentials with the stored ones."""
        if username is None or credentials is None:
            return None
        stored = self.get_password(username)
        if stored is None:
            # As much work as for an existing user, so that the time does not reveal the difference.
            self._handler.mutate(credentials)
            return None
        if not self._handler.matches(credentials, stored):
            self.logger.debug("Username [%s] NOT successfully authenticated", username)
            return None
        return self.get_principal(username)

    def authenticate_name(self, username: str) -> Principal | None:
        """The user with that name."""
        return self.get_principal(username)

    def authenticate_digest(self, username: str, digest: DigestAnswer) -> Principal | None:
        """Compute the response from the stored password, and compare."""
        a1 = self._digest_a1(username, digest.realm_name, digest.algorithm)
        if a1 is None:
            return None
        text = ":".join((a1.lower(), digest.nonce, digest.nc, digest.cnonce, digest.qop, digest.digest_a2))
        if not equal_text(self._digest_hex(digest.algorithm, text), digest.response, ignore_case=True):
            return None
        return self.get_principal(username)

    def _digest_a1(self, username: str, realm_name: str, algorithm: str) -> str | None:
        """``H(user:realm:password)``. A store of digests must contain exactly that, made with the same algorithm."""
        password = self.get_password(username)
        if password is None:
            return None
        handler = self._handler
        stored_as = handler.algorithm if isinstance(handler, MessageDigestCredentialHandler) else ""
        if stored_as and digest_name(stored_as) == digest_name(algorithm):
            return password
        if stored_as:
            self.logger.debug(
                "Unable to authenticate user as DIGEST authentication used [%s] but password was stored in Realm"
                " using [%s]",
                algorithm,
                stored_as,
            )
        return self._digest_hex(algorithm, f"{username}:{realm_name}:{password}")

    def _digest_hex(self, algorithm: str, text: str) -> str:
        handler = self._handler
        charset = handler.encoding if isinstance(handler, MessageDigestCredentialHandler) else "latin-1"
        return digest(digest_name(algorithm), password_bytes(text, charset)).hex()

    def authenticate_certificates(self, certificates: Sequence[Certificate]) -> Principal | None:
        """The user named by the client's own certificate, if every certificate is valid today."""
        if not certificates:
            return None
        now = datetime.now(UTC)
        for certificate in certificates if self.validate else ():
            if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
                self.logger.debug("Error checking certificate validity: %s", certificate.subject)
                return None
        username = self._retriever.get_username(certificates[0])
        return None if username is None else self.get_principal(username)

    # -- roles ----------------------------------------------------------------------------------------------------

    def has_role(self, wrapper: RoleNames | None, principal: Principal | None, role: str) -> bool:
        """Check the role under the name to which the context maps it (PropertiesRoleMappingListener)."""
        if wrapper is not None:
            role = wrapper.role_mappings.get(role, role)
        return principal is not None and self.has_role_internal(principal, role)

    def has_role_internal(self, principal: Principal, role: str) -> bool:
        """True when the principal has the role with exactly this name; a user named by a proxy has none here."""
        return principal.has_role(role)


def _make_retriever(name: str) -> UsernameRetriever:
    module_name, _, class_name = name.rpartition(".")
    try:
        retriever: UsernameRetriever = getattr(importlib.import_module(module_name), class_name)()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise LifecycleError(f"Cannot create object of type [{name}]: {error}") from error
    return retriever
