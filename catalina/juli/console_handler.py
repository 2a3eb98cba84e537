"""Writes records to standard error, which catalina.sh sends to logs/catalina.out (java.util.logging.ConsoleHandler)."""

from __future__ import annotations

import codecs
import io
import logging
import sys
from typing import TextIO

from catalina.attributes import Attribute, AttributeRefused, Component

__all__ = ["ConsoleHandler"]


def _charset(text: str) -> str:
    try:
        return codecs.lookup(text.strip()).name
    except LookupError:
        raise AttributeRefused("a character encoding") from None


class ConsoleHandler(Component, logging.StreamHandler[TextIO]):
    """Writes to the standard error of the moment."""

    encoding = Attribute(_charset, "", doc="Character encoding of standard error; the process's own when not given.")

    def __init__(self, **values: str) -> None:
        Component.__init__(self, **values)
        logging.StreamHandler.__init__(self, sys.stderr)

    @property
    def stream(self) -> TextIO:
        """The present standard error, in the configured encoding: a test or a daemon may have replaced it."""
        stream = sys.stderr
        if (
            self.encoding
            and isinstance(stream, io.TextIOWrapper)
            and codecs.lookup(stream.encoding).name != self.encoding
        ):
            stream.reconfigure(encoding=self.encoding)
        return stream

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        """Ignore the stream that StreamHandler's constructor sets."""
