"""The access log in W3C's extended log file format (Tomcat: valves/ExtendedAccessLogValve.java)."""

from __future__ import annotations

import logging

from catalina import __version__
from catalina.valves.access_log_pattern import Element, compile_line
from catalina.valves.access_log_valve import AccessLogValve
from catalina.valves.extended_log_fields import FieldFactory, PatternError

__all__ = ["ExtendedAccessLogValve"]

log = logging.getLogger("org.apache.catalina.valves.ExtendedAccessLogValve")


class ExtendedAccessLogValve(AccessLogValve):
    """Writes fields: ``date time c-ip cs-method cs-uri sc-status time-taken x-H(scheme) cs(Referer)`` in
    ``pattern``.
    """

    def _compile(self, pattern: str) -> Element | None:
        if not pattern.strip():
            log.info("Pattern was just empty or whitespace")
            return None
        parts: list[str | Element] = []
        try:
            for part in FieldFactory(self._factory()).parts(pattern):
                parts.append(part)
        except PatternError as error:
            self._problems.append(f"pattern={pattern!r}: {error}; the lines end before it")
        return compile_line(parts)

    def _header(self) -> str:
        # As Tomcat, this writes the fields before the version, though the draft wants the version first.
        return f"#Fields: {self.pattern}\n#Version: 2.0\n#Software: catalina/{__version__}\n"
