"""Limits the number of parameters of a request, by its path (Tomcat: valves/ParameterLimitValve.java)."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus

from catalina.attributes import Attribute
from catalina.errors import ConfigurationError
from catalina.java_pattern import compile_pattern
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["ParameterLimitValve", "parse_limits"]

log = logging.getLogger("org.apache.catalina.valves.ParameterLimitValve")


class Limits(NamedTuple):
    """``pattern=parameters`` or ``pattern=parameters,parts,part header size``."""

    pattern: re.Pattern[str]
    max_parameter_count: int
    max_part_count: int | None = None
    max_part_header_size: int | None = None


def parse_limits(text: str, name: str = "") -> list[Limits]:
    """The lines of a configuration file; empty lines and those that start with ``#`` are skipped.

    Raises:
        ConfigurationError: a line has another form.
    """
    limits = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        pattern, equals, numbers = line.rpartition("=")
        values = [part.strip() for part in numbers.split(",")]
        if not equals or len(values) not in (1, 3) or not all(re.fullmatch(r"-?\d{1,9}", value) for value in values):
            raise ConfigurationError(
                f"{name}:{number}: expected pattern=count or pattern=count,parts,part header size, got {line!r}"
            )
        try:
            limits.append(Limits(compile_pattern(unquote_plus(pattern.strip())), *map(int, values)))
        except re.error as error:
            raise ConfigurationError(f"{name}:{number}: {pattern!r} is no regular expression: {error}") from None
    return limits


class ParameterLimitValve(ValveBase):
    """Applies the limits of the first line whose pattern matches the path; without one the connector's limit applies.

    The file is ``WEB-INF/<resourcePath>`` of an application, otherwise ``conf/<engine>/<host>/<resourcePath>``.
    """

    resource_path = Attribute(str, "parameter_limit.config", doc="Name of the file.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.limits: list[Limits] = []

    def set_url_pattern_limits(self, text: str) -> None:
        """Replace the limits at run time (operation of the MBean). Raises ConfigurationError."""
        self.limits = parse_limits(text)

    def _start(self) -> None:
        path, text = self._read()
        if text is None:
            log.debug("No configuration resource found [%s]", path)
        else:
            self.limits = parse_limits(text, path)

    def _stop(self) -> None:
        self.limits = []

    def _read(self) -> tuple[str, str | None]:
        """The path of the file, and its text if there is one."""
        container: Any = self.container
        if container is None:
            return self.resource_path, None
        if hasattr(container, "constraints"):  # a Context
            path = f"/WEB-INF/{self.resource_path}"
            resource = container.resources.get_resource(path)
            return path, resource.read().decode("utf-8") if resource.exists else None
        names = [container.name]
        while container.parent is not None:
            container = container.parent
            names.insert(0, container.name)
        file = Path(container.server.catalina_base, "conf", *names, self.resource_path)
        return str(file), file.read_text("utf-8") if file.is_file() else None

    def invoke(self, request: Request, response: Response) -> None:
        """Set the request's own limit and pass the request on."""
        if self.limits:
            path = request.decoded_uri
            if hasattr(self.container, "constraints"):
                path = request.servlet_path + (request.path_info or "")
            for limits in self.limits:
                if limits.pattern.fullmatch(path):
                    request.max_parameter_count = limits.max_parameter_count
                    break
        self.next.invoke(request, response)
