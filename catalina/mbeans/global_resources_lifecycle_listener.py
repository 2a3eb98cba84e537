"""Shows the users of the global user databases as beans (Tomcat: mbeans/GlobalResourcesLifecycleListener.java)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from catalina.attributes import Component
from catalina.lifecycle import LifecycleEvent
from catalina.mbeans.object_name import ObjectName, quote

__all__ = ["GlobalResourcesLifecycleListener"]

log = logging.getLogger("org.apache.catalina.mbeans.GlobalResourcesLifecycleListener")

_USER_DATABASE = "org.apache.catalina.UserDatabase"


class UserBean(Component):
    """One user, group or role of a database, at the time of the look."""

    def __init__(self, **values: str | list[str]) -> None:
        super().__init__()
        for name, value in values.items():
            if isinstance(value, str):
                setattr(self, name, value)
        self._lists = {name: value for name, value in values.items() if isinstance(value, list)}

    @property
    def roles(self) -> list[str] | None:
        """Names of the roles; a role has none."""
        return self._lists.get("roles")

    @property
    def groups(self) -> list[str] | None:
        """Names of the groups; only a user has some."""
        return self._lists.get("groups")


class GlobalResourcesLifecycleListener(Component):
    """Stands in ``<Server>``; from start to stop the users, groups and roles can be read in the domain ``Users``."""

    def __init__(self) -> None:
        super().__init__()
        self._server: Any = None

    def __call__(self, event: LifecycleEvent) -> None:
        """Begin on ``start``, end on ``stop``. Passwords are not shown."""
        registry = getattr(event.source, "mbeans", None)
        if registry is None:
            return
        if event.type == "start":
            self._server = event.source
            registry.add_source(self.beans)
        elif event.type == "stop":
            registry.remove_source(self.beans)
            self._server = None

    def beans(self) -> Iterator[tuple[ObjectName, Component]]:
        """The databases and what is in them."""
        resources = getattr(self._server, "global_naming_resources", None)
        for entry in getattr(resources, "entries", ()):
            if getattr(entry, "type", None) == _USER_DATABASE:
                database = resources.lookup(entry.name)  # type: ignore[union-attr]  # it has entries
                yield ObjectName("Users", {"type": "UserDatabase", "database": entry.name}), database
                yield from self._contents(database, entry.name)

    def _contents(self, database: Any, name: str) -> Iterator[tuple[ObjectName, Component]]:
        for role in database.roles:
            yield self._name("Role", "rolename", role.name, name), UserBean(rolename=role.name)
        for group in database.groups:
            bean = UserBean(groupname=group.name, roles=sorted(group.roles))
            yield self._name("Group", "groupname", group.name, name), bean
        for user in database.users:
            bean = UserBean(username=user.name, roles=sorted(user.roles), groups=sorted(user.groups))
            yield self._name("User", "username", user.name, name), bean

    @staticmethod
    def _name(kind: str, key: str, value: str, database: str) -> ObjectName:
        return ObjectName("Users", {"type": kind, key: quote(value), "database": database})
