"""An application's view of its context: ``environ["catalina.context"]`` (Tomcat: core/ApplicationContext.java)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from catalina.core.application_dispatcher import ApplicationDispatcher
from catalina.node_state import NodeState, node_state
from catalina.util.server_info import SERVER_INFO

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.webresources.resource import Resource

__all__ = ["ApplicationContext", "ContextAttributes"]

_State = TypeVar("_State", bound=NodeState)


class ContextAttributes(MutableMapping[str, Any]):
    """Attributes of the application, shared by all its requests; listeners are told of changes."""

    def __init__(self, context: StandardContext) -> None:
        self._context = context
        self._values: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: object) -> None:
        replaced = name in self._values
        old = self._values.get(name)
        self._values[name] = value
        self._context.listener_table.attribute_changed(
            "replaced" if replaced else "added", name, old if replaced else value
        )

    def __delitem__(self, name: str) -> None:
        value = self._values.pop(name)
        self._context.listener_table.attribute_changed("removed", name, value)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._values))

    def __len__(self) -> int:
        return len(self._values)


class ApplicationContext:
    """Init parameters, attributes, resources, names and log of one application.

    ``attributes`` may be another mapping, such as that of a replicated context, which shares it with the other nodes.
    """

    def __init__(self, context: StandardContext) -> None:
        self._context = context
        self._asked: dict[str, int] = {}
        self.attributes: MutableMapping[str, Any] = ContextAttributes(context)

    def __repr__(self) -> str:
        return f"<ApplicationContext {self._context.name or '/'}>"

    def node_state(self, kind: type[_State], name: str) -> _State | None:
        """State that the processes of the node share, None in a node of one; see :func:`node_state`.

        Args:
            name: of the part of the application that asks. Parts of one name are told apart by their order, which is
                the same in every process.
        """
        number = self._asked[name] = self._asked.get(name, -1) + 1
        return node_state(kind, self._context, f"{name}{number}")

    def publish(self) -> None:
        """Set the attributes that Tomcat documents for a context, as far as they make sense in Python."""
        context, server = self._context, self._context.server
        handler = None if context.realm is None else context.realm.credential_handler
        facts: dict[str, Any] = {
            "jakarta.servlet.context.tempdir": context.temporary_path,
            "org.apache.catalina.CredentialHandler": handler,
            "org.apache.catalina.deploy.alt_dd": context.alt_dd_name or None,
            "org.apache.catalina.resources": context.resources,
            "org.apache.catalina.webappVersion": context.web_app_version,
            "org.apache.tomcat.util.threads.ScheduledThreadPoolExecutor": None if server is None else server.utility,
        }
        for name, value in facts.items():
            if value is not None:
                self.attributes[name] = value

    @property
    def context_path(self) -> str:
        """``/shop``; empty for the root application."""
        return self._context.path

    @property
    def version(self) -> str:
        """The version of this deployment, empty without one."""
        return self._context.web_app_version

    @property
    def display_name(self) -> str:
        """The name from web.xml, empty without one."""
        return self._context.display_name

    @property
    def init_parameters(self) -> Mapping[str, str]:
        """``<context-param>`` of web.xml and ``<Parameter>`` of the Context."""
        return self._context.parameters

    @property
    def session_timeout(self) -> int:
        """Minutes after which an idle session ends; 0 or less for never."""
        return self._context.session_timeout

    @property
    def distributable(self) -> bool:
        """True when sessions must be able to travel to other nodes."""
        return self._context.distributable

    @property
    def work_dir(self) -> Path:
        """A directory for temporary files, private to this application, kept across restarts."""
        return self._context.temporary_path

    @property
    def server_info(self) -> str:
        """Name and version of the container."""
        return SERVER_INFO

    @property
    def virtual_server_name(self) -> str:
        """``Catalina/localhost``."""
        return self._context.host_path

    @property
    def logger(self) -> logging.Logger:
        """The application's logger, which logging.properties configures."""
        return self._context.logger

    def log(self, message: str, *arguments: object) -> None:
        """Write to the application's log at level INFO; arguments as for :mod:`logging`."""
        self._context.logger.info(message, *arguments)

    def lookup(self, name: str) -> Any:
        """A resource or environment entry by its name, such as ``jdbc/shop``; the prefix ``java:comp/env/`` is allowed.

        Raises:
            NamingError: there is no such name, or its object cannot be made.
        """
        return self._context.lookup(name)

    def resource(self, path: str) -> Resource:
        """A file of the application by its path, such as ``/WEB-INF/schema.sql``; the result knows if it ``exists``.

        Raises:
            ValueError: the path does not begin with a slash, and contextGetResourceRequiresSlash is on.
        """
        if not path.startswith("/"):
            if self._context.context_get_resource_requires_slash:
                raise ValueError(f"The path {path!r} does not start with a slash")
            path = "/" + path
        return self._context.resources.own_resource(path)

    def real_path(self, path: str) -> str | None:
        """The file system's path of a resource; None when there is none, or when it is inside an archive."""
        found = self.resource(path)
        return str(found.file) if found.file is not None else None

    def mime_type(self, file_name: str) -> str | None:
        """The type that web.xml maps the file's extension to; None for an unknown one."""
        return self._context.find_mime_type(file_name)

    def context(self, path: str) -> ApplicationContext | None:
        """Another running application of the same host, by a path in it; needs crossContext.

        Returns:
            None when it is not allowed or there is none; always this application for a path of its own.
        """
        return self._context.find_other(path)

    def dispatcher(self, path: str) -> ApplicationDispatcher | None:
        """A dispatcher to forward to or include another resource of this application, by its path, with or without a
        query.

        Returns:
            None when no servlet answers for the path.

        Raises:
            ValueError: the path does not begin with a slash.
        """
        return ApplicationDispatcher.for_path(self._context, path)

    def named_dispatcher(self, name: str) -> ApplicationDispatcher | None:
        """A dispatcher to forward to or include a servlet by its name; None when there is none of that name."""
        return ApplicationDispatcher.for_servlet(self._context, name)
