"""Writes two lines for each record, as a JVM without logging.properties (java.util.logging.SimpleFormatter)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from catalina.attributes import Attribute, AttributeRefused, Component
from catalina.juli.levels import level_name
from catalina.juli.log_text import escaped, message_of
from catalina.juli.one_line_formatter import source_method, stack_trace
from catalina.juli.simple_format import record_format

__all__ = ["SimpleFormatter"]


#: The format of a JVM without configuration.
DEFAULT_FORMAT = "%1$tb %1$td, %1$tY %1$tl:%1$tM:%1$tS %1$Tp %2$s%n%4$s: %5$s%6$s%n"


def _format(text: str) -> str:
    try:
        record_format(text)
    except ValueError as error:
        raise AttributeRefused(f"a format of java.util.Formatter ({error})") from None
    return text


class SimpleFormatter(Component, logging.Formatter):
    """``Nov 23, 2026 1:16:16 AM org.apache...Catalina start`` and ``INFO: message`` below it, or another format."""

    format_text = Attribute(
        _format,
        DEFAULT_FORMAT,
        xml="format",
        doc="Format of java.util.Formatter; also the system property of that name.",
    )

    def __init__(self, **values: str) -> None:
        Component.__init__(self, **values)
        logging.Formatter.__init__(self)
        self._format: Callable[[int, Sequence[str]], str] = record_format(self.format_text)

    def set_attribute(self, name: str, text: str) -> bool:
        """Compile the format that is set. Raises AttributeRefused."""
        known = super().set_attribute(name, text)
        self._format = record_format(self.format_text)
        return known

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record, without the last line end."""
        trace = stack_trace(record)
        logger = escaped(record.name)
        text = self._format(
            round(record.created * 1000),
            (
                f"{logger} {source_method(record.funcName or '')}",
                logger,
                level_name(record.levelno),
                message_of(record),
                f"\n{trace}" if trace else "",
            ),
        )
        return text.removesuffix("\n")
