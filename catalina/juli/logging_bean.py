"""``java.util.logging:type=Logging``: reads and changes the levels of the loggers, in Java's words."""

from __future__ import annotations

import logging

from catalina.attributes import Component
from catalina.errors import CatalinaError
from catalina.juli.levels import level_name, parse_level
from catalina.operations import Impact, operation, readable

__all__ = ["LoggingBean"]


class LoggingBean(Component):
    """The loggers of this process; the root logger's name is empty."""

    bean_class = "sun.management.ManagementFactoryHelper$PlatformLoggingImpl"
    bean_interfaces = ("java.util.logging.LoggingMXBean", "java.lang.management.PlatformLoggingMXBean")

    @property
    @readable("LoggerNames", doc="All loggers that somebody has used.")
    def logger_names(self) -> list[str]:
        table = logging.Logger.manager.loggerDict
        return ["", *sorted(name for name, logger in tuple(table.items()) if isinstance(logger, logging.Logger))]

    @operation(impact=Impact.INFO)
    def get_logger_level(self, logger_name: str) -> str | None:
        """A logger's own level: empty when it has its parent's, null when there is no such logger."""
        logger = _find(logger_name)
        if logger is None:
            return None
        return level_name(logger.level) if logger.level else ""

    @operation(lasting="level")
    def set_logger_level(self, logger_name: str, level_name: str | None) -> None:
        """Set a logger's level by Java's or Python's word; null restores its parent's."""
        logger = _find(logger_name)
        if logger is None:
            raise CatalinaError(f'Logger "{logger_name}" does not exist')
        if level_name is None:
            logger.setLevel(logging.NOTSET)
            return
        level = parse_level(level_name)
        if level is None:
            raise CatalinaError(f'Unknown level "{level_name}": expected SEVERE, WARNING, INFO, FINE ... or OFF')
        logger.setLevel(level)

    @operation(impact=Impact.INFO)
    def get_parent_logger_name(self, logger_name: str) -> str | None:
        """The logger whose level applies to one without its own: empty for the root, null when there is no such
        logger.
        """
        logger = _find(logger_name)
        if logger is None:
            return None
        parent = logger.parent
        return "" if parent is None or parent is logging.getLogger() else parent.name


def _find(name: str) -> logging.Logger | None:
    if not name:
        return logging.getLogger()
    found = logging.Logger.manager.loggerDict.get(name)
    return found if isinstance(found, logging.Logger) else None
