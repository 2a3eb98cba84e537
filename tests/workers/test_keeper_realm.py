"""Logins of a process that has a user of its own: the keeper checks them."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.errors import CatalinaError
from catalina.reactor import Reactor
from catalina.realm.generic_principal import GenericPrincipal
from catalina.realm.realm import DigestAnswer
from catalina.realm.realm_base import RealmBase
from catalina.workers.frames import decode_result, encode_call
from catalina.workers.keeper_realm import KeeperLogins, KeeperRealm
from catalina.workers.services import LOGIN, Services

KEY = "Catalina/localhost//shop"


class Users(RealmBase):
    """Anna, who is a buyer."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []

    def authenticate(self, username: str | None, credentials: str | None) -> GenericPrincipal | None:
        self.asked.append((username, credentials))
        facts = {"fullName": "Anna", "object": object()}
        return GenericPrincipal("anna", ("buyer",), object(), facts) if credentials == "secret" else None

    def authenticate_name(self, username: str) -> GenericPrincipal | None:
        return GenericPrincipal(username, ("buyer",))

    def authenticate_digest(self, username: str, digest: DigestAnswer) -> GenericPrincipal | None:
        self.asked.append((username, digest.response, digest.algorithm))
        return GenericPrincipal(username)


class Node:
    """A keeper and the realm of a process, without a socket between them."""

    def __init__(self) -> None:
        self.users = Users()
        self.services = Services(Reactor("test"))
        context: Any = type("Context", (), {"realm": self.users})()
        KeeperLogins(self.services, {KEY: context}.get)
        self.realm = KeeperRealm(self.call, KEY)

    def call(self, service: str, argument: object) -> object:
        results: list[bytes] = []
        slow = self.services._slow.pop(service)
        self.services.add(service, slow, is_quick=True)
        self.services.call(encode_call(service, argument), 512, results.append)
        self.services._quick.pop(service)
        self.services.add(service, slow)
        return decode_result(results[0])


def test_the_process_learns_name_roles_and_plain_facts_and_no_password() -> None:
    node = Node()
    found = node.realm.authenticate("anna", "secret")
    assert found == GenericPrincipal("anna", ("buyer",))
    assert found is not None
    assert found.attributes == {"fullName": "Anna"}
    assert node.users.asked == [("anna", "secret")]
    assert node.realm.authenticate("anna", "wrong") is None
    assert node.realm.authenticate(None, "secret") is None
    assert node.realm.get_password("anna") is None


def test_an_answer_to_digest_is_checked_there() -> None:
    class Answer:
        response = nonce = nc = cnonce = qop = realm_name = digest_a2 = "1"
        algorithm = "MD5"

    node = Node()
    assert node.realm.authenticate_digest("anna", Answer()) == GenericPrincipal("anna")
    assert node.users.asked == [("anna", "1", "MD5")]


def test_a_user_whom_a_proxy_has_proven_has_roles() -> None:
    assert Node().realm.authenticate_name("anna") == GenericPrincipal("anna", ("buyer",))


@pytest.mark.parametrize(
    ("how", "facts"),
    [("password", ["anna"]), ("digest", ["anna", ["1"]]), ("certificates", [["?"]]), ("?", []), ("name", None)],
)
def test_what_is_no_login_is_refused(how: str, facts: object) -> None:
    with pytest.raises(CatalinaError):
        Node().call(LOGIN, {"key": KEY, "how": how, "facts": facts})


def test_nobody_logs_in_to_an_unknown_application() -> None:
    assert Node().call(LOGIN, {"key": "?", "how": "name", "facts": ["anna"]}) is None
