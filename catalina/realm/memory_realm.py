"""Users of a file, read once at the start (Tomcat: realm/MemoryRealm.java)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalina.attributes import Attribute
from catalina.realm.generic_principal import GenericPrincipal
from catalina.realm.realm_base import RealmBase
from catalina.session.session import Principal
from catalina.users.users_file import User, read_users_file

__all__ = ["MemoryRealm"]


class MemoryRealm(RealmBase):
    """Reads the ``<user>`` elements of tomcat-users.xml with their own roles; as in Tomcat, groups are ignored."""

    pathname = Attribute(str, "conf/tomcat-users.xml", doc="The file; a relative one is below CATALINA_BASE.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._users: dict[str, User] = {}

    def _start(self) -> None:
        server = self.server
        base = Path(server.catalina_base) if server is not None else Path.cwd()
        self._users = read_users_file(base / self.pathname, server.properties if server is not None else None).users
        super()._start()

    def get_password(self, username: str) -> str | None:
        """The password in the file."""
        user = self._users.get(username)
        return None if user is None else user.password

    def get_principal(self, username: str) -> Principal | None:
        """The user, with the roles in the file."""
        user = self._users.get(username)
        if user is None:
            return None
        attributes = self.attributes_of({"fullName": user.full_name})
        return GenericPrincipal(user.name, tuple(user.roles), attributes=attributes)
