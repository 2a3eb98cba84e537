"""Lines for the journal: ``<6>message`` (Tomcat: juli/SystemdFormatter.java, sd-daemon(3)).

The journal reads only the output of systemd's services; elsewhere this is the OneLineFormatter.
"""

from __future__ import annotations

import logging
import os

from catalina.juli.levels import level_name
from catalina.juli.log_text import message_of
from catalina.juli.one_line_formatter import OneLineFormatter, stack_trace

__all__ = ["SystemdFormatter"]

_PRIORITY = {"SEVERE": "<2>", "WARNING": "<4>", "INFO": "<6>", "CONFIG": "<6>"}


class SystemdFormatter(OneLineFormatter):
    """The message with the priority in front of it and of every line of a stack trace; the journal adds the time."""

    def __init__(self, **values: str) -> None:
        super().__init__(**values)
        self._journal = "INVOCATION_ID" in os.environ and "JOURNAL_STREAM" in os.environ

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record, without the last line end."""
        if not self._journal:
            return super().format(record)
        priority = _PRIORITY.get(level_name(record.levelno), "<7>")
        lines = [
            *message_of(record).split("\n"),
            *(part.replace("\t", "    ") for part in stack_trace(record).splitlines()),
        ]
        return "\n".join(priority + line for line in lines)
