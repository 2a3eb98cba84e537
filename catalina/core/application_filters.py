"""The filters of one application and the chains they form (Tomcat: core/ApplicationFilterFactory.java).

A filter is a factory of WSGI middleware. It is called once, with the next application and its init parameters, however
many chains it is part of, so that a rate limit or a cache in it counts for the whole application. The next application
depends on the request, so the filter gets a stand-in that looks it up in the environ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from catalina.attributes import Component
from catalina.descriptor.elements import FilterDef, FilterMap
from catalina.errors import DeploymentError
from catalina.loader.object_names import call, configure, find_object

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["ApplicationFilters", "matches_url"]

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: The environ's key of the running chain.
CHAIN = "catalina.filter_chain"
#: The number of chains that are remembered, because clients choose the paths.
MAX_REMEMBERED = 2048


def matches_url(pattern: str, path: str) -> bool:
    """True when a filter's url-pattern matches; every matching mapping applies (Servlet 6.0, section 6.2.4)."""
    if pattern == path or pattern == "/*":
        return True
    if pattern.endswith("/*"):
        return path.startswith(pattern[:-1]) or path == pattern[:-2]
    if pattern.startswith("*."):
        name = path[path.rfind("/") + 1 :]
        return "." in name and name[name.rfind(".") :] == pattern[1:]
    return False


class _Filter:
    """One instance of a filter: the middleware, and the stand-in for the next application of the running chain."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.application: Application

    def next(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        chain: dict[_Filter, Application] | None = environ.get(CHAIN)
        if chain is None:
            raise RuntimeError(f"filter [{self.name}] called the next application with an environ of its own making")
        return chain[self](environ, start_response)


class ApplicationFilters:
    """Makes the filters at the start of the application; afterwards gives each request its chain."""

    def __init__(self, context: StandardContext) -> None:
        self._context = context
        #: The filters by name; most applications have none.
        self.instances: dict[str, list[_Filter]] = {}
        self._by_url: list[tuple[FilterMap, str]] = []
        self._by_servlet: list[tuple[FilterMap, str]] = []
        self._remembered: dict[tuple[str, str, str, int], Application] = {}

    def start(self, definitions: dict[str, FilterDef], mappings: list[FilterMap]) -> bool:
        """Make every filter; returns False, after logging, when one cannot be made: the application must not run
        without it.
        """
        good = True
        for definition in definitions.values():
            try:
                self.instances[definition.name] = [self._make(definition)]
            except DeploymentError as exc:
                self._context.logger.error("Exception starting filter [%s]: %s", definition.name, exc)
                self._context.note_failure(f"filter [{definition.name}]: {exc}")
                good = False
        for mapping in mappings:
            self._by_url += [(mapping, pattern) for pattern in mapping.url_patterns]
            self._by_servlet += [(mapping, name) for name in mapping.servlet_names]
        return good

    def stop(self) -> None:
        """Call ``close()`` of the filters that have one, and forget all."""
        for instances in self.instances.values():
            for instance in instances:
                close = getattr(instance.application, "close", None)
                if callable(close):
                    self._close(instance.name, close)
        self.instances.clear()
        self._by_url.clear()
        self._by_servlet.clear()
        self._remembered.clear()

    def _close(self, name: str, close: Callable[[], None]) -> None:
        try:
            close()
        except BaseException:  # the code is the application's
            self._context.logger.exception("Exception stopping filter [%s]", name)

    def chain(self, servlet_name: str, path: str | None, dispatcher: str, servlet: Application) -> Application:
        """A WSGI application that runs the matching filters and then ``servlet``.

        Args:
            path: the path inside the context; None for a named dispatcher, which has none.
        """
        if not self.instances:
            return servlet
        key = (servlet_name, path or "", dispatcher, id(servlet))
        remembered = self._remembered.get(key) if path is not None else None
        if remembered is not None:
            return remembered
        application = self._compose(self._matching(servlet_name, path, dispatcher), servlet)
        if path is not None:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = application
        return application

    def _matching(self, servlet_name: str, path: str | None, dispatcher: str) -> list[str]:
        """The names of the filters in order: first those that match by url-pattern, then those that match by servlet
        name.
        """
        names = []
        if path is not None:
            for mapping, pattern in self._by_url:
                if dispatcher in mapping.dispatchers and matches_url(pattern, path):
                    names.append(mapping.filter_name)
        for mapping, name in self._by_servlet:
            if dispatcher in mapping.dispatchers and name in ("*", servlet_name):
                names.append(mapping.filter_name)
        return names

    def _compose(self, names: list[str], servlet: Application) -> Application:
        if not names:
            return servlet
        steps: list[_Filter] = []
        for name in names:
            steps.append(self._instance(name, names[: len(steps)].count(name)))
        following: list[Application] = [*(step.application for step in steps[1:]), servlet]
        chain = dict(zip(steps, following, strict=True))
        first = steps[0].application

        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            environ[CHAIN] = chain
            return first(environ, start_response)

        return application

    def _instance(self, name: str, occurrence: int) -> _Filter:
        """A filter that stands in a chain twice needs two instances, because each has one next application."""
        instances = self.instances[name]
        while len(instances) <= occurrence:
            instances.append(self._make(self._context.filter_definitions[name]))
        return instances[occurrence]

    def _make(self, definition: FilterDef) -> _Filter:
        """Call the factory. The container's own filters are components, and their attributes are the init parameters.

        Raises:
            DeploymentError: the factory cannot be found or fails, or its result cannot be called.
        """
        made = _Filter(definition.name)
        context = self._context
        with context.loader.bound():
            found = find_object(context.loader, definition.filter_class)
            if isinstance(found, type) and issubclass(found, Component):
                application: Any = found()
                configure(application, definition.filter_class, definition.init_parameters, context.logger)
                application.start(made.next, context.application_context)
            else:
                application = call(found, definition.filter_class, definition.init_parameters, made.next)
        if not callable(application):
            kind = type(application).__name__
            raise DeploymentError(f"{definition.filter_class!r} gave a {kind}; a filter factory gives a WSGI callable")
        made.application = application
        return made
