"""``type=DataSource``: the connections of a pool, under the names of Tomcat's BasicDataSource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalina.attributes import Component
from catalina.mbeans.secrets import shown
from catalina.operations import operation, readable

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["DataSourceBean", "is_engine"]


def is_engine(made: object) -> bool:
    """True when an object of a resource is an SQLAlchemy engine; the package is not needed for the test."""
    kind = type(made)
    return kind.__name__ == "Engine" and kind.__module__.startswith("sqlalchemy.")


class DataSourceBean(Component):
    """A pool of connections to a database.

    Args:
        engine: SQLAlchemy's.
        initial_size: connections opened at the start.
    """

    bean_class = "org.apache.tomcat.dbcp.dbcp2.BasicDataSource"

    def __init__(self, engine: Engine, initial_size: int = 0) -> None:
        super().__init__()
        self._engine = engine
        self._initial_size = initial_size

    def _count(self, name: str) -> int:
        """A number of the pool; SQLite's own pools do not count."""
        count = getattr(self._engine.pool, name, None)
        return max(0, int(count())) if callable(count) else 0

    @property
    @readable("numActive", doc="Connections that are lent out.")
    def active(self) -> int:
        return self._count("checkedout")

    @property
    @readable("numIdle", doc="Connections that wait in the pool.")
    def idle(self) -> int:
        return self._count("checkedin")

    @property
    @readable("maxTotal", doc="Connections at a time; -1 without a limit.")
    def most(self) -> int:
        overflow = getattr(self._engine.pool, "_max_overflow", 0)
        return -1 if overflow < 0 else self._count("size") + overflow

    @property
    @readable("maxIdle", doc="Connections that are kept.")
    def most_idle(self) -> int:
        return self._count("size")

    @property
    @readable("initialSize", doc="Connections opened at the start.")
    def initial(self) -> int:
        return self._initial_size

    @property
    @readable("url", doc="The URL of the database, without the password.")
    def address(self) -> str:
        return shown("url", self._engine.url.render_as_string(hide_password=True))

    @property
    @readable("username", doc="The user who connects.")
    def user(self) -> str | None:
        name = self._engine.url.username
        return None if name is None else str(name)

    @property
    @readable("driverClassName", doc="The driver.")
    def driver(self) -> str:
        return str(self._engine.driver)

    @operation
    def restart(self) -> None:
        """Close the idle connections; those that are lent out are closed when they come back."""
        self._engine.dispose()
