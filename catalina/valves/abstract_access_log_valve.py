"""The access log without the file: its pattern, its conditions, and the time at which a request is logged.

Tomcat: valves/AbstractAccessLogValve.java. The connector's adapter logs a request after its response is finished
(``container.log_access``), so the line contains the bytes sent and the time taken.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.errors import LifecycleError
from catalina.extras import missing_package
from catalina.simple_date_format import DateNames, date_names
from catalina.valves.access_log_elements import ElementFactory
from catalina.valves.access_log_pattern import ALIASES, Element, compile_line, parse_pattern
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["AbstractAccessLogValve"]

log = logging.getLogger("org.apache.catalina.valves.AbstractAccessLogValve")


class AbstractAccessLogValve(ValveBase):
    """Writes one line per request; a subclass chooses the destination in :meth:`write`."""

    pattern = Attribute(str, "", doc="The layout of a line: common, combined, or % codes.")
    enabled = Attribute(bool, True, doc="False writes nothing.")
    condition = Attribute(
        str, "", doc="Log only when the request attribute of this name is not set.", aliases=("conditionUnless",)
    )
    condition_if = Attribute(str, "", doc="Log only when the request attribute of this name is set.")
    ipv6_canonical = Attribute(
        bool, False, xml="ipv6Canonical", doc="Write IPv6 addresses in the short form of RFC 5952."
    )
    locale = Attribute(
        str,
        "",
        doc="Language of month and day names in %{...}t, as fr or de_DE; English when not given. Others need "
        "the extra locales.",
    )
    max_log_message_buffer_size = Attribute(
        int,
        256,
        unit="characters",
        doc="Size up to which line buffers are kept.",
        inert="lines here are plain text, there are no buffers to keep",
    )
    request_attributes_enabled = Attribute(
        bool, False, doc="Take address, host, port and protocol from the attributes that RemoteIpValve sets."
    )
    resolve_hosts = Attribute(bool, False, inert="since Tomcat 8 enableLookups of the Connector decides")

    #: Nanoseconds since the epoch; tests replace it.
    clock: Callable[[], int] = staticmethod(time.time_ns)

    _line: Element | None = None

    def __init__(self, **values: Any) -> None:
        self._problems: list[str] = []
        super().__init__(**values)

    def _start(self) -> None:
        try:
            self._line = self._read_pattern()
        except ValueError as error:
            raise LifecycleError(f"{self}: pattern={self.pattern!r}: {error}") from error
        for problem in self._problems:
            log.error("%s: %s", self.place or self, problem)

    def configuration_remarks(self) -> Iterator[str]:
        """Mistakes in pattern and locale, which the start logs, too."""
        try:
            self._read_pattern()
        except ValueError as error:
            yield f"this valve will not start: pattern={self.pattern!r}: {error}"
        yield from self._problems

    def _read_pattern(self) -> Element | None:
        self._problems.clear()
        return self._compile(ALIASES.get(self.pattern, self.pattern))

    def _compile(self, pattern: str) -> Element | None:
        """The function that writes the lines of ``pattern``; None for a pattern that logs nothing."""
        factory = self._factory()
        return compile_line([part if isinstance(part, str) else factory.make(part) for part in parse_pattern(pattern)])

    def _factory(self) -> ElementFactory:
        return ElementFactory(
            self.request_attributes_enabled, self.ipv6_canonical, self.clock, self._date_names(), self._problems.append
        )

    def _date_names(self) -> DateNames:
        try:
            return date_names(self.locale)
        except ValueError as error:
            why = str(error)
        except ImportError as error:
            why = missing_package("babel") or str(error)
        self._problems.append(f"Failed to set locale to [{self.locale}], writing English names: {why}")
        return date_names("")

    def invoke(self, request: Request, response: Response) -> None:
        """Pass the request on: logging happens at its end."""
        self.next.invoke(request, response)

    def log(self, request: Request, response: Response, time_ns: int) -> None:
        """Log a finished request that took ``time_ns`` nanoseconds."""
        line = self._line
        if line is None or not self.enabled or not self.state.available:
            return
        if self._is_excluded(request):
            return
        try:
            text = line(request, response, time_ns)
        except BaseException:  # the __str__ of an attribute is the application's code
            log.exception("Failed to write log message for [%s]", request.request_uri)
            return
        self.write(text)

    def _is_excluded(self, request: Request) -> bool:
        """True when the conditions exclude the request from the log."""
        if self.condition and request.attributes.get(self.condition) is not None:
            return True
        return bool(self.condition_if) and request.attributes.get(self.condition_if) is None

    def write(self, line: str) -> None:
        """Store one line, which has no line end."""
        raise NotImplementedError(f"{type(self).__name__} does not override write()")
