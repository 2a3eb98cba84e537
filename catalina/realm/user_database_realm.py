"""Users of a UserDatabase resource, such as tomcat-users.xml (Tomcat: realm/UserDatabaseRealm.java)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from catalina.attributes import Attribute
from catalina.errors import CatalinaError, LifecycleError, NamingError
from catalina.realm.generic_principal import GenericPrincipal
from catalina.realm.realm_base import RealmBase
from catalina.session.session import Principal

if TYPE_CHECKING:
    from catalina.users.users_file import User

__all__ = ["UserDatabase", "UserDatabasePrincipal", "UserDatabaseRealm"]


@runtime_checkable
class UserDatabase(Protocol):
    """The part of a user database that the realm needs; ``MemoryUserDatabase`` is one."""

    def find_user(self, name: str) -> User | None: ...

    def roles_of(self, name: str) -> tuple[str, ...]: ...

    def background_process(self) -> None: ...


class UserDatabasePrincipal:
    """A user with the present roles in the database: a role that is removed there is lost here at once."""

    user_principal: object | None = None

    def __init__(self, name: str, database: UserDatabase, attributes: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.database = database
        self.attributes: Mapping[str, Any] = attributes or {}

    @property
    def roles(self) -> tuple[str, ...]:
        """The present roles, sorted."""
        return self.database.roles_of(self.name)

    def has_role(self, role: str) -> bool:
        """True when the user has the role now; everybody has the role ``*``."""
        return role == "*" or role in self.roles

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UserDatabasePrincipal) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return f"UserDatabasePrincipal[{self.name}({','.join(self.roles)})]"


class UserDatabaseRealm(RealmBase):
    """Looks up users in a UserDatabase of GlobalNamingResources, or of the application."""

    resource_name = Attribute(str, "UserDatabase", doc="Name of the user database resource.")
    local_jndi_resource = Attribute(bool, False, doc="Take it from the application's own resources.")
    use_static_principal = Attribute(
        bool, False, doc="A principal keeps the roles it had at the login, whatever changes in the database."
    )

    _database: UserDatabase | None = None

    def _start(self) -> None:
        super()._start()
        if not self.local_jndi_resource and self._find_database() is None:
            raise LifecycleError(f"{self}: No UserDatabase component found under key [{self.resource_name}]")

    def _stop(self) -> None:
        self._database = None

    def _find_database(self) -> UserDatabase | None:
        """The database. The application's own is looked up at the first login."""
        if self._database is None:
            try:
                self._database = self._lookup()
            except CatalinaError:
                self.logger.exception("Exception looking up UserDatabase under key [%s]", self.resource_name)
        return self._database

    def _lookup(self) -> UserDatabase | None:
        if self.local_jndi_resource:
            lookup = None if self.container is None else self.container.lookup
        else:
            resources = None if self.server is None else self.server.global_naming_resources
            lookup = None if resources is None else resources.lookup
        found = None if lookup is None else lookup(self.resource_name)
        if found is not None and not isinstance(found, UserDatabase):
            raise NamingError(f"[{self.resource_name}] is a {type(found).__name__}, expected a UserDatabase")
        return found

    @property
    def is_available(self) -> bool:
        """True when the database was found."""
        return self._database is not None

    def background_process(self) -> None:
        """Let the database check its file."""
        database = self._database
        if database is not None:
            database.background_process()

    def get_password(self, username: str) -> str | None:
        """The password in the database."""
        database = self._find_database()
        user = None if database is None else database.find_user(username)
        return None if user is None else user.password

    def get_principal(self, username: str) -> Principal | None:
        """The user, with roles that follow the database unless ``useStaticPrincipal``."""
        database = self._find_database()
        user = None if database is None else database.find_user(username)
        if database is None or user is None:
            return None
        attributes = self.attributes_of({"fullName": user.full_name})
        if self.use_static_principal:
            return GenericPrincipal(username, database.roles_of(username), attributes=attributes)
        return UserDatabasePrincipal(username, database, attributes)
