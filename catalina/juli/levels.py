"""Java's log levels and Python's: the same order, other words (java.util.logging.Level)."""

from __future__ import annotations

import logging

__all__ = ["ALL", "FINER", "FINEST", "OFF", "level_name", "parse_level"]

ALL = 1  # 0 means "not set" in Python
FINEST = 4
FINER = 7
CONFIG = 15
OFF = logging.CRITICAL + 50

_BY_NAME = {
    "ALL": ALL,
    "FINEST": FINEST,
    "FINER": FINER,
    "FINE": logging.DEBUG,
    "CONFIG": CONFIG,
    "INFO": logging.INFO,
    "WARNING": logging.WARNING,
    "SEVERE": logging.ERROR,
    "OFF": OFF,
    # Python's own words, for a file that is written anew.
    "TRACE": FINEST,
    "DEBUG": logging.DEBUG,
    "ERROR": logging.ERROR,
    "CRITICAL": logging.CRITICAL,
}
#: Java's numbers, which a file may use instead of words: the lowest number of each level.
_BY_NUMBER = ((1000, "SEVERE"), (900, "WARNING"), (800, "INFO"), (700, "CONFIG"), (500, "FINE"), (400, "FINER"))


def parse_level(text: str) -> int | None:
    """Python's number for Java's word or number; None when it is neither."""
    word = text.strip()
    if word.lstrip("-").isdigit():
        number = int(word)
        if number == 2**31 - 1:
            return OFF
        return _BY_NAME[next((name for least, name in _BY_NUMBER if number >= least), "FINEST")]
    return _BY_NAME.get(word.upper())


def level_name(level: int) -> str:
    """The word that a log line shows: SEVERE from ERROR on."""
    for name in ("SEVERE", "WARNING", "INFO", "CONFIG", "FINE", "FINER"):
        if level >= _BY_NAME[name]:
            return name
    return "FINEST"
