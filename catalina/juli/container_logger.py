"""The container's own loggers, which no application can switch off.

By default ``logging.config.dictConfig`` disables every logger that its configuration does not name, removes the
handlers of the root logger and closes all handlers of the process. An application means only itself by that, so the
container's lines about other applications must still be written. So the loggers below ``org.apache`` are of a class
that cannot be disabled, and have the handlers of the root logger themselves (``class_loader_log_manager.py``).
"""

from __future__ import annotations

import logging
import operator

__all__ = ["CONTAINER", "ContainerLogger", "protect_container_loggers"]

#: The logger above all of the container's.
CONTAINER = "org.apache"


class ContainerLogger(logging.Logger):
    """A logger for which only the level decides what is written."""

    #: Always False; setting it has no effect. A logger is a true value, so ``not`` gives False without a Python call
    #: for each line that is not written.
    disabled = property(operator.not_, lambda _self, _: None)


def protect_container_loggers() -> None:
    """Turn all loggers below ``org.apache``, present and future, into a :class:`ContainerLogger`."""
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if _is_container(name) and type(logger) is logging.Logger:
            logger.__class__ = ContainerLogger
    logging.root.manager.loggerClass = _new_logger  # type: ignore[assignment]  # it is only called


def _is_container(name: str) -> bool:
    return name == CONTAINER or name.startswith(f"{CONTAINER}.")


def _new_logger(name: str) -> logging.Logger:
    return ContainerLogger(name) if _is_container(name) else logging.getLoggerClass()(name)
