"""``23-Nov-2026 01:16:16.320 INFO [main] org.apache.catalina.startup.Catalina.start Server startup in [7466]
milliseconds`` (Tomcat: juli/OneLineFormatter.java)."""

from __future__ import annotations

import logging
from functools import lru_cache

from catalina.attributes import Attribute, Component, xml_name
from catalina.juli.levels import level_name
from catalina.juli.log_text import escaped, message_of
from catalina.simple_date_format import date_formatter

__all__ = ["OneLineFormatter", "stack_trace", "thread_name"]


_plain = logging.Formatter()


def thread_name(record: logging.LogRecord) -> str:
    """The thread's name in Tomcat's form: the main one is ``main``."""
    return "main" if record.threadName == "MainThread" else escaped(record.threadName or "?")


@lru_cache(maxsize=4096)
def source_method(function: str) -> str:
    """A function's name in the form of a Java method: ``_await_shutdown`` -> ``awaitShutdown``."""
    return xml_name(function.strip("_") or function)


def stack_trace(record: logging.LogRecord) -> str:
    """The record's exception (or stack) as text without a line end at its end, empty when it has none.

    Its lines stay; other control characters in the exception's text are escaped.
    """
    trace = record.stack_info or ""
    if record.exc_info and record.exc_info[0] is not None:
        exception = _plain.formatException(record.exc_info)
        trace = f"{exception}\n{trace}" if trace else exception
    return escaped(trace, keep_lines=True)


class OneLineFormatter(Component, logging.Formatter):
    """One line a record; a stack trace follows, indented by a tab."""

    time_format = Attribute(str, "dd-MMM-yyyy HH:mm:ss.SSS", doc="Pattern of java.text.SimpleDateFormat.")

    def __init__(self, **values: str) -> None:
        Component.__init__(self, **values)
        logging.Formatter.__init__(self)
        self._date = date_formatter(self.time_format)

    def set_attribute(self, name: str, text: str) -> bool:
        """As :meth:`Component.set_attribute`; a date pattern takes effect immediately. Raises ValueError for a bad
        one.
        """
        known = super().set_attribute(name, text)
        self._date = date_formatter(self.time_format)
        return known

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record, without the last line end."""
        line = (
            f"{self._date(round(record.created * 1000))} {level_name(record.levelno)} [{thread_name(record)}] "
            f"{escaped(record.name)}.{source_method(record.funcName or '')} {message_of(record)}"
        )
        trace = stack_trace(record)
        return line + "".join(f"\n\t{part}" for part in trace.splitlines())
