"""Users in a database (Tomcat: realm/DataSourceRealm.java; realm/JDBCRealm.java of Tomcat 9 and before)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.errors import LifecycleError, NamingError
from catalina.extras import missing_package
from catalina.naming.data_source import make_engine
from catalina.naming.object_factory import ResourceSpec
from catalina.naming.pool_settings import DBCP2
from catalina.naming.sql_identifier import is_sql_identifier
from catalina.realm.generic_principal import GenericPrincipal
from catalina.realm.realm_base import RealmBase
from catalina.session.session import Principal
from catalina.util.jdbc_url import driver_packages

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Row, TextClause

__all__ = ["DataSourceRealm"]


class DataSourceRealm(RealmBase):
    """Reads two tables: users with their credentials, and the users' roles.

    The database is a DataSource resource. ``connectionURL`` and related attributes, which JDBCRealm had, make one that
    belongs to the realm.
    """

    packages = ("sqlalchemy",)

    data_source_name = Attribute(str, "", doc="Name of the DataSource resource.")
    local_data_source = Attribute(bool, False, doc="Take it from the application's own resources.")
    user_table = Attribute(str, "", doc="Table of users.")
    user_name_col = Attribute(str, "", doc="Column of the user's name, in both tables.")
    user_cred_col = Attribute(str, "", doc="Column of the credentials, as the CredentialHandler stores them.")
    user_role_table = Attribute(str, "", doc="Table of roles.")
    role_name_col = Attribute(str, "", doc="Column of the role's name.")
    connection_url = Attribute(str, "", xml="connectionURL", doc="JDBCRealm: the database, without a DataSource.")
    connection_name = Attribute(str, "", doc="JDBCRealm: database user.")
    connection_password = Attribute(str, "", doc="JDBCRealm: its password.")
    driver_name = Attribute(str, "", doc="JDBCRealm: a Java class.", inert="the URL says which driver")

    def needed_packages(self) -> tuple[str, ...]:
        """SQLAlchemy, and the driver of connectionURL."""
        return (*self.packages, *driver_packages(self.connection_url))

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._credentials: TextClause | None = None
        self._roles: TextClause | None = None
        self._facts: TextClause | None = None
        self._own_engine: Engine | None = None
        self._reached = True

    def _start(self) -> None:
        for name, value in (
            ("userTable", self.user_table),
            ("userNameCol", self.user_name_col),
            ("userCredCol", self.user_cred_col),
        ):
            if not value:
                raise LifecycleError(f"{self}: {name} is missing")
        if bool(self.user_role_table) != bool(self.role_name_col):
            raise LifecycleError(
                f"{self}: Role configuration is incomplete: both userRoleTable and roleNameCol must be specified"
                " together"
            )
        self._check_names()
        super()._start()
        # As in Tomcat, a missing part keeps everybody out, but the server serves pages that need no login.
        try:
            self._prepare()
            if self.connection_url:
                self._own_engine = self._make_engine()
        except NamingError as error:
            self._reached = False
            self.logger.error("%s: nobody can log in: %s", self, error)

    def _stop(self) -> None:
        if self._own_engine is not None:
            self._own_engine.dispose()
            self._own_engine = None

    def _check_names(self) -> None:
        names = (self.user_table, self.user_name_col, self.user_cred_col, self.user_role_table, self.role_name_col)
        facts = () if "*" in self.user_attributes else self.user_attributes
        for name in (*names, *facts):
            if name and not is_sql_identifier(name):
                raise LifecycleError(f"{self}: {name!r} is no name of a table or column")

    def _prepare(self) -> None:
        try:
            from sqlalchemy import text
        except ImportError as error:
            raise NamingError(missing_package("sqlalchemy") or str(error)) from error
        where = f"WHERE {self.user_name_col} = :username"
        self._credentials = text(f"SELECT {self.user_cred_col} FROM {self.user_table} {where}")  # noqa: S608 - names only
        if self.user_attributes:
            columns = "*" if "*" in self.user_attributes else ", ".join(self.user_attributes)
            self._facts = text(f"SELECT {columns} FROM {self.user_table} {where}")  # noqa: S608
        if self.user_role_table:
            self._roles = text(f"SELECT {self.role_name_col} FROM {self.user_role_table} {where}")  # noqa: S608

    def _make_engine(self) -> Engine:
        properties = {
            "url": self.connection_url,
            "username": self.connection_name,
            "password": self.connection_password,
        }
        return make_engine(ResourceSpec(str(self), "", properties, place=self.place), DBCP2)

    @property
    def is_available(self) -> bool:
        """True when the last login reached the database."""
        return self._reached

    # -- logins ---------------------------------------------------------------------------------------------------

    def authenticate(self, username: str | None, credentials: str | None) -> Principal | None:
        """Use one connection for password and roles."""
        if username is None or credentials is None:
            return None
        with self._connection() as connection:
            if connection is None:
                return None
            stored = self._password(connection, username)
            if stored is None:
                self._handler.mutate(credentials)  # as much work as for an existing user
                return None
            if not self._handler.matches(credentials, stored):
                return None
            return self._principal(connection, username)

    def get_password(self, username: str) -> str | None:
        """The password from the table, without surrounding blanks."""
        with self._connection() as connection:
            return None if connection is None else self._password(connection, username)

    def get_principal(self, username: str) -> Principal | None:
        """The user with his roles, None when the table does not have him."""
        with self._connection() as connection:
            if connection is None or self._row(connection, username) is None:
                return None
            return self._principal(connection, username)

    def _principal(self, connection: Connection, username: str) -> GenericPrincipal:
        roles = self._roles_of(connection, username)
        return GenericPrincipal(username, roles, attributes=self._attributes_of(connection, username))

    @contextmanager
    def _connection(self) -> Iterator[Connection | None]:
        """A connection; None when the database cannot be reached, which is logged and makes the login fail."""
        if self._credentials is None:  # the start has logged the reason
            yield None
            return
        from sqlalchemy.exc import SQLAlchemyError

        try:
            connection = self._engine().connect()
        except (SQLAlchemyError, NamingError):
            self._reached = False
            self.logger.exception("Exception performing authentication")
            yield None
            return
        self._reached = True
        with connection:
            yield connection

    def _engine(self) -> Engine:
        if self.connection_url and self._own_engine is None:
            self._own_engine = self._make_engine()
        if self._own_engine is not None:
            return self._own_engine
        if self.local_data_source:
            lookup = None if self.container is None else self.container.lookup
        else:
            resources = None if self.server is None else self.server.global_naming_resources
            lookup = None if resources is None else resources.lookup
        if lookup is None:
            raise NamingError("Cannot access the server to retrieve the naming context")
        engine = lookup(self.data_source_name)
        if not hasattr(engine, "connect"):
            raise NamingError(f"[{self.data_source_name}] is a {type(engine).__name__}, expected a DataSource")
        return engine  # type: ignore[return-value]  # or another kind of DataSource

    def _row(self, connection: Connection, username: str) -> Row[Any] | None:
        from sqlalchemy.exc import SQLAlchemyError

        if self._credentials is None:
            return None
        try:
            return connection.execute(self._credentials, {"username": username}).first()
        except SQLAlchemyError:
            self.logger.exception("Exception retrieving password for [%s]", username)
            return None

    def _password(self, connection: Connection, username: str) -> str | None:
        row = self._row(connection, username)
        return None if row is None or row[0] is None else str(row[0]).strip()

    def _roles_of(self, connection: Connection, username: str) -> tuple[str, ...]:
        """The user's roles; none when they cannot be read, so that he gets no page that needs one."""
        from sqlalchemy.exc import SQLAlchemyError

        if self._roles is None:
            return ()
        try:
            rows = connection.execute(self._roles, {"username": username}).all()
        except SQLAlchemyError:
            self.logger.exception("Exception retrieving roles for [%s]", username)
            return ()
        return tuple(str(row[0]).strip() for row in rows if row[0] is not None)

    def _attributes_of(self, connection: Connection, username: str) -> dict[str, Any]:
        """The columns that ``userAttributes`` names; none when they cannot be read."""
        from sqlalchemy.exc import SQLAlchemyError

        if self._facts is None:
            return {}
        try:
            row = connection.execute(self._facts, {"username": username}).first()
        except SQLAlchemyError:
            self.logger.exception("Exception retrieving user attributes [%s] for [%s]", self.user_attributes, username)
            return {}
        if row is None:
            return {}
        names = row._fields if "*" in self.user_attributes else self.user_attributes
        return self.attributes_of(dict(zip(names, row, strict=True)), self.user_cred_col)
