"""Writes only the message, for access logs (Tomcat: juli/VerbatimFormatter.java)."""

from __future__ import annotations

import logging

from catalina.attributes import Component
from catalina.juli.log_text import message_of

__all__ = ["VerbatimFormatter"]


class VerbatimFormatter(Component, logging.Formatter):
    """The message without time, level or exception."""

    def __init__(self, **values: str) -> None:
        Component.__init__(self, **values)
        logging.Formatter.__init__(self)

    def format(self, record: logging.LogRecord) -> str:
        """The message, without the last line end."""
        return message_of(record)
