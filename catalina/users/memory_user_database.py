"""The user database of tomcat-users.xml, kept in memory (Tomcat: users/MemoryUserDatabase.java)."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any, TypeVar

from catalina.attributes import Attribute
from catalina.errors import ConfigurationError
from catalina.users.user_operations import Entry, UserOperations
from catalina.users.users_file import Group, Role, User, UsersFile, read_users_file, write_users_file

__all__ = ["MemoryUserDatabase"]

log = logging.getLogger("org.apache.catalina.users.MemoryUserDatabase")

T = TypeVar("T", User, Group, Role)

#: Seconds after its last change for which a file may still be being written.
SETTLED = 2.0


class MemoryUserDatabase(UserOperations):
    """Users, groups and roles by name. Any thread.

    Args:
        base: the directory of a relative ``pathname``: CATALINA_BASE.
        substitutions: ``${...}`` properties.
    """

    pathname = Attribute(str, "conf/tomcat-users.xml", doc="The file; a relative one is below CATALINA_BASE.")
    readonly = Attribute(bool, True, doc="False lets save() write changes that were made at run time to the file.")
    watch_source = Attribute(bool, True, doc="Read the file again when it has changed, on the background tick.")

    def __init__(
        self, base: Path | None = None, substitutions: dict[str, str] | None = None, name: str = "", **values: Any
    ) -> None:
        super().__init__(**values)
        self.base = base or Path.cwd()
        self.substitutions = substitutions or {}
        self.name = name
        self._content = UsersFile()
        self._lock = threading.RLock()
        self._modified = 0.0

    def __str__(self) -> str:
        return f"MemoryUserDatabase[id={self.name},pathname={self.pathname}]"

    @property
    def path(self) -> Path:
        """The file."""
        return self.base / self.pathname

    def open(self) -> None:
        """Read the file. A missing file leaves the database empty, which is logged.

        Raises:
            ConfigurationError: the file exists and cannot be used; the database stays as it was.
        """
        with self._lock:
            try:
                modified = self.path.stat().st_mtime
            except OSError:
                log.error("The specified user database [%s] could not be found", self.path)
                self._content, self._modified = UsersFile(), 0.0
                return
            self._content, self._modified = read_users_file(self.path, self.substitutions), modified

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._content = UsersFile()

    def background_process(self) -> None:
        """Read the file again after a change. A new version that cannot be used leaves the old one in effect."""
        if not self.watch_source:
            return
        try:
            modified = self.path.stat().st_mtime
        except OSError:
            return
        if modified == self._modified or modified + SETTLED > time.time():
            return
        log.info("Reloading memory user database [%s] from updated source [%s]", self.name, self.path)
        try:
            self.open()
        except ConfigurationError as error:
            self._modified = modified  # log it once
            log.error("Error reloading memory user database [%s]: %s", self.name, error)

    @property
    def users(self) -> tuple[User, ...]:
        """All users."""
        return tuple(self._content.users.values())

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups."""
        return tuple(self._content.groups.values())

    @property
    def roles(self) -> tuple[Role, ...]:
        """All roles."""
        return tuple(self._content.roles.values())

    def find_user(self, name: str) -> User | None:
        """The user of that name."""
        return self._content.users.get(name)

    def find_group(self, name: str) -> Group | None:
        """The group of that name."""
        return self._content.groups.get(name)

    def find_role(self, name: str) -> Role | None:
        """The role of that name."""
        return self._content.roles.get(name)

    def roles_of(self, name: str) -> tuple[str, ...]:
        """The present roles of a user, his own and those of his groups; none for a removed user."""
        user = self._content.users.get(name)
        return () if user is None else self._content.roles_of(user)

    def create_user(self, name: str, password: str | None, full_name: str | None = None) -> User | None:
        """A new user, None when the name is taken. In memory only until :meth:`save`."""
        return self._create(self._content.users, User(_named("user", name), password, full_name))

    def create_group(self, name: str, description: str | None = None) -> Group | None:
        """A new group, None when the name is taken."""
        return self._create(self._content.groups, Group(_named("group", name), description))

    def create_role(self, name: str, description: str | None = None) -> Role | None:
        """A new role, None when the name is taken."""
        return self._create(self._content.roles, Role(_named("role", name), description))

    def change(self, item: Entry) -> Entry:
        """An entry has been changed in place, where everybody sees it; returns it."""
        return item

    def remove_user(self, name: str) -> None:
        """Remove a user; a missing one is ignored."""
        with self._lock:
            self._content.users.pop(name, None)

    def remove_group(self, name: str) -> None:
        """Remove a group, also from its users."""
        with self._lock:
            self._content.groups.pop(name, None)
            for user in self._content.users.values():
                user.groups[:] = [group for group in user.groups if group != name]

    def remove_role(self, name: str) -> None:
        """Remove a role, also from users and groups."""
        with self._lock:
            self._content.roles.pop(name, None)
            holders: list[User | Group] = [*self._content.users.values(), *self._content.groups.values()]
            for holder in holders:
                holder.roles[:] = [role for role in holder.roles if role != name]

    def save(self) -> None:
        """Write the file, if the database is not read-only. Raises OSError."""
        if self.readonly:
            log.error("User database has been configured to be read only. Changes cannot be saved")
            return
        with self._lock:
            write_users_file(self.path, self._content)
            self._modified = self.path.stat().st_mtime

    def _create(self, table: dict[str, T], item: T) -> T | None:
        with self._lock:
            if item.name in table:
                return None
            table[item.name] = item
            return item


def _named(kind: str, name: str) -> str:
    if not name:
        raise ValueError(f"Null or zero length {kind} name specified. The {kind} will be ignored.")
    return name
