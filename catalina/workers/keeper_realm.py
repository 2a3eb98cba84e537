"""The realm of a process that has a user of its own: the keeper, which has the users and their passwords.

The process learns who somebody is whose password it has shown, and nothing else. The keeper's realm counts failures
(LockOutRealm) as for every login.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from catalina.errors import CatalinaError
from catalina.realm.generic_principal import GenericPrincipal
from catalina.realm.realm_base import RealmBase
from catalina.workers.services import LOGIN

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from catalina.core.standard_context import StandardContext
    from catalina.realm.realm import DigestAnswer, Realm
    from catalina.session.session import Principal
    from catalina.workers.services import Services

__all__ = ["KeeperLogins", "KeeperRealm"]

#: The parts of a client's answer to a challenge of DIGEST.
_DIGEST = ("response", "nonce", "nc", "cnonce", "qop", "realm_name", "digest_a2", "algorithm")


class KeeperRealm(RealmBase):
    """Asks the keeper.

    Args:
        call: a service of the keeper. Raises CatalinaError.
        key: of the application.
    """

    def __init__(self, call: Callable[[str, object], Any], key: str) -> None:
        super().__init__()
        self._call = call
        self._key = key

    def _start(self) -> None:
        """Nothing: it compares no credentials itself."""

    def _ask(self, how: str, *facts: object) -> Principal | None:
        told = self._call(LOGIN, {"key": self._key, "how": how, "facts": facts})
        return None if told is None else GenericPrincipal(str(told[0]), tuple(map(str, told[1])), None, dict(told[2]))

    def authenticate(self, username: str | None, credentials: str | None) -> Principal | None:
        """See :class:`Realm`."""
        if username is None or credentials is None:
            return None
        return self._ask("password", username, credentials)

    def authenticate_name(self, username: str) -> Principal | None:
        """See :class:`Realm`."""
        return self._ask("name", username)

    def authenticate_digest(self, username: str, digest: DigestAnswer) -> Principal | None:
        """See :class:`Realm`."""
        return self._ask("digest", username, [getattr(digest, name) for name in _DIGEST])

    def authenticate_certificates(self, certificates: Sequence[Certificate]) -> Principal | None:
        """See :class:`Realm`."""
        from cryptography.hazmat.primitives.serialization import Encoding

        texts = [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in certificates]
        return self._ask("certificates", texts)

    def get_password(self, username: str) -> str | None:
        """Nobody learns a password here."""
        return None

    def get_principal(self, username: str) -> Principal | None:
        """See :class:`RealmBase`."""
        return self.authenticate_name(username)


class _Told:
    """A client's answer, as a worker has told it."""

    def __init__(self, parts: Sequence[str]) -> None:
        for name, value in zip(_DIGEST, parts, strict=True):
            setattr(self, name, str(value))


class KeeperLogins:
    """The keeper's part.

    Args:
        find: the context of a key, None for an unknown one.
    """

    def __init__(self, services: Services, find: Callable[[str], StandardContext | None]) -> None:
        self._find = find
        services.add(LOGIN, lambda _, asked: self._login(asked))

    def _login(self, asked: dict[str, Any]) -> list[Any] | None:
        """The name, roles and facts of a user; None for nobody. Raises CatalinaError: it is no question."""
        context = self._find(asked["key"])
        realm = None if context is None else context.realm
        if realm is None:
            return None
        try:
            found = _authenticate(realm, asked["how"], asked["facts"])
        except (TypeError, ValueError, KeyError, IndexError) as error:
            raise CatalinaError(f"expected the facts of a login: {type(error).__name__}") from error
        if found is None:
            return None
        facts = {name: value for name, value in found.attributes.items() if isinstance(value, str | int | float | bool)}
        return [found.name, list(found.roles), facts]


def _authenticate(realm: Realm, how: str, facts: Sequence[Any]) -> Principal | None:
    match how:
        case "password":
            return realm.authenticate(str(facts[0]), str(facts[1]))
        case "name":
            return realm.authenticate_name(str(facts[0]))
        case "digest":
            told: Any = _Told(facts[1])
            return realm.authenticate_digest(str(facts[0]), told)
        case "certificates":
            from cryptography.x509 import load_der_x509_certificate

            return realm.authenticate_certificates(
                [load_der_x509_certificate(base64.b64decode(each)) for each in facts[0]]
            )
        case _:
            raise CatalinaError(f"expected a way to log in, got [{how!r:.80}]")
