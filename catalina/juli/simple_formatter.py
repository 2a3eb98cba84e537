"""Two lines a record, what a JVM without logging.properties prints (java.util.logging.SimpleFormatter)."""

from __future__ import annotations

import logging

from catalina.attributes import Component
from catalina.juli.levels import level_name
from catalina.juli.log_text import escaped, message_of
from catalina.juli.one_line_formatter import source_method, stack_trace
from catalina.simple_date_format import date_formatter

__all__ = ["SimpleFormatter"]


class SimpleFormatter(Component, logging.Formatter):
    """``Nov 23, 2026 1:16:16 AM org.apache...Catalina start`` and ``INFO: message`` below it."""

    def __init__(self, **values: str) -> None:
        Component.__init__(self, **values)
        logging.Formatter.__init__(self)
        self._date = date_formatter("MMM dd, yyyy h:mm:ss a")

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record, without the last line end."""
        when = self._date(round(record.created * 1000))
        head = f"{when} {escaped(record.name)} {source_method(record.funcName or '')}"
        trace = stack_trace(record)
        return f"{head}\n{level_name(record.levelno)}: {message_of(record)}" + (f"\n{trace}" if trace else "")
