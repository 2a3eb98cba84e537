"""Milliseconds, a letter for the level, the short logger name, the message (Tomcat: juli/JdkLoggerFormatter.java)."""

from __future__ import annotations

import logging

from catalina.attributes import Component
from catalina.juli.levels import FINER, level_name
from catalina.juli.log_text import escaped, message_of
from catalina.juli.one_line_formatter import stack_trace

__all__ = ["JdkLoggerFormatter"]

_LETTERS = {"SEVERE": " E ", "WARNING": " W ", "INFO": " I ", "FINE": " D ", "FINER": " T "}


class JdkLoggerFormatter(Component, logging.Formatter):
    """``1700000000000 I Catalina Server startup in [12] milliseconds``."""

    def __init__(self, **values: str) -> None:
        Component.__init__(self, **values)
        logging.Formatter.__init__(self)

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record, without the last line end; a stack trace stands on the lines after it."""
        letter = _LETTERS.get(level_name(record.levelno), "   ") if record.levelno >= FINER else "   "
        name = escaped(record.name.rpartition(".")[2]).ljust(20)
        line = f"{round(record.created * 1000)}{letter}{name}{message_of(record)}"
        trace = stack_trace(record)
        return f"{line}\n{trace}" if trace else line
