"""The content of an application's descriptor: servlets, filters, pages, types, roles (Tomcat: StandardContext.java).

ContextConfig sets it when the application starts, and :meth:`ContextDescription.forget_descriptor` clears it when the
application stops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catalina.core.context_attributes import ContextAttributes
from catalina.core.context_naming import ContextNaming
from catalina.core.standard_wrapper import StandardWrapper
from catalina.descriptor.elements import (
    FilterDef,
    FilterMap,
    LoginConfig,
    SecurityConstraint,
    ServletDef,
    SessionConfig,
)
from catalina.errors import DeploymentError
from catalina.mapper.servlet_map import ServletMap
from catalina.util.error_pages import ErrorPages
from catalina.util.session_cookie_config import SessionCookieConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from catalina.connector.carried import Context
    from catalina.valves.valve_base import ValveBase
    from catalina.webresources.standard_root import StandardRoot

__all__ = ["ContextDescription"]


class ContextDescription(ContextAttributes):
    """The part of a context that web.xml describes, and the search for servlets in it."""

    resources: StandardRoot

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.naming = ContextNaming()
        self.naming.container = self
        #: The authenticator for the descriptor's login-config.
        self.configured_authenticator: ValveBase | None = None
        self.forget_descriptor()

    def forget_descriptor(self) -> None:
        """Return to the state before web.xml was read; ContextConfig calls this when the application stops."""
        for wrapper in self.children:
            self.remove_child(wrapper)
        if self.configured_authenticator is not None:
            self.pipeline.remove_valve(self.configured_authenticator)
            self.configured_authenticator = None
        self.naming.forget_descriptor()
        self.display_name = ""
        self.distributable = False
        self.deny_uncovered_http_methods = False
        self.parameters: dict[str, str] = {}
        self.servlet_mappings: dict[str, str] = {}
        self.filter_definitions: dict[str, FilterDef] = {}
        self.filter_mappings: list[FilterMap] = []
        self.listener_names: list[str] = []
        self.mime_mappings: dict[str, str] = {}
        self.welcome_files: list[str] = []
        self.error_pages = ErrorPages()
        self.locale_encodings: dict[str, str] = {}
        self.request_character_encoding: str | None = None
        self.response_character_encoding: str | None = None
        self.constraints: list[SecurityConstraint] = []
        self.login_config: LoginConfig | None = None
        self.security_roles: list[str] = []
        #: Role of web.xml -> role of the realm, set by PropertiesRoleMappingListener.
        self.role_mappings: dict[str, str] = {}
        self.session_config = SessionConfig()
        self.session_cookie = SessionCookieConfig.of(self, self.session_config)
        self.servlet_map = self._map_servlets((), ())

    @property
    def wrappers(self) -> dict[str, StandardWrapper]:
        """Servlets by name."""
        return self._children  # type: ignore[return-value]  # the children of a context are wrappers

    @property
    def resource_only_names(self) -> frozenset[str]:
        """Servlets that a welcome file reaches only if the file exists."""
        return frozenset(name.strip() for name in self.resource_only_servlets.split(",") if name.strip())

    def find_mime_type(self, file_name: str) -> str | None:
        """The type of a file by its extension, None for an unknown one."""
        _, dot, extension = file_name.rpartition(".")
        if not dot:
            return None
        return self.mime_mappings.get(extension) or self.mime_mappings.get(extension.lower())

    def add_servlet(self, definition: ServletDef) -> StandardWrapper:
        """Add a servlet; a definition with the same name must have been removed before. Raises LifecycleError."""
        wrapper = StandardWrapper(definition)
        self.add_child(wrapper)
        return wrapper

    def add_servlet_mapping(self, pattern: str, name: str) -> None:
        """Map a url-pattern; in a running application this takes effect at once.

        Raises:
            DeploymentError: there is no such servlet.
        """
        if name not in self.wrappers:
            raise DeploymentError(f"Servlet mapping specifies an unknown servlet name [{name}]")
        self.servlet_mappings[pattern] = name
        if self.state.available:
            self._make_servlet_map()
            self.fire_container_event("mappings")

    def _make_servlet_map(self) -> None:
        mappings = [(pattern, self.wrappers[name]) for pattern, name in self.servlet_mappings.items()]
        self.servlet_map = self._map_servlets(mappings, self.welcome_files)

    def _map_servlets(
        self, mappings: Iterable[tuple[str, StandardWrapper]], welcome_files: Iterable[str]
    ) -> ServletMap:
        context: Context = self  # type: ignore[assignment]  # a StandardContext, the only subclass, is one
        return ServletMap(context, mappings, welcome_files, self.resource_only_names)
