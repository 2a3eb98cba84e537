"""The bean of an application: its attributes, operations and notifications (Tomcat: j2eeType=WebModule)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from catalina.mbeans.bean_info import NotificationInfo
from catalina.mbeans.object_name import ObjectName
from catalina.operations import Long, operation, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catalina.core.standard_wrapper import StandardWrapper

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

    @operation(name="reload")
    def reload_by_command(self) -> None:
        """Stop and start the application; its requests wait meanwhile."""
        self.reload(by_command=True)  # type: ignore[attr-defined]  # the application itself does
