"""The common part of Tomcat's filters: init parameters as attributes, the next application, the response's head.

A filter is a component; web.xml's init-params are its attributes. The container calls ``start(next, context)`` and then
the filter itself, as WSGI middleware (Tomcat: filters/FilterBase.java).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from catalina.attributes import AttributeRefused, Component
from catalina.errors import DeploymentError

if TYPE_CHECKING:
    from catalina.core.application_context import ApplicationContext

__all__ = ["Application", "Environ", "FilterBase", "StartResponse", "add_vary", "header", "set_header"]

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Headers = list[tuple[str, str]]


class FilterBase(Component):
    """A subclass overrides :meth:`__call__` and calls ``self.next``, or :meth:`pass_on` to change the head."""

    #: True when a wrong init parameter keeps the application from starting, as for filters that guard something.
    config_problem_fatal: ClassVar[bool] = False

    next: Application
    context: ApplicationContext

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._refused: list[str] = []

    @property
    def logger(self) -> logging.Logger:
        """The logger of the concrete class."""
        return logging.getLogger(f"org.apache.{type(self).__module__.rpartition('.')[0]}.{type(self).__name__}")

    def set_attribute(self, name: str, text: str) -> bool:
        """Set an init parameter, and remember faults for :meth:`start`."""
        try:
            known = super().set_attribute(name, text)
        except AttributeRefused as refused:
            self._refused.append(f"{name}={text!r}, expected {refused.expected}")
            raise
        if not known:
            self._refused.append(f"{name}: there is no such init parameter")
        return known

    def start(self, next_application: Application, context: ApplicationContext) -> None:
        """Called once, before the first request.

        Raises:
            DeploymentError: the init parameters are wrong, and ``config_problem_fatal`` is set.
        """
        if self.config_problem_fatal and self._refused:
            raise DeploymentError(f"{type(self).__name__}: {'; '.join(self._refused)}")
        self.next = next_application
        self.context = context
        self.prepare()

    def prepare(self) -> None:
        """Prepare the filter when all init parameters are known; for subclasses. Raises DeploymentError."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise NotImplementedError(f"{type(self).__name__} does not override __call__()")

    def pass_on(
        self, environ: Environ, start_response: StartResponse, change: Callable[[int, Headers], None]
    ) -> Iterable[bytes]:
        """Call the next application; ``change(status, headers)`` may change the head before it is sent."""

        def start(status: str, headers: Headers, *exc_info: Any) -> object:
            headers = list(headers)
            change(int(status[:3]), headers)
            return start_response(status, headers, *exc_info)

        return self.next(environ, start)

    def path_of(self, environ: Environ) -> str:
        """The path inside the application, decoded as UTF-8."""
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        return str(path.encode("latin-1").decode("utf-8", "replace"))[len(self.context.context_path) :]


def header(headers: Headers, name: str) -> str | None:
    """The first value of a response's field."""
    lower = name.lower()
    return next((value for key, value in headers if key.lower() == lower), None)


def set_header(headers: Headers, name: str, value: str) -> None:
    """Set a field of the response, replacing all fields with its name."""
    lower = name.lower()
    headers[:] = [pair for pair in headers if pair[0].lower() != lower]
    headers.append((name, value))


def add_vary(headers: Headers, name: str) -> None:
    """Add a name to Vary, unless it or ``*`` is there already."""
    values = [part.strip() for key, value in headers if key.lower() == "vary" for part in value.split(",")]
    if "*" in values or name.lower() in (value.lower() for value in values):
        return
    set_header(headers, "Vary", ",".join([*(value.lower() for value in values), name]))
