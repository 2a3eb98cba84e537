"""Prints a line for each request, for a developer who runs one application in a terminal."""

from __future__ import annotations

from catalina.attributes import Attribute
from catalina.valves.abstract_access_log_valve import AbstractAccessLogValve

__all__ = ["ConsoleAccessLog"]


class ConsoleAccessLog(AbstractAccessLogValve):
    """The access log of ``catalina run``."""

    pattern = Attribute(str, '%h "%r" %s %b %{ms}Tms', doc="The layout of a line.")
    node = Attribute(str, "", doc="The name before each line, where several nodes print to one terminal.")

    def write(self, line: str) -> None:
        """Print a line. The pattern's elements have escaped the client's data."""
        print(f"{self.node} {line}" if self.node else line, flush=True)
