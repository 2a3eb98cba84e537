"""The operations of a user database's bean (Tomcat: mbeans/MemoryUserDatabaseMBean.java).

They change what the realms of this node see, at once; ``save`` makes it last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from catalina.attributes import Component
from catalina.mbeans.object_name import ObjectName, quote
from catalina.operations import Impact, operation, readable
from catalina.users.users_file import Group, Role, User

__all__ = ["Entry", "GroupBean", "RoleBean", "UserBean", "UserOperations", "bean_name"]

Entry = TypeVar("Entry", bound=User | Group | Role)

#: Kind of an entry -> the key of its name.
_KEYS = {"User": "username", "Group": "groupname", "Role": "rolename"}


def bean_name(kind: str, name: str, database: str) -> ObjectName:
    """The name of a bean.

    Args:
        kind: ``User``, ``Group`` or ``Role``.
        name: its name.
        database: the name of its database.
    """
    return ObjectName("Users", {"type": kind, _KEYS[kind]: quote(name), "database": database})


class UserOperations(Component):
    """The common part of the databases; each says how it finds and makes entries."""

    #: The file and its use are the configuration's.
    bean_fixed = frozenset(("pathname", "readonly"))

    name: str
    readonly: Any

    @property
    def users(self) -> tuple[User, ...]:
        """All users."""
        raise NotImplementedError

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups."""
        raise NotImplementedError

    @property
    def roles(self) -> tuple[Role, ...]:
        """All roles."""
        raise NotImplementedError

    def create_user(self, name: str, password: str | None, full_name: str | None = None) -> User | None:
        """A new user, None when the name is taken."""
        raise NotImplementedError

    def create_group(self, name: str, description: str | None = None) -> Group | None:
        """A new group, None when the name is taken."""
        raise NotImplementedError

    def create_role(self, name: str, description: str | None = None) -> Role | None:
        """A new role, None when the name is taken."""
        raise NotImplementedError

    def find_user(self, name: str) -> User | None:
        """The user of that name."""
        raise NotImplementedError

    def find_group(self, name: str) -> Group | None:
        """The group of that name."""
        raise NotImplementedError

    def find_role(self, name: str) -> Role | None:
        """The role of that name."""
        raise NotImplementedError

    def remove_user(self, name: str) -> None:
        """Remove a user; a missing one is ignored."""
        raise NotImplementedError

    def remove_group(self, name: str) -> None:
        """Remove a group, also from its users."""
        raise NotImplementedError

    def remove_role(self, name: str) -> None:
        """Remove a role, also from users and groups."""
        raise NotImplementedError

    def change(self, item: Entry) -> Entry:
        """An entry that was found has been changed; returns it."""
        raise NotImplementedError

    def save(self) -> None:
        """Make the changes last, unless the database is read-only."""
        raise NotImplementedError

    # -- the bean ------------------------------------------------------------------------------------------------

    @property
    @readable("users", doc="Names of the users' beans.")
    def user_beans(self) -> list[str]:
        return self._named("User", self.users)

    @property
    @readable("groups", doc="Names of the groups' beans.")
    def group_beans(self) -> list[str]:
        return self._named("Group", self.groups)

    @property
    @readable("roles", doc="Names of the roles' beans.")
    def role_beans(self) -> list[str]:
        return self._named("Role", self.roles)

    def entry_beans(self) -> Iterator[tuple[ObjectName, Component]]:
        """The beans of all entries."""
        for role in self.roles:
            yield bean_name("Role", role.name, self.name), RoleBean(role)
        for group in self.groups:
            yield bean_name("Group", group.name, self.name), GroupBean(self, group)
        for user in self.users:
            yield bean_name("User", user.name, self.name), UserBean(self, user)

    def _named(self, kind: str, entries: Iterable[User | Group | Role]) -> list[str]:
        return [str(bean_name(kind, entry.name, self.name)) for entry in entries]

    def _made(self, kind: str, name: str, entry: User | Group | Role | None) -> str:
        if entry is None:
            raise ValueError(f"The {kind.lower()} [{name}] is there already")
        return str(bean_name(kind, name, self.name))

    def _found(self, kind: str, entry: User | Group | Role | None) -> str | None:
        return None if entry is None else str(bean_name(kind, entry.name, self.name))

    @operation(name="createUser", lasting="user")
    def create_user_by_command(self, username: str, password: str, full_name: str | None) -> str:
        """Make a user without roles; returns the name of the bean."""
        return self._made("User", username, self.create_user(username, password, full_name))

    @operation(name="createGroup", lasting="group")
    def create_group_by_command(self, groupname: str, description: str | None) -> str:
        """Make a group without roles; returns the name of the bean."""
        return self._made("Group", groupname, self.create_group(groupname, description))

    @operation(name="createRole", lasting="role")
    def create_role_by_command(self, rolename: str, description: str | None) -> str:
        """Make a role; returns the name of the bean."""
        return self._made("Role", rolename, self.create_role(rolename, description))

    @operation(name="findUser", impact=Impact.INFO)
    def find_user_by_command(self, username: str) -> str | None:
        """The name of the user's bean, null when there is none."""
        return self._found("User", self.find_user(username))

    @operation(name="findGroup", impact=Impact.INFO)
    def find_group_by_command(self, groupname: str) -> str | None:
        """The name of the group's bean, null when there is none."""
        return self._found("Group", self.find_group(groupname))

    @operation(name="findRole", impact=Impact.INFO)
    def find_role_by_command(self, rolename: str) -> str | None:
        """The name of the role's bean, null when there is none."""
        return self._found("Role", self.find_role(rolename))

    @operation(name="removeUser", lasting="user")
    def remove_user_by_command(self, username: str) -> None:
        """Remove a user, who can then log in no longer."""
        self.remove_user(username)

    @operation(name="removeGroup", lasting="group")
    def remove_group_by_command(self, groupname: str) -> None:
        """Remove a group, also from its users."""
        self.remove_group(groupname)

    @operation(name="removeRole", lasting="role")
    def remove_role_by_command(self, rolename: str) -> None:
        """Remove a role, also from users and groups."""
        self.remove_role(rolename)

    @operation(name="save", once=True)
    def save_by_command(self) -> None:
        """Write the changes to the file or the database.

        Raises:
            PermissionError: the database is configured to be read-only.
        """
        if self.readonly:
            raise PermissionError("User database has been configured to be read only. Changes cannot be saved")
        self.save()


class RoleBean(Component):
    """A role at the time of the look."""

    bean_class = "org.apache.catalina.users.GenericRole"

    def __init__(self, role: Role) -> None:
        super().__init__()
        self.rolename = role.name
        self.description = role.description


class _Holder(Component):
    """Has roles."""

    def __init__(self, database: UserOperations, entry: User | Group) -> None:
        super().__init__()
        self._database = database
        self._roles = tuple(entry.roles)

    def _entry(self) -> User | Group:
        raise NotImplementedError

    @property
    def roles(self) -> list[str]:
        """Names of the roles' beans."""
        return [str(bean_name("Role", name, self._database.name)) for name in sorted(self._roles)]

    @operation(lasting="role")
    def add_role(self, role: str) -> None:
        """Add a role of the database."""
        if self._database.find_role(role) is None:
            raise ValueError(f"Invalid role name [{role}]")
        entry = self._entry()
        if role not in entry.roles:
            entry.roles.append(role)
            self._database.change(entry)

    @operation(lasting="role")
    def remove_role(self, role: str) -> None:
        """Take a role away."""
        if self._database.find_role(role) is None:
            raise ValueError(f"Invalid role name [{role}]")
        self._take_roles([role])

    @operation(lasting="role")
    def remove_roles(self) -> None:
        """Take all roles away."""
        self._take_roles(list(self._entry().roles))

    def _take_roles(self, names: list[str]) -> None:
        entry = self._entry()
        entry.roles[:] = [each for each in entry.roles if each not in names]
        self._database.change(entry)


class GroupBean(_Holder):
    """A group at the time of the look."""

    bean_class = "org.apache.catalina.users.GenericGroup"

    def __init__(self, database: UserOperations, group: Group) -> None:
        super().__init__(database, group)
        self.groupname = group.name
        self.description = group.description

    def _entry(self) -> Group:
        return _there(self._database.find_group(self.groupname), self.groupname)

    @property
    def users(self) -> list[str]:
        """Names of the beans of its users."""
        names = (user.name for user in self._database.users if self.groupname in user.groups)
        return [str(bean_name("User", name, self._database.name)) for name in names]


class UserBean(_Holder):
    """A user at the time of the look."""

    bean_class = "org.apache.catalina.users.GenericUser"

    def __init__(self, database: UserOperations, user: User) -> None:
        super().__init__(database, user)
        self.username = user.name
        self.full_name = user.full_name
        self._groups = tuple(user.groups)

    def _entry(self) -> User:
        return _there(self._database.find_user(self.username), self.username)

    @property
    def groups(self) -> list[str]:
        """Names of the groups' beans."""
        return [str(bean_name("Group", name, self._database.name)) for name in sorted(self._groups)]

    @operation(lasting="group")
    def add_group(self, groupname: str) -> None:
        """Add the user to a group of the database."""
        self._must_be_group(groupname)
        user = self._entry()
        if groupname not in user.groups:
            user.groups.append(groupname)
            self._database.change(user)

    @operation(lasting="group")
    def remove_group(self, groupname: str) -> None:
        """Take the user out of a group."""
        self._must_be_group(groupname)
        self._take_groups([groupname])

    @operation(lasting="group")
    def remove_groups(self) -> None:
        """Take the user out of all groups."""
        self._take_groups(list(self._entry().groups))

    def _must_be_group(self, name: str) -> None:
        if self._database.find_group(name) is None:
            raise ValueError(f"Invalid group name [{name}]")

    def _take_groups(self, names: list[str]) -> None:
        user = self._entry()
        user.groups[:] = [each for each in user.groups if each not in names]
        self._database.change(user)


def _there(entry: Entry | None, name: str) -> Entry:
    if entry is None:
        raise ValueError(f"[{name}] has been removed meanwhile")
    return entry
