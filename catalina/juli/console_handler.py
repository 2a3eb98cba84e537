"""Records on standard error, which catalina.sh sends to logs/catalina.out (java.util.logging.ConsoleHandler)."""

from __future__ import annotations

import logging
import sys
from typing import TextIO

from catalina.attributes import Attribute, Component

__all__ = ["ConsoleHandler"]


class ConsoleHandler(Component, logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at the time of the record."""

    encoding = Attribute(str, "", doc="Accepted; standard error has the encoding of the process.")

    def __init__(self, **values: str) -> None:
        Component.__init__(self, **values)
        logging.StreamHandler.__init__(self, sys.stderr)

    @property
    def stream(self) -> TextIO:
        """Standard error as it is now: a test or a daemon may have replaced it."""
        return sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        """StreamHandler's constructor sets it; there is nothing to keep."""
