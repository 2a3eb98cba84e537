"""One servlet of an application: a WSGI callable under a name (Tomcat: core/StandardWrapper.java).

A servlet that is loaded may turn out to be an ASGI application, which is wrapped as WSGI if the Context says so.

With ``frameworkSessions="auto"`` Flask and Django keep their sessions in the container without a change of their code.
That happens when a servlet was loaded, and only for a distributable application, which has declared that its sessions
may travel. A choice of the application itself is never changed.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from catalina.core.container_base import ContainerBase
from catalina.core.container_servlet import ContainerServlet
from catalina.core.node_restart import refuse_state_of_another
from catalina.core.standard_wrapper_valve import StandardWrapperValve
from catalina.coyote.request_group_info import RequestGroupInfo
from catalina.errors import DeploymentError
from catalina.loader.load_failure import describe_failure
from catalina.loader.object_names import find_object, instantiate
from catalina.mbeans.secrets import shown
from catalina.operations import Impact, Long, operation, readable
from catalina.webapp import UnavailableError, send_error

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.descriptor.elements import ServletDef
    from catalina.loader.webapp_loader import WebappLoader

__all__ = ["ServletConfig", "StandardWrapper", "adapt_asgi", "adopt_sessions", "is_asgi"]

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


#: Java's largest long.
LONG_MAX = 2**63 - 1

#: Tomcat's words (DefaultInstanceManager).
RESTRICTED = (
    "Access to class [{}] is forbidden. It is a restricted class (implements ContainerServlet). A web application must "
    "be configured as privileged to be able to load it"
)
#: Seconds that a stop waits for work that an application runs in its loop.
STOP_SECONDS = 2.0

_REFUSED = (
    "{} is an ASGI application, and WSGI is spoken here; wrap it: a2wsgi.ASGIMiddleware(app), "
    'or asgi="wrap" on its Context'
)
_WRAPPED = (
    "[%s] is an ASGI application; a2wsgi serves it: requests and streamed answers, but no WebSocket and no lifespan"
)
log = logging.getLogger("org.apache.catalina.core.StandardContext")

#: Module that an application of the framework has loaded -> the function that makes the framework use the container's
#: sessions.
FRAMEWORKS = {
    "flask": ("flask.app", "catalina.contrib.flask:adopt"),
    "django": ("django.core.handlers.base", "catalina.contrib.django:adopt"),
}


@dataclass(frozen=True, slots=True)
class ServletConfig:
    """``environ["catalina.servlet"]``: name and init parameters of the servlet that answers."""

    name: str
    init_parameters: Mapping[str, str]


class StandardWrapper(ContainerBase):
    """A servlet definition and, after the first request or load-on-startup, its WSGI callable."""

    def __init__(self, definition: ServletDef) -> None:
        super().__init__()
        self.definition = definition
        self.name = definition.name
        self.config = ServletConfig(definition.name, MappingProxyType(definition.init_parameters))
        self.pipeline.basic = StandardWrapperValve()
        #: The WSGI callable, None until it is loaded; :meth:`allocate` gives it in either case.
        self.application: Application | None = None
        #: False as long as :meth:`is_unavailable` cannot be true, so that a request need not ask.
        self.may_be_unavailable = not definition.enabled
        #: time.monotonic() after which a temporarily unavailable servlet may be called again; inf for never.
        self._unavailable_until = 0.0
        self._loading = threading.RLock()
        #: Counts of served requests; a request that was dispatched on counts for the servlet that it reached first.
        self.requests = RequestGroupInfo()
        #: Milliseconds that loading and starting took.
        self.load_time = 0

    @property
    def request_count(self) -> int:
        """Requests answered."""
        return self.requests.request_count

    @property
    def error_count(self) -> int:
        """The number of answers that were errors."""
        return self.requests.error_count

    @property
    def processing_time(self) -> Long:
        """Milliseconds in the servlet and its filters, for all requests together."""
        return self.requests.processing_time

    @property
    def max_time(self) -> Long:
        """Milliseconds of the longest request."""
        return self.requests.max_time

    @property
    def min_time(self) -> Long:
        """Milliseconds of the shortest request; Java's largest number before the first."""
        shortest = self.requests.min_time
        return LONG_MAX if shortest is None else shortest

    @property
    @readable("available", doc="0: it answers; else until when it does not, in ms since 1970.")
    def available_at(self) -> Long:
        if not self.is_unavailable():
            return 0
        rest = self.retry_after
        return LONG_MAX if rest is None else int((time.time() + rest) * 1000)

    @property
    @readable("loadOnStartup", doc="Its place in the start; negative: with its first request.")
    def start_order(self) -> int:
        place = self.definition.load_on_startup
        return -1 if place is None else place

    @operation(impact=Impact.INFO)
    def find_mappings(self) -> list[str]:
        """Its url-patterns."""
        return list(self.mappings)

    @operation(impact=Impact.INFO)
    def find_init_parameters(self) -> list[str]:
        """Names of its initialisation parameters."""
        return list(self.definition.init_parameters)

    @operation(impact=Impact.INFO)
    def find_init_parameter(self, name: str) -> str | None:
        """One of them, null when there is none; a secret is hidden."""
        value = self.definition.init_parameters.get(name)
        return None if value is None else shown(name, value)

    @property
    def servlet_class(self) -> str:
        """The name from web.xml."""
        return self.definition.servlet_class

    @property
    def mappings(self) -> tuple[str, ...]:
        """Its url-patterns."""
        return tuple(pattern for pattern, name in self.context.servlet_mappings.items() if name == self.name)

    @property
    def role_mappings(self) -> Mapping[str, str]:
        """Roles of the realm, by the names that the application gives them."""
        return self.context.role_mappings

    @property
    def context(self) -> StandardContext:
        """The application it belongs to."""
        return self.parent  # type: ignore[return-value]  # the parent of a wrapper is a context

    @property
    def is_loaded(self) -> bool:
        """True when its WSGI callable has been made."""
        return self.application is not None

    def is_unavailable(self) -> bool:
        """True when requests get 404 (disabled, or gone for good) or 503 (back later)."""
        until = self._unavailable_until
        return not self.definition.enabled or (until > 0 and until > time.monotonic())

    @property
    def retry_after(self) -> float | None:
        """Seconds until the servlet may be called again; None when it is gone for good."""
        rest = self._unavailable_until - time.monotonic()
        return None if rest == float("inf") or not self.definition.enabled else max(0.0, rest)

    def unavailable(self, seconds: float | None) -> None:
        """Answer 503 for that many seconds; None: 404 from now on."""
        self._unavailable_until = float("inf") if seconds is None else time.monotonic() + seconds
        self.may_be_unavailable = True

    def allocate(self) -> Application:
        """The WSGI callable, made now if necessary.

        Raises:
            DeploymentError: the callable cannot be loaded or made; the servlet is unavailable from now on.
            UnavailableError: the servlet itself says that it is unavailable.
        """
        application = self.application
        return application if application is not None else self.load()

    def load(self) -> Application:
        """Make the WSGI callable: see :mod:`catalina.loader.object_names`. Errors as :meth:`allocate`."""
        with self._loading:
            if self.application is None:
                began = time.monotonic()
                try:
                    made = self._make()
                    context = self.context
                    refuse_state_of_another(context.server, context.name, context.loader.state_of_another())
                    self.application = made
                    adopt_sessions(self.context, made)
                    self.load_time = int((time.monotonic() - began) * 1000)
                except UnavailableError as exc:
                    self.unavailable(exc.seconds)
                    raise
                except DeploymentError:
                    self.unavailable(None)
                    raise
            return self.application

    def _make(self) -> Application:
        context, definition = self.context, self.definition
        name = definition.servlet_class
        if not name:
            what = f"the JSP {definition.jsp_file!r}" if definition.jsp_file else "nothing"
            raise DeploymentError(f"servlet [{self.name}] names {what}, not a WSGI callable")
        with context.loader.bound():
            found = find_object(context.loader, name)
            if not context.privileged and isinstance(found, type) and issubclass(found, ContainerServlet):
                raise DeploymentError(RESTRICTED.format(name))
            made = instantiate(found, name, definition.init_parameters, context.logger)
            if isinstance(made, ContainerServlet):
                if not context.privileged:  # a factory has made it
                    raise DeploymentError(RESTRICTED.format(name))
                made.wrapper = self
                stand_in = self._stand_in(made)
                if stand_in is not None:
                    return stand_in
            start = getattr(made, "start_servlet", None)
            if start is not None:
                start(self.config, context)
        if not callable(made):
            raise DeploymentError(f"servlet [{self.name}]: {name!r} is a {type(made).__name__}, not a WSGI callable")
        if is_asgi(made):
            with context.loader.bound():
                return adapt_asgi(made, name, context.asgi == "wrap", context.loader, context.logger)
        return made

    def _stand_in(self, servlet: ContainerServlet) -> Application | None:
        """A callable that passes requests on, when the servlet runs in another process of the node."""
        server = self.context.server
        role = None if server is None else server.role
        return None if role is None else role.stand_in(self, servlet)

    def _stop(self) -> None:
        super()._stop()
        application, self.application = self.application, None
        self._unavailable_until = 0.0
        self.may_be_unavailable = not self.definition.enabled
        close = getattr(application, "close_servlet", None)
        if close is not None:
            close()


def is_asgi(application: object) -> bool:
    """True when calling the application gives a coroutine, as with FastAPI, Starlette and other ASGI applications."""
    return inspect.iscoroutinefunction(application) or inspect.iscoroutinefunction(type(application).__call__)


def adapt_asgi(application: object, name: str, wrap: bool, loader: WebappLoader, log: logging.Logger) -> Application:
    """The WSGI application for an ASGI one; one line of the log says which features work.

    Args:
        application: the ASGI application.
        name: ``module:callable``, for messages.
        wrap: ``asgi="wrap"`` of the Context; without it each request gets a 500 that names the remedy.
        loader: finds a2wsgi, the application's own or the server's.

    Raises:
        DeploymentError: the application should be wrapped, but a2wsgi is not installed.
    """
    if not wrap:
        sentence = _REFUSED.format(name)
        log.warning("[%s] answers each request with 500: %s", name, sentence)
        return lambda environ, start_response: send_error(environ, start_response, 500, sentence)
    try:
        middleware = loader.load("a2wsgi:ASGIMiddleware")
    except DeploymentError as error:
        raise DeploymentError(f'asgi="wrap" of {name!r} needs the package a2wsgi: {error}') from error
    log.info(_WRAPPED, name)
    return _Wrapped(middleware, application, name)


class _Wrapped:
    """a2wsgi's middleware with an event loop of this servlet, which ends with the servlet."""

    def __init__(self, middleware: Any, application: object, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._middleware = middleware(application, loop=self._loop)
        self._thread = threading.Thread(target=self._run, name=f"asgi-{name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._middleware(environ, start_response)
        return answer

    def close_servlet(self) -> None:
        """End the loop and its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)


def adopt_sessions(context: StandardContext, application: object) -> None:
    """Switch each framework that the application has loaded, once, and log what was done.

    Args:
        application: the WSGI callable that was just loaded.
    """
    loader = context.loader
    if not context.adopts_framework_sessions or loader.space is None:
        return
    for framework, (sign, asked) in FRAMEWORKS.items():
        if framework in loader.space.adopted or not loader.uses(sign):
            continue
        loader.space.adopted.add(framework)
        try:
            adopt = loader.load(asked)
            with loader.bound():
                done = adopt(application)
        except DeploymentError as error:  # the adapter does not know this version of the framework
            log.warning('[%s] frameworkSessions="auto": the sessions stay as they are: %s', context.name or "/", error)
            continue
        except Exception as error:  # the code is the framework's, the settings are the application's
            log.warning('[%s] frameworkSessions="auto": the sessions stay as they are: %s', context.name or "/",
                        describe_failure(error), exc_info=True)  # fmt: skip
            continue
        if done:
            log.info('[%s] frameworkSessions="auto": %s', context.name or "/", done)
