"""A realm with users of the test's own, and the contract that every realm keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalina.realm.generic_principal import GenericPrincipal
from catalina.realm.realm import Realm
from catalina.realm.realm_base import RealmBase


class DictRealm(RealmBase):
    """Users of a dict: name -> (stored password, roles)."""

    def __init__(self, users: Mapping[str, tuple[str, tuple[str, ...]]] | None = None, **values: Any) -> None:
        super().__init__(**values)
        self.users = dict(users or {"bob": ("secret", ("user",))})

    def get_password(self, username):
        user = self.users.get(username)
        return None if user is None else user[0]

    def get_principal(self, username):
        user = self.users.get(username)
        return None if user is None else GenericPrincipal(username, user[1])


def check_realm(realm: Realm, username: str = "bob", password: str = "secret", role: str = "user") -> None:
    """Check the behaviour that every realm with this user must have."""
    principal = realm.authenticate(username, password)
    assert principal is not None
    assert principal.name == username
    assert realm.has_role(None, principal, role)
    assert not realm.has_role(None, principal, "no such role")
    assert not realm.has_role(None, None, role)
    assert realm.authenticate(username, password + "x") is None
    assert realm.authenticate(username, "") is None
    assert realm.authenticate(username, None) is None
    assert realm.authenticate(None, password) is None
    assert realm.authenticate("", password) is None
    assert realm.authenticate("nobody", password) is None
    known = realm.authenticate_name(username)
    assert known is not None
    assert tuple(known.roles) == tuple(principal.roles)
    assert realm.authenticate_name("nobody") is None
