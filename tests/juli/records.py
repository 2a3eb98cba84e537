"""Log records with fixed contents for the tests of formatters and handlers."""

from __future__ import annotations

import logging
import sys


def record(
    message: str = "Server startup in [12] milliseconds", level: int = logging.INFO, **fields: object
) -> logging.LogRecord:
    """A record of Catalina.start in the main thread at 2023-11-14T22:13:20.123Z."""
    made = logging.LogRecord(
        "org.apache.catalina.startup.Catalina", level, "catalina.py", 1, message, None, None, "start"
    )
    made.created = 1_700_000_000.123
    made.threadName = "MainThread"
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def failed() -> logging.LogRecord:
    """A SEVERE record with an exception."""
    try:
        raise ValueError("why")
    except ValueError:
        return record("boom", logging.ERROR, exc_info=sys.exc_info())
