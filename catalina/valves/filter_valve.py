"""Runs a filter as a valve of an Engine, a Host or a Context (Tomcat 11: valves/FilterValve.java)."""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, Component, Element, Text
from catalina.connector.wsgi_adapter import run_application
from catalina.digester.class_names import ClassBroken, find_class
from catalina.errors import DeploymentError, LifecycleError
from catalina.loader.object_names import call, configure
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.outlet import Outlet
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["FilterValve", "InitParam"]

log = logging.getLogger("org.apache.catalina.valves.FilterValve")

StartResponse = Callable[..., Any]
Environ = dict[str, Any]

#: A name in the environ that a filter may change -> the request's own name for it, and its type.
_REQUEST_FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "REMOTE_ADDR": ("remote_addr", str),
    "REMOTE_HOST": ("remote_host", str),
    "SERVER_NAME": ("server_name", str),
    "SERVER_PORT": ("server_port", int),
    "wsgi.url_scheme": ("scheme", str),
}


class InitParam(Component):
    """``<init-param>`` in the Valve element, as in web.xml."""

    param_name = ""
    param_value = ""

    def _set_name(self, text: str) -> None:
        self.param_name = text

    def _set_value(self, text: str) -> None:
        self.param_value = text

    elements = {"param-name": Text(add=_set_name), "param-value": Text(add=_set_value)}


class _NoApplication:
    """Stands for the application when there is none: in the valve of an Engine or a Host."""

    context_path = ""

    def mime_type(self, file_name: str) -> str | None:
        return None

    def log(self, message: str, *arguments: object) -> None:
        log.info(message, *arguments)


class _Head:
    """The outlet after a filter has passed the request on: the filter sees the head before it leaves."""

    def __init__(self, outlet: Outlet, start_response: StartResponse) -> None:
        self._outlet = outlet
        self._start_response = start_response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outlet, name)

    def send_head(self, response: Response, body: bytes, complete: bool) -> None:
        try:
            phrase = HTTPStatus(response.status).phrase
        except ValueError:
            phrase = ""
        headers, response.headers = response.headers, []
        self._start_response(f"{response.status} {phrase}", headers)
        self._outlet.send_head(response, body, complete)


class _Exchange:
    """One request on its way through the filter."""

    def __init__(self, valve: FilterValve, request: Request, response: Response, environ: Environ) -> None:
        self._valve = valve
        self._request = request
        self._response = response
        self._before = dict(environ)
        self.passed_on = False
        self.started: tuple[str, list[tuple[str, str]]] | None = None

    def next(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Run the rest of the pipeline, which writes the response."""
        self.passed_on = True
        self._take_changes(environ)
        response = self._response
        response.outlet = _Head(response.outlet, start_response)
        self._valve.next.invoke(self._request, response)
        return ()

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Callable[..., None]:
        """Take the filter's own answer, or the head of the passed answer as the filter wants it."""
        self.started = status, headers
        if self.passed_on:
            self._response.status = int(status[:3])
            self._response.headers = list(headers)
        return self._write

    def _write(self, data: bytes) -> None:
        raise AssertionError(f"{self._valve}: the filter uses write() of start_response, which a valve has not")

    def _take_changes(self, environ: Environ) -> None:
        """Copy values that the filter changed in the environ into the request."""
        before = self._before
        for name, value in environ.items():
            if name in before and before[name] is value:
                continue
            known = _REQUEST_FIELDS.get(name)
            if known is not None:
                setattr(self._request, known[0], known[1](value))
            else:
                self._request.attributes[name] = value


class FilterValve(ValveBase):
    """Runs a filter of the container, or a factory of WSGI middleware, for every request of its container.

    The filter may answer itself, or pass the request on and change the head of the answer. It does not see the body of
    an answer that it passes on, which is already on its way to the client.
    """

    filter_class = Attribute(
        str, "", aliases=("filterClassName",), doc="A filter of Tomcat's, or middleware as module:attribute."
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.init_parameters: dict[str, str] = {}
        self._filter: Callable[[Environ, StartResponse], Iterable[bytes]] | None = None

    def add_init_param(self, parameter: InitParam) -> None:
        """Add an init parameter of the filter."""
        self.init_parameters[parameter.param_name] = parameter.param_value

    elements = {"init-param": Element(add=add_init_param, default="catalina.valves.filter_valve.InitParam")}

    @property
    def _key(self) -> str:
        return f"catalina.filter_valve.{id(self)}"

    def _start(self) -> None:
        if not self.filter_class:
            raise LifecycleError(f"{self}: the attribute filterClass is required")
        try:
            self._filter = self._make()
        except DeploymentError as error:
            raise LifecycleError(f"{self}: {error}") from error

    def _make(self) -> Callable[[Environ, StartResponse], Iterable[bytes]]:
        found: Any = None
        with contextlib.suppress(ClassBroken):  # there is no class of that name: it may be a function
            found = find_class(self.filter_class) if ":" not in self.filter_class else None
        found = self._by_python_name() if found is None else found
        if isinstance(found, type) and issubclass(found, Component):
            made: Any = found()
            configure(made, self.filter_class, self.init_parameters, log)
            made.start(self._next, getattr(self.container, "application_context", None) or _NoApplication())
        else:
            made = call(found, self.filter_class, self.init_parameters, self._next)
        if not callable(made):
            raise DeploymentError(f"{self.filter_class!r} gave a {type(made).__name__}, expected a WSGI callable")
        filter_: Callable[[Environ, StartResponse], Iterable[bytes]] = made
        return filter_

    def _by_python_name(self) -> Any:
        module, _, attribute = self.filter_class.removesuffix("()").replace(":", ".").rpartition(".")
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            raise DeploymentError(f"filterClass {self.filter_class!r} cannot be loaded: {error}") from error

    def _stop(self) -> None:
        close = getattr(self._filter, "close", None)
        self._filter = None
        if callable(close):
            close()

    def _next(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        exchange: _Exchange | None = environ.get(self._key)
        if exchange is None:
            raise RuntimeError(f"{self}: the filter called the next application with an environ of its own making")
        return exchange.next(environ, start_response)

    def invoke(self, request: Request, response: Response) -> None:
        """Let the filter decide."""
        application = self._filter
        if application is None:
            raise LifecycleError(f"{self} has not been started")
        environ = request.build_environ()
        exchange = _Exchange(self, request, response, environ)
        environ[self._key] = exchange
        exchange._before[self._key] = exchange
        result = application(environ, exchange.start_response)
        close = getattr(result, "close", None)
        try:
            blocks = _begun(result)
            if exchange.passed_on:
                self._expect_nothing(blocks)
            else:
                self._answer(exchange, blocks, environ, request, response)
        finally:
            if callable(close):
                close()

    def _expect_nothing(self, blocks: Iterator[bytes]) -> None:
        if any(blocks):
            raise LifecycleError(f"{self}: the filter changes the body of what it passed on, which a valve cannot send")

    def _answer(
        self, exchange: _Exchange, blocks: Iterator[bytes], environ: Environ, request: Request, response: Response
    ) -> None:
        def replay(_environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            if exchange.started is not None:
                start_response(*exchange.started)
            return blocks

        run_application(replay, environ, request, response)


def _begun(result: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks, with the first one made: middleware that is written as a generator decides only then."""
    blocks = iter(result)
    first = next(blocks, None)
    return blocks if first is None else chain((first,), blocks)
