"""Pools whose callers may sign on as different users (Tomcat: dbcp2/datasources/InstanceKeyDataSource.java)."""

from __future__ import annotations

import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from catalina.errors import NamingError
from catalina.naming.data_source import make_engine
from catalina.naming.object_factory import ResourceSpec
from catalina.naming.pool_settings import PoolDefaults

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.pool import ConnectionPoolEntry

__all__ = ["DataSourceByUser", "make_data_source_by_user"]

#: Users whose pools are kept; the one that was used least lately is closed for another.
MAX_USERS = 100

_POOL = PoolDefaults(max_total=8, max_idle=8, max_wait_ms=-1, initial_size=0, test_on_borrow=False)
#: Attribute of these pools -> that of a plain one.
_NAMES = {
    "defaultMaxTotal": "maxTotal",
    "defaultMaxActive": "maxTotal",
    "defaultMaxIdle": "maxIdle",
    "defaultMinIdle": "minIdle",
    "defaultMaxWaitMillis": "maxWaitMillis",
    "defaultMaxWait": "maxWaitMillis",
    "defaultTestOnBorrow": "testOnBorrow",
    "defaultLifo": "lifo",
}


@dataclass(slots=True)
class _Pool:
    password: str
    engine: Engine


class DataSourceByUser:
    """A pool for each user. Any thread.

    Args:
        make: makes the engine of a user; None stands for the user that the data source names.
    """

    def __init__(self, make: Callable[[str | None, str | None], Engine]) -> None:
        self._make = make
        self._pools: OrderedDict[str | None, _Pool] = OrderedDict()
        self._lock = threading.Lock()

    def engine(self, username: str | None = None, password: str | None = None) -> Engine:
        """The pool of a user. A user whose password has changed gets a new pool; the old password is then refused.

        Raises:
            SQLAlchemyError: the database refuses a password other than the one that the pool was made with.
            NamingError: the engine cannot be made.
        """
        with self._lock:
            known = self._pools.get(username)
            if known is not None and hmac.compare_digest(known.password.encode(), (password or "").encode()):
                self._pools.move_to_end(username)
                return known.engine
        made = self._make(username, password)
        if known is not None:
            try:
                made.connect().close()  # the database decides whether the new password is right
            except Exception:
                made.dispose()
                raise
        with self._lock:
            old = [self._pools.pop(username, None)]
            self._pools[username] = _Pool(password or "", made)
            if len(self._pools) > MAX_USERS:
                old.append(self._pools.popitem(last=False)[1])
        for pool in old:
            if pool is not None:
                pool.engine.dispose()
        return made

    def connect(self, username: str | None = None, password: str | None = None) -> Connection:
        """A connection of a user, of the pool's own user when none is named."""
        return self.engine(username, password).connect()

    def begin(self, username: str | None = None, password: str | None = None) -> AbstractContextManager[Connection]:
        """A transaction of a user: committed at the end of the block, rolled back when it raises."""
        return self.engine(username, password).begin()

    def dispose(self) -> None:
        """Close all pools."""
        with self._lock:
            pools, self._pools = list(self._pools.values()), OrderedDict()
        for pool in pools:
            pool.engine.dispose()


class _SharedLimit:
    """Limits the connections in use of all users together."""

    def __init__(self, total: int, wait_ms: int) -> None:
        self._permits = threading.Semaphore(total)
        self._wait_s = wait_ms / 1000 if wait_ms >= 0 else None
        self._text = f"all {total} connections are in use"

    def watch(self, engine: Engine) -> None:
        from sqlalchemy import event

        event.listen(engine, "checkout", self._on_checkout)
        event.listen(engine, "checkin", self._on_checkin)

    def _on_checkout(self, _connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        from sqlalchemy.exc import TimeoutError as PoolTimeoutError

        if not self._permits.acquire(timeout=self._wait_s):
            raise PoolTimeoutError(f"{self._text}, none was given back within {self._wait_s} s")
        record.info[_SharedLimit] = True

    def _on_checkin(self, _connection: object, record: ConnectionPoolEntry) -> None:
        if record.info.pop(_SharedLimit, False):
            self._permits.release()


def make_data_source_by_user(spec: ResourceSpec, shared: bool = False) -> DataSourceByUser:
    """Make it of a Resource whose ``dataSourceName`` says where connections come from, or with a ``url`` of its own.

    Args:
        shared: ``maxTotal`` is that of all users together.

    Raises:
        NamingError: neither is there, the other name is not bound or no source of connections, or a number is none.
    """
    properties = {_NAMES.get(name, name): value for name, value in spec.properties.items()}
    written = {_NAMES[name]: name for name in spec.properties if name in _NAMES}
    properties |= _source(spec, properties.pop("dataSourceName", ""))
    if not properties.get("url"):
        raise NamingError(f"{spec}: needs the attribute dataSourceName, the name of a DriverAdapterCPDS")

    limit = _limit(spec, properties) if shared else None

    def make(username: str | None, password: str | None) -> Engine:
        own = {"username": username, "password": password or ""} if username is not None else {}
        engine = make_engine(replace(spec, properties={**properties, **own}, written=written), _POOL)
        if limit is not None:
            limit.watch(engine)
        return engine

    made = DataSourceByUser(make)
    made.engine()  # faults show now, not with the first user
    return made


def _limit(spec: ResourceSpec, properties: dict[str, str]) -> _SharedLimit | None:
    try:
        total = int(properties.get("maxTotal", _POOL.max_total))
        wait_ms = int(properties.get("maxWaitMillis", _POOL.max_wait_ms))
    except ValueError as error:
        raise NamingError(f"{spec}: maxTotal and maxWaitMillis are whole numbers: {error}") from None
    return _SharedLimit(total, wait_ms) if total > 0 else None


def _source(spec: ResourceSpec, name: str) -> dict[str, str]:
    if not name:
        return {}
    if spec.lookup is None:
        raise NamingError(f"{spec}: dataSourceName [{name}] cannot be looked up here")
    source: Any = spec.lookup(name)
    url = getattr(source, "url", None)
    if not url:
        raise NamingError(f"{spec}: dataSourceName [{name}] is a {type(source).__name__}, expected a DriverAdapterCPDS")
    if isinstance(url, str):
        return {"url": url, "username": source.username, "password": source.password}
    return {"url": url.render_as_string(hide_password=False)}  # an engine: its URL has user and password
