"""Binds names for the elements Environment, Resource, ResourceLink and Transaction.

Tomcat: core/NamingContextListener.java, naming/factory/ResourceFactory.java.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalina.attributes import Component
from catalina.digester.class_names import ClassBroken, find_class
from catalina.errors import NamingError
from catalina.naming.naming_context import NamingContext, normal_name
from catalina.naming.object_factory import ObjectFactory, ResourceSpec
from catalina.tomcat.util.descriptor.web.context_environment import ContextEnvironment
from catalina.tomcat.util.descriptor.web.context_resource import ContextResource
from catalina.tomcat.util.descriptor.web.context_resource_link import ContextResourceLink
from catalina.tomcat.util.descriptor.web.context_transaction import ContextTransaction

__all__ = ["ResourceBinder", "environment_value"]

log = logging.getLogger("org.apache.catalina.core.NamingContextListener")

_DBCP2 = "org.apache.tomcat.dbcp.dbcp2"
_DBCP = f"{_DBCP2}.BasicDataSourceFactory"
_JDBC_POOL = "org.apache.tomcat.jdbc.pool.DataSourceFactory"
_MAIL = "catalina.naming.mail_session.MailSessionFactory"

#: The factory of a type, when the Resource names none.
TYPE_FACTORIES = {
    "javax.sql.DataSource": _DBCP,
    "javax.sql.XADataSource": _DBCP,
    "jakarta.mail.Session": _MAIL,
    "javax.mail.Session": _MAIL,
    "org.apache.catalina.UserDatabase": "org.apache.catalina.users.MemoryUserDatabaseFactory",
    "org.apache.tomcat.jdbc.pool.DataSource": _JDBC_POOL,
    f"{_DBCP2}.cpdsadapter.DriverAdapterCPDS": f"{_DBCP2}.cpdsadapter.DriverAdapterCPDS",
    f"{_DBCP2}.datasources.PerUserPoolDataSource": f"{_DBCP2}.datasources.PerUserPoolDataSourceFactory",
    f"{_DBCP2}.datasources.SharedPoolDataSource": f"{_DBCP2}.datasources.SharedPoolDataSourceFactory",
}
#: Factories under older names.
OLD_FACTORIES = {
    "org.apache.commons.dbcp.BasicDataSourceFactory": _DBCP,
    "org.apache.commons.dbcp2.BasicDataSourceFactory": _DBCP,
    "org.apache.tomcat.dbcp.dbcp.BasicDataSourceFactory": _DBCP,
    "org.apache.naming.factory.DbcpDataSourceFactory": _DBCP,
    "org.apache.naming.factory.MailSessionFactory": _MAIL,
    "org.apache.commons.dbcp.cpdsadapter.DriverAdapterCPDS": f"{_DBCP2}.cpdsadapter.DriverAdapterCPDS",
    "org.apache.commons.dbcp2.cpdsadapter.DriverAdapterCPDS": f"{_DBCP2}.cpdsadapter.DriverAdapterCPDS",
    **{
        f"{package}.datasources.{kind}DataSourceFactory": f"{_DBCP2}.datasources.{kind}DataSourceFactory"
        for package in ("org.apache.commons.dbcp", "org.apache.commons.dbcp2")
        for kind in ("PerUserPool", "SharedPool")
    },
    "com.zaxxer.hikari.HikariJNDIFactory": "catalina.naming.hikari_factory.HikariFactory",
}
_LINK_WITH_CREDENTIALS = "org.apache.naming.factory.DataSourceLinkFactory"


@dataclass(slots=True)
class ResourceBinder:
    """Binds elements into ``names``.

    Args:
        global_lookup: finds a global resource, for links; None when there are none.
        load: finds a factory by a Python name in the application's own modules; None searches only the container's.
    """

    names: NamingContext
    base: Path = field(default_factory=Path.cwd)
    substitutions: Mapping[str, str] = field(default_factory=dict)
    global_lookup: Callable[[str], Any] | None = None
    load: Callable[[str], Any] | None = None

    def bind(self, entry: Component) -> None:
        """Bind one element; an Environment without a value is not bound, as in Tomcat.

        Raises:
            NamingError: the value of an Environment is not of its type, or an element has no name.
        """
        match entry:
            case ContextTransaction():
                self._bind_resource(ResourceSpec("UserTransaction", "", self._with_factory(entry), place=entry.place))
            case ContextEnvironment() | ContextResourceLink() | ContextResource() if not normal_name(entry.name):
                where = f"{entry.place}: " if entry.place else ""
                raise NamingError(f"{where}<{type(entry).__name__.removeprefix('Context')}> needs the attribute name")
            case ContextEnvironment():
                self._bind_environment(entry)
            case ContextResourceLink():
                self._bind_link(entry)
            case ContextResource():
                self._bind_resource(self._spec(entry), entry.singleton, entry.close_method, entry.lookup_name)

    @staticmethod
    def _with_factory(entry: ContextTransaction) -> dict[str, str]:
        return {**entry.properties, "factory": entry.factory}

    def _spec(self, entry: ContextResource) -> ResourceSpec:
        return ResourceSpec(
            entry.name, entry.type, entry.properties, self.base, self.substitutions, entry.place, self.names.lookup
        )

    def _bind_environment(self, entry: ContextEnvironment) -> None:
        if entry.lookup_name:
            self.names.bind(entry.name, lambda: self.names.lookup(entry.lookup_name))
        elif "value" in entry.given:
            value = environment_value(entry.name, entry.type, entry.value)
            self.names.bind(entry.name, lambda: value)

    def _bind_link(self, entry: ContextResourceLink) -> None:
        def find() -> Any:
            if self.global_lookup is None:
                raise NamingError(f"ResourceLink [{entry.name}]: there are no GlobalNamingResources")
            return self.global_lookup(entry.global_name)

        def find_with_credentials() -> object:
            engine = find()
            from sqlalchemy import create_engine

            return create_engine(engine.url.set(username=entry.username, password=entry.password))

        if entry.factory == _LINK_WITH_CREDENTIALS and entry.username:
            self.names.bind(entry.name, find_with_credentials, close_method="dispose")
        else:
            # The global resources end the object; this name only refers to it.
            self.names.bind(entry.name, find, singleton=False)

    def _bind_resource(
        self, spec: ResourceSpec, singleton: bool = True, close_method: str = "", lookup_name: str = ""
    ) -> None:
        if lookup_name:
            self.names.bind(spec.name, lambda: self.names.lookup(lookup_name), singleton=False)
        else:
            self.names.bind(spec.name, lambda: self._make(spec), singleton, close_method)

    def _make(self, spec: ResourceSpec) -> object:
        name = spec.properties.get("factory") or TYPE_FACTORIES.get(spec.type)
        if not name:
            raise NamingError(f"{spec}: no factory makes a {spec.type or 'resource without type'}; name one (factory=)")
        return self._factory(spec, OLD_FACTORIES.get(name, name)).get_object(spec)

    def _factory(self, spec: ResourceSpec, name: str) -> ObjectFactory:
        """A class with ``get_object``, or any callable, which then gets the properties."""
        try:
            found: Any = find_class(name) if ":" not in name else None
        except ClassBroken:
            found = None  # there is no class of that name: it may be a function
        if found is None:
            found = self._by_python_name(spec, name)
        if isinstance(found, type) and hasattr(found, "get_object"):
            factory: ObjectFactory = found()
            return factory
        if not callable(found):
            raise NamingError(f"{spec}: factory {name!r} cannot be called")
        return _CallableFactory(found)

    def _by_python_name(self, spec: ResourceSpec, name: str) -> object:
        if name.startswith(("org.apache.", "com.", "net.")):
            raise NamingError(f"{spec}: there is no factory {name}")
        try:
            if self.load is not None:
                return self.load(name)
            module, _, attribute = name.replace(":", ".").rpartition(".")
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            raise NamingError(f"{spec}: there is no factory {name}: {error}") from error


class _CallableFactory:
    """Calls a function of the operator with the Resource's properties as keywords."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def get_object(self, spec: ResourceSpec) -> object:
        properties = {name: value for name, value in spec.properties.items() if name != "factory"}
        try:
            made: object = self._function(**properties)
        except BaseException as error:  # foreign code
            raise NamingError(f"{spec}: the factory failed: {error}") from error
        return made


def _character(text: str) -> str:
    if len(text) != 1:
        raise ValueError("expected one character")
    return text


def _integer(bits: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        value = int(text)
        if not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise ValueError(f"does not fit into {bits} bits")
        return value

    return convert


_CONVERTERS: dict[str, Callable[[str], object]] = {
    "java.lang.String": str,
    "java.lang.Boolean": lambda text: text.strip().lower() == "true",
    "java.lang.Byte": _integer(8),
    "java.lang.Short": _integer(16),
    "java.lang.Integer": _integer(32),
    "java.lang.Long": _integer(64),
    "java.lang.Double": float,
    "java.lang.Float": float,
    "java.lang.Character": _character,
}


def environment_value(name: str, java_type: str, text: str) -> object:
    """Text -> str, bool, int or float. Other types (Class, an enumeration) stay text.

    Raises:
        NamingError: the text is no value of that type.
    """
    convert = _CONVERTERS.get(java_type or "java.lang.String", str)
    try:
        return convert(text)
    except ValueError as error:
        raise NamingError(f"Environment entry [{name}]: {text!r} is no {java_type}: {error}") from None
