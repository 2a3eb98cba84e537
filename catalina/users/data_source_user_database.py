"""Users, groups and roles in tables of a DataSource (Tomcat: users/DataSourceUserDatabase.java)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.errors import ConfigurationError
from catalina.extras import missing_package
from catalina.naming.sql_identifier import is_sql_identifier
from catalina.users.user_operations import Entry, UserOperations
from catalina.users.users_file import Group, Role, User

if TYPE_CHECKING:
    from sqlalchemy import Connection, CursorResult, Engine

__all__ = ["DataSourceUserDatabase"]

log = logging.getLogger("org.apache.catalina.users.DataSourceUserDatabase")


class DataSourceUserDatabase(UserOperations):
    """Reads the tables on every call, so that a change in a table counts from the next request on. Any thread.

    Objects that the methods make or change are kept until :meth:`save` writes them.
    """

    data_source_name = Attribute(str, "", doc="Name of the DataSource resource.")
    readonly = Attribute(bool, True, doc="False lets save() write changes that were made at run time.")
    user_table = Attribute(str, "", doc="Table of users.")
    user_name_col = Attribute(str, "", doc="Column of the user's name, in every table that has one.")
    user_cred_col = Attribute(str, "", doc="Column of the credentials, as the CredentialHandler stores them.")
    user_full_name_col = Attribute(str, "", doc="Column of the user's full name; there need not be one.")
    user_role_table = Attribute(str, "", doc="Table of the users' roles.")
    role_name_col = Attribute(str, "", doc="Column of the role's name, in every table that has one.")
    user_group_table = Attribute(str, "", doc="Table of the users' groups.")
    group_name_col = Attribute(str, "", doc="Column of the group's name, in every table that has one.")
    group_role_table = Attribute(str, "", doc="Table of the groups' roles.")
    group_table = Attribute(str, "", doc="Table of groups; without it a group is what a user is in.")
    role_table = Attribute(str, "", doc="Table of roles; without it a role is what somebody has.")
    role_and_group_description_col = Attribute(str, "", doc="Column of the description of roles and groups.")

    def __init__(self, engine: Engine | None = None, name: str = "", **values: Any) -> None:
        super().__init__(**values)
        self.name = name
        self._engine = engine
        self._lock = threading.RLock()
        self._changed: dict[tuple[type, str], User | Group | Role | None] = {}
        #: True when the last question reached the database.
        self.is_available = True

    def __str__(self) -> str:
        return f"DataSourceUserDatabase[id={self.name},dataSourceName={self.data_source_name}]"

    def open(self) -> None:
        """Check the names in the statements; the database itself is asked only for the first user.

        Raises:
            ConfigurationError: a name is missing or invalid, or SQLAlchemy is not installed.
        """
        lacking = missing_package("sqlalchemy")
        if lacking:
            raise ConfigurationError(lacking)
        for needed in ("user_table", "user_name_col", "user_cred_col"):
            if not getattr(self, needed):
                raise ConfigurationError(f"{self.declared[needed].xml} is missing")
        for name, declaration in self.declared.items():
            value = getattr(self, name)
            is_name = name.endswith(("_table", "_col"))
            if is_name and value and not is_sql_identifier(value):
                raise ConfigurationError(f"{declaration.xml}={value!r} is no name of a table or column")

    def close(self) -> None:
        """Forget unsaved changes."""
        self._changed.clear()

    def background_process(self) -> None:
        """Nothing to do: the tables are read on every call."""

    # -- reading ------------------------------------------------------------------------------------------------------

    def find_user(self, name: str) -> User | None:
        """The user with that name, with his groups and roles; None also when the database cannot be reached
        (logged).
        """
        with self._lock:
            if (User, name) in self._changed:
                return self._changed[User, name]  # type: ignore[return-value]  # the key says which kind it is
        columns = [self.user_cred_col, *([self.user_full_name_col] if self.user_full_name_col else [])]
        rows = self._ask(self.user_table, columns, self.user_name_col, name)
        if not rows:
            return None
        password = None if rows[0][0] is None else str(rows[0][0]).strip()
        full_name = rows[0][1] if self.user_full_name_col else None
        groups = self._list(self.user_group_table, self.group_name_col, self.user_name_col, name)
        roles = self._list(self.user_role_table, self.role_name_col, self.user_name_col, name)
        return User(name, password, full_name, groups, roles)

    def find_group(self, name: str) -> Group | None:
        """The group with that name and its roles; an undeclared group exists while users are in it."""
        with self._lock:
            if (Group, name) in self._changed:
                return self._changed[Group, name]  # type: ignore[return-value]  # as above
        description, there = self._declared(self.group_table or self.user_group_table, self.group_name_col, name,
                                            bool(self.group_table))  # fmt: skip
        if not there:
            return None
        return Group(
            name, description, self._list(self.group_role_table, self.role_name_col, self.group_name_col, name)
        )

    def find_role(self, name: str) -> Role | None:
        """The role of that name."""
        with self._lock:
            if (Role, name) in self._changed:
                return self._changed[Role, name]  # type: ignore[return-value]  # as above
        description, there = self._declared(self.role_table or self.user_role_table, self.role_name_col, name,
                                            bool(self.role_table))  # fmt: skip
        return Role(name, description) if there else None

    def roles_of(self, name: str) -> tuple[str, ...]:
        """The present roles of a user, his own and those of his groups, sorted; none for a removed user."""
        user = self.find_user(name)
        if user is None:
            return ()
        roles = set(user.roles)
        for group in user.groups:
            found = self.find_group(group)
            roles.update(found.roles if found is not None else ())
        return tuple(sorted(roles))

    @property
    def users(self) -> tuple[User, ...]:
        """All users."""
        names = self._all_names(User, self.user_table, self.user_name_col)
        return tuple(user for name in names if (user := self.find_user(name)) is not None)

    @property
    def groups(self) -> tuple[Group, ...]:
        """All groups."""
        names = self._all_names(Group, self.group_table or self.user_group_table, self.group_name_col)
        return tuple(group for name in names if (group := self.find_group(name)) is not None)

    @property
    def roles(self) -> tuple[Role, ...]:
        """All roles."""
        names = self._all_names(Role, self.role_table or self.user_role_table, self.role_name_col)
        return tuple(role for name in names if (role := self.find_role(name)) is not None)

    # -- changes ------------------------------------------------------------------------------------------------------

    def create_user(self, name: str, password: str | None, full_name: str | None = None) -> User | None:
        """A new user, None when the name is taken."""
        return None if self.find_user(name) else self.change(User(name, password, full_name))

    def create_group(self, name: str, description: str | None = None) -> Group | None:
        """A new group, None when the name is taken."""
        return None if self.find_group(name) else self.change(Group(name, description))

    def create_role(self, name: str, description: str | None = None) -> Role | None:
        """A new role, None when the name is taken."""
        return None if self.find_role(name) else self.change(Role(name, description))

    def change(self, item: Entry) -> Entry:
        """Mark a User, Group or Role as new or changed; returns it."""
        if not item.name:
            raise ValueError(f"a {type(item).__name__.lower()} needs a name")
        with self._lock:
            self._changed[type(item), item.name] = item
        return item

    def remove_user(self, name: str) -> None:
        """Remove a user; a missing one is ignored."""
        self._remove(User, name)

    def remove_group(self, name: str) -> None:
        """Remove a group, also from its users."""
        self._remove(Group, name)

    def remove_role(self, name: str) -> None:
        """Remove a role, also from users and groups."""
        self._remove(Role, name)

    def _remove(self, kind: type, name: str) -> None:
        with self._lock:
            self._changed[kind, name] = None

    def save(self) -> None:
        """Write all changes, or none of them, unless the database is read-only.

        Raises:
            SQLAlchemyError: the database refuses the changes, which are kept.
        """
        if self.readonly:
            log.error("User database has been configured to be read only. Changes cannot be saved")
            return
        with self._lock, self._connect().begin() as connection:
            for (kind, name), item in self._changed.items():
                self._forget(connection, kind, name)
                if item is not None:
                    self._write(connection, item)
        self._changed.clear()

    def _forget(self, connection: Connection, kind: type, name: str) -> None:
        column = {User: self.user_name_col, Group: self.group_name_col, Role: self.role_name_col}[kind]
        own = {
            User: (self.user_table, self.user_role_table, self.user_group_table),
            Group: (self.group_table, self.group_role_table),
            Role: (self.role_table,),
        }[kind]
        # A removed group or role is taken from everybody, a changed one is not.
        held = {User: (), Group: (self.user_group_table,), Role: (self.user_role_table, self.group_role_table)}[kind]
        gone = self._changed[kind, name] is None
        for table in (*(held if gone else ()), *reversed(own)):
            if table and column:
                self._run(connection, f"DELETE FROM {table} WHERE {column} = :name", name=name)  # noqa: S608 - names only

    def _write(self, connection: Connection, item: User | Group | Role) -> None:
        description = self.role_and_group_description_col
        if isinstance(item, User):
            row = {self.user_name_col: item.name, self.user_cred_col: item.password}
            if self.user_full_name_col:
                row[self.user_full_name_col] = item.full_name
            self._insert(connection, self.user_table, row)
            self._insert_pairs(connection, self.user_role_table, self.user_name_col, item.name,
                               self.role_name_col, item.roles)  # fmt: skip
            self._insert_pairs(connection, self.user_group_table, self.user_name_col, item.name,
                               self.group_name_col, item.groups)  # fmt: skip
            return
        is_group = isinstance(item, Group)
        table, column = (self.group_table, self.group_name_col) if is_group else (self.role_table, self.role_name_col)
        if table:
            self._insert(
                connection, table, {column: item.name, **({description: item.description} if description else {})}
            )
        if isinstance(item, Group):
            self._insert_pairs(connection, self.group_role_table, self.group_name_col, item.name,
                               self.role_name_col, item.roles)  # fmt: skip

    def _insert_pairs(
        self, connection: Connection, table: str, owner: str, name: str, column: str, values: Iterable[str]
    ) -> None:
        for value in values:
            if table and column:
                self._insert(connection, table, {owner: name, column: value})

    def _insert(self, connection: Connection, table: str, row: dict[str, str | None]) -> None:
        marks = ", ".join(f":v{number}" for number in range(len(row)))
        statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - names only
        self._run(connection, statement, **{f"v{number}": value for number, value in enumerate(row.values())})

    # -- statements ---------------------------------------------------------------------------------------------------

    def _connect(self) -> Engine:
        if self._engine is None:
            raise ConfigurationError(f"{self}: there is no DataSource")
        return self._engine

    @staticmethod
    def _run(connection: Connection, statement: str, **parameters: Any) -> CursorResult[Any]:
        from sqlalchemy import text

        return connection.execute(text(statement), parameters)

    def _ask(self, table: str, columns: list[str], where: str = "", name: str = "") -> list[Any]:
        """The rows; none when the database cannot be reached, which is logged, so that nobody logs in."""
        from sqlalchemy.exc import SQLAlchemyError

        condition = f" WHERE {where} = :name" if where else ""
        statement = f"SELECT {', '.join(columns)} FROM {table}{condition}"  # noqa: S608 - names only
        try:
            with self._connect().connect() as connection:
                rows = list(self._run(connection, statement, **({"name": name} if where else {})))
        except SQLAlchemyError:
            self.is_available = False
            log.exception("%s: the table [%s] cannot be read", self, table)
            return []
        self.is_available = True
        return rows

    def _list(self, table: str, column: str, where: str, name: str) -> list[str]:
        if not table or not column or not where:
            return []
        return [str(row[0]).strip() for row in self._ask(table, [column], where, name) if row[0] is not None]

    def _declared(self, table: str, column: str, name: str, has_description: bool) -> tuple[str | None, bool]:
        if not table or not column:
            return None, False
        described = self.role_and_group_description_col if has_description else ""
        rows = self._ask(table, [described or column], column, name)
        return (rows[0][0] if described else None, True) if rows else (None, False)

    def _all_names(self, kind: type, table: str, column: str) -> list[str]:
        found = {str(row[0]).strip() for row in self._ask(table, [column])} if table and column else set()
        with self._lock:
            found |= {name for changed, name in self._changed if changed is kind}
        return sorted(found)
