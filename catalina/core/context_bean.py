"""The bean of an application: its attributes, operations and notifications (Tomcat: j2eeType=WebModule)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from catalina.mbeans.bean_info import NotificationInfo
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.secrets import shown
from catalina.operations import Impact, Long, operation, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catalina.core.standard_wrapper import StandardWrapper
    from catalina.descriptor.elements import FilterDef

__all__ = ["J2EE", "ContextBean"]


#: Keys at the end of the names of applications, servlets and filters.
J2EE = {"J2EEApplication": "none", "J2EEServer": "none"}
#: Lifecycle event -> the notification that Tomcat sends.
J2EE_STATES = {
    "after_init": "j2ee.object.created",
    "before_start": "j2ee.state.starting",
    "after_start": "j2ee.state.running",
    "before_stop": "j2ee.state.stopping",
    "after_stop": "j2ee.state.stopped",
    "after_destroy": "j2ee.object.deleted",
}


class ContextBean:
    """The part of a StandardContext that sums up the counts of its servlets."""

    bean_operations = ("init", "start", "stop", "destroy")

    name: str
    path: str
    parameters: dict[str, str]
    mime_mappings: dict[str, str]
    welcome_files: list[str]
    security_roles: list[str]
    watched_resources: list[str]
    servlet_mappings: dict[str, str]
    filter_definitions: dict[str, FilterDef]
    #: The time of its last start, in ms since 1970; 0 for never.
    start_time: int = 0
    #: The duration of that start, in ms.
    startup_time: int = 0

    bean_notifications = (
        NotificationInfo("javax.management.Notification", tuple(J2EE_STATES.values()), "The application's state."),
        NotificationInfo(
            "javax.management.AttributeChangeNotification", ("jmx.attribute.change",), "An attribute has been set."
        ),
    )

    def object_name(self, domain: str, host: str) -> ObjectName:
        """The name of its bean."""
        name = f"//{host}{self.name if self.name.startswith('/') else '/' + self.name}"
        return ObjectName(domain, {"j2eeType": "WebModule", "name": name, **J2EE})

    def tell_state(self, event: str) -> None:
        """Send the notification for a lifecycle event, if Tomcat sends one."""
        kind = J2EE_STATES.get(event)
        context: Any = self
        engine = context.parent.parent if context.parent is not None else None
        server = context.server
        if kind is not None and engine is not None and server is not None:
            server.mbeans.notifications.send(kind, self.object_name(engine.name, context.parent.name), "")

    def _servlets(self) -> list[StandardWrapper]:
        children: Sequence[Any] = self.children  # type: ignore[attr-defined]  # the application itself has them
        return [child for child in children if hasattr(child, "requests")]

    @property
    def request_count(self) -> int:
        """Requests that its servlets have answered."""
        return sum(servlet.request_count for servlet in self._servlets())

    @property
    def error_count(self) -> int:
        """The number of answers that were errors."""
        return sum(servlet.error_count for servlet in self._servlets())

    @property
    def processing_time(self) -> Long:
        """Milliseconds in its servlets, all requests together."""
        return sum(servlet.processing_time for servlet in self._servlets())

    @property
    def max_time(self) -> Long:
        """Milliseconds of the longest request."""
        return max((servlet.max_time for servlet in self._servlets()), default=0)

    @property
    def min_time(self) -> Long:
        """Milliseconds of the shortest request, 0 before the first."""
        times = [shortest for servlet in self._servlets() if (shortest := servlet.requests.min_time) is not None]
        return min(times, default=0)

    @property
    @readable("encodedPath", doc="Its path as it is written in URLs.")
    def encoded_path(self) -> str:
        return quote(self.path or "")

    # -- what the descriptors say

    @operation(impact=Impact.INFO)
    def find_parameters(self) -> list[str]:
        """Names of its context parameters."""
        return list(self.parameters)

    @operation(impact=Impact.INFO)
    def find_parameter(self, name: str) -> str | None:
        """A context parameter, null when there is none; a secret is hidden."""
        value = self.parameters.get(name)
        return None if value is None else shown(name, value)

    @operation(impact=Impact.INFO)
    def find_welcome_files(self) -> list[str]:
        """Its welcome files, the first choice first."""
        return list(self.welcome_files)

    @operation(impact=Impact.INFO)
    def find_welcome_file(self, name: str) -> bool:
        """True for one of its welcome files."""
        return name in self.welcome_files

    @operation(impact=Impact.INFO)
    def find_mime_mappings(self) -> list[str]:
        """The extensions of files whose content types it knows."""
        return list(self.mime_mappings)

    @operation(impact=Impact.INFO)
    def find_mime_mapping(self, extension: str) -> str | None:
        """The content type of files with an extension, null for an unknown one."""
        return self.mime_mappings.get(extension)

    @operation(impact=Impact.INFO)
    def find_servlet_mappings(self) -> list[str]:
        """The url-patterns of its servlets."""
        return list(self.servlet_mappings)

    @operation(impact=Impact.INFO)
    def find_servlet_mapping(self, pattern: str) -> str | None:
        """The servlet of a url-pattern, null when there is none."""
        return self.servlet_mappings.get(pattern)

    @operation(impact=Impact.INFO)
    def find_filter_defs(self) -> list[str]:
        """Names of its filters."""
        return list(self.filter_definitions)

    @operation(impact=Impact.INFO)
    def find_security_roles(self) -> list[str]:
        """The roles that its descriptor declares."""
        return list(self.security_roles)

    @operation(impact=Impact.INFO)
    def find_security_role(self, role: str) -> bool:
        """True for a role that its descriptor declares."""
        return role in self.security_roles

    @operation(impact=Impact.INFO)
    def find_watched_resources(self) -> list[str]:
        """The files whose change reloads it."""
        return list(self.watched_resources)

    @operation(name="reload")
    def reload_by_command(self) -> None:
        """Stop and start the application; its requests wait meanwhile."""
        self.reload(by_command=True)  # type: ignore[attr-defined]  # the application itself does
