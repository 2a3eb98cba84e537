"""Configures Python's logging from logging.properties (Tomcat: juli/ClassLoaderLogManager.java).

::

    handlers = 1catalina.org.apache.juli.AsyncFileHandler, java.util.logging.ConsoleHandler
    .handlers = 1catalina.org.apache.juli.AsyncFileHandler      the root logger's, else all of the list above
    1catalina.org.apache.juli.AsyncFileHandler.level = FINE     properties of a handler; a prefix before the class
    org.apache.catalina.tribes.MESSAGES.level = FINE            a logger's level
    org.apache...[localhost].handlers = 2localhost...           its handlers; it no longer hands on to its parent then
    org.apache...[localhost].useParentHandlers = true           ... unless this says so

No application can switch off the container's own loggers. By default ``logging.config.dictConfig`` disables every
logger that its configuration does not name, removes the handlers of the root logger and closes all handlers of the
process. An application means only itself by that, so the container's lines about other applications must still be
written. So the loggers below ``org.apache`` are of a class that cannot be disabled, and have the handlers of the root
logger themselves.
"""

from __future__ import annotations

import logging
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from catalina.attributes import AttributeRefused, Component, comma_list
from catalina.digester.class_names import ClassBroken, find_class
from catalina.digester.findings import nearest
from catalina.digester.property_file import read_properties
from catalina.digester.substitution import MappingSource, Substitution
from catalina.juli.console_handler import ConsoleHandler
from catalina.juli.levels import ALL, parse_level
from catalina.juli.one_line_formatter import OneLineFormatter
from catalina.juli.simple_formatter import SimpleFormatter

__all__ = [
    "CONTAINER",
    "ClassLoaderLogManager",
    "ContainerLogger",
    "close_logging",
    "configure_logging",
    "protect_container_loggers",
]

log = logging.getLogger("org.apache.juli.ClassLoaderLogManager")

CONFIG_FILE = "java.util.logging.config.file"
#: Classes of the JDK that a file may name.
_SIMPLE = "java.util.logging.SimpleFormatter"
_JDK_CLASSES = {
    "java.util.logging.ConsoleHandler": "org.apache.juli.ConsoleHandler",
    "java.util.logging.FileHandler": "org.apache.juli.FileHandler",
    _SIMPLE: "org.apache.juli.SimpleFormatter",
}
_PREFIX = re.compile(r"^\d[^.]*\.")
#: Properties of the queue, which Tomcat takes from the system properties.
_ASYNC_PROPERTIES = {
    "overflowDropType": "org.apache.juli.AsyncOverflowDropType",
    "maxRecordCount": "org.apache.juli.AsyncMaxRecordCount",
}

_current: ClassLoaderLogManager | None = None
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


def configure_logging(properties: Mapping[str, str]) -> ClassLoaderLogManager:
    """Set up logging for the process: from the file that ``java.util.logging.config.file`` names, else on the console.

    The configuration of an earlier call is removed first. The container's loggers get the root logger's handlers, too,
    so that an application's changes of the root logger do not affect them.
    """
    global _current
    close_logging()
    protect_container_loggers()
    path = properties.get(CONFIG_FILE)
    if path and Path(path).is_file():
        _current = ClassLoaderLogManager(read_properties(Path(path)), properties)
    else:
        _current = ClassLoaderLogManager({"handlers": "java.util.logging.ConsoleHandler"}, properties)
    _current.configure(["", *_current.without_handlers([CONTAINER])])
    return _current


def close_logging() -> None:
    """Flush, close and remove the process's handlers.

    ``logging.shutdown()`` is not enough: it does not know handlers that were made before an application's
    ``dictConfig``.
    """
    global _current
    manager, _current = _current, None
    if manager is not None:
        manager.close()


class ClassLoaderLogManager:
    """One logging.properties in effect.

    Args:
        settings: the file's properties.
        properties: the node's, for ``${catalina.base}`` and the handlers' defaults.
    """

    def __init__(self, settings: Mapping[str, str], properties: Mapping[str, str]) -> None:
        substitution = Substitution([MappingSource(properties)])
        self._settings = {name: substitution(value).strip() for name, value in settings.items()}
        self._properties = properties
        self._handlers: dict[str, logging.Handler] = {}
        self._not_made: set[str] = set()
        self._touched: list[logging.Logger] = []
        #: The parts that were not understood, one line each.
        self.problems: list[str] = []

    def configure(
        self,
        roots: Iterable[str] = ("",),
        accept: Callable[[logging.LogRecord], bool] | None = None,
        report: bool = True,
    ) -> None:
        """Make the handlers and hand them to the loggers.

        Args:
            roots: the loggers that replace the root logger: an application's top-level modules, for its own file. With
                handlers they no longer pass records to the process's root logger.
            accept: selects the records that the handlers take, None for all.
            report: log a warning for each of ``problems``.
        """
        for root in roots:
            self._configure_root(logging.getLogger(root))
        if accept is not None:
            for handler in self._handlers.values():
                handler.addFilter(accept)
        for name in self._logger_names():
            self._configure_logger(logging.getLogger(name), name)
        for problem in self.problems if report else ():
            log.warning("logging.properties: %s", problem)

    def without_handlers(self, names: Iterable[str]) -> list[str]:
        """Those loggers to which the file gives no handlers of their own."""
        return [name for name in names if f"{name}.handlers" not in self._settings]

    def close(self) -> None:
        """Remove the handlers from the loggers, flush and close them."""
        for logger in self._touched:
            for handler in self._handlers.values():
                logger.removeHandler(handler)
            logger.propagate = True
            logger.setLevel(logging.NOTSET)
        self._touched.clear()
        for handler in self._handlers.values():
            handler.close()
        self._handlers.clear()

    def _configure_root(self, logger: logging.Logger) -> None:
        self._touched.append(logger)
        logger.setLevel(self._level(".level", logging.INFO))
        for name in comma_list(self._settings.get("handlers", "")):
            self._handler(name)
        for name in comma_list(self._settings.get(".handlers", self._settings.get("handlers", ""))):
            self._add_handler(logger, name)
        if logger is not logging.root and logger.handlers:
            logger.propagate = False

    def _logger_names(self) -> list[str]:
        """Loggers with a level or handlers of their own, without handlers, whose properties look alike."""
        handlers = set(self._handlers)
        names = set()
        for key in self._settings:
            name, _, setting = key.rpartition(".")
            if name and setting in ("level", "handlers", "useParentHandlers") and name not in handlers:
                names.add(name)
        return sorted(name for name in names if not self._is_handler(name))

    def _is_handler(self, name: str) -> bool:
        """True for a handler. Its properties may stand there without any list naming it, and are then no logger's."""
        return bool(_PREFIX.match(name)) or name in _JDK_CLASSES or name.startswith("org.apache.juli.")

    def _configure_logger(self, logger: logging.Logger, name: str) -> None:
        self._touched.append(logger)
        if f"{name}.level" in self._settings:
            logger.setLevel(self._level(f"{name}.level", logging.NOTSET))
        handlers = self._settings.get(f"{name}.handlers")
        if handlers is not None:
            logger.propagate = False
            for handler in comma_list(handlers):
                self._add_handler(logger, handler)
        if self._settings.get(f"{name}.useParentHandlers", "").lower() == "true":
            logger.propagate = True

    def _add_handler(self, logger: logging.Logger, name: str) -> None:
        handler = self._handler(name)
        if handler is not None:
            logger.addHandler(handler)

    def _level(self, key: str, default: int) -> int:
        text = self._settings.get(key)
        if text is None:
            return default
        level = parse_level(text)
        if level is None:
            self.problems.append(f"{key} = {text!r} ignored, expected a level from ALL to OFF")
            return default
        return level

    def _handler(self, name: str) -> logging.Handler | None:
        if name not in self._handlers and name not in self._not_made:
            made = self._make(_PREFIX.sub("", name), logging.Handler)
            if not isinstance(made, logging.Handler) or not isinstance(made, Component):
                self._not_made.add(name)
                return None
            self._set_attributes(name, made)
            console = isinstance(made, ConsoleHandler)
            made.setLevel(self._level(f"{name}.level", logging.INFO if console else ALL))
            made.setFormatter(self._formatter(name, console))
            self._handlers[name] = made
        return self._handlers.get(name)

    def _formatter(self, handler: str, console: bool) -> logging.Formatter:
        default = self._properties.get("org.apache.juli.formatter") if console else None
        named = self._settings.get(f"{handler}.formatter", default)
        made = self._make(named, logging.Formatter) if named else None
        if not isinstance(made, logging.Formatter):
            made, named = (SimpleFormatter(), _SIMPLE) if console else (OneLineFormatter(), "")
        if isinstance(made, Component) and named:
            self._set_attributes(named, made)
        if isinstance(made, SimpleFormatter) and f"{_SIMPLE}.format" in self._properties:  # wins over the file
            self._set(made, "format", self._properties[f"{_SIMPLE}.format"], f"{_SIMPLE}.format")
        return made

    def _make(self, class_name: str, role: type) -> object | None:
        """An instance of a handler's or formatter's class; None after noting why there is none."""
        try:
            found = find_class(_JDK_CLASSES.get(class_name, class_name))
        except ClassBroken as broken:
            self.problems.append(str(broken))
            return None
        if found is None or not issubclass(found, role):
            self.problems.append(f"{class_name} ignored, expected a {role.__name__}")
            return None
        made: object = found()
        return made

    def _set_attributes(self, name: str, component: Component) -> None:
        """Set properties ``name.attribute``; one that a handler does not know is reported."""
        for attribute, source in _ASYNC_PROPERTIES.items():
            if attribute in component.attributes() and source in self._properties:
                self._set(component, attribute, self._properties[source], source)
        for key, text in self._settings.items():
            head, _, attribute = key.rpartition(".")
            if head == name and attribute not in ("level", "formatter"):
                self._set(component, attribute, text, key)

    def _set(self, component: Component, attribute: str, text: str, key: str) -> None:
        try:
            if component.set_attribute(attribute, text):
                return
            known = f"{type(component).__name__} has no {attribute}{nearest(attribute, component.attributes())}"
            self.problems.append(f"{key} ignored, {known}")
        except AttributeRefused as refused:
            self.problems.append(f"{key} = {text!r} ignored, expected {refused.expected}")
        except ValueError as error:
            self.problems.append(f"{key} = {text!r} ignored, {error}")
