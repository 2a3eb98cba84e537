"""The parts of the container that a request carries, as the code that serves it sees them.

The mapper finds host, context and servlet, the connection knows its connector. The classes are higher up
(``catalina.core``); a valve, a session function or a field of the access log needs a few members of them, and these are
here, by what they are needed for. A test implements as much as it needs.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from catalina.connector.outlet import Encoder
    from catalina.connector.request import Request
    from catalina.connector.request_executor import RequestExecutor
    from catalina.connector.response import Response
    from catalina.reactor import Reactor
    from catalina.session.manager import Manager
    from catalina.tomcat.util.http.rfc6265_cookie_processor import Rfc6265CookieProcessor
    from catalina.util.session_cookie_config import SessionCookieConfig
    from catalina.webresources.resource import Resource

__all__ = [
    "Context",
    "FoundMapping",
    "Host",
    "MappedContext",
    "RequestConnector",
    "RequestLimits",
    "Service",
    "Wrapper",
]


class Valve(Protocol):
    """One step on the way to the servlet."""

    def invoke(self, request: Request, response: Response) -> None: ...


class Pipeline(Protocol):
    """The valves of one container."""

    @property
    def first(self) -> Valve: ...


class Container(Protocol):
    """Engine, host, context, servlet."""

    @property
    def name(self) -> str: ...

    @property
    def pipeline(self) -> Pipeline: ...

    def log_access(self, request: Request, response: Response, time_ns: int) -> None: ...


class Wrapper(Container, Protocol):
    """The servlet."""

    @property
    def role_mappings(self) -> Mapping[str, str]: ...


class Resources(Protocol):
    """The files of the application."""

    def get_resource(self, path: str) -> Resource: ...


class MappedContext(Container, Protocol):
    """An application as the mapper knows it."""

    @property
    def path(self) -> str: ...

    @property
    def web_app_version(self) -> str: ...

    @property
    def version_key(self) -> str: ...

    @property
    def paused(self) -> bool: ...

    @property
    def resources(self) -> Resources: ...

    @property
    def mapper_context_root_redirect_enabled(self) -> bool: ...

    @property
    def mapper_directory_redirect_enabled(self) -> bool: ...


class SessionContext(Protocol):
    """The part of an application with which sessions are found, made and told to the client."""

    @property
    def manager(self) -> Manager | None: ...

    @property
    def distributable(self) -> bool: ...

    @property
    def session_cookie(self) -> SessionCookieConfig: ...

    @property
    def session_cookie_path_uses_trailing_slash(self) -> bool: ...

    @property
    def validate_client_provided_new_session_id(self) -> bool: ...

    def prefer_session_cookie(self, secure: bool, same_site: str | None, partitioned: bool) -> None: ...


class ResponseRules(Protocol):
    """The application's settings for reading requests and writing answers."""

    @property
    def cookie_processor(self) -> Rfc6265CookieProcessor: ...

    @property
    def request_character_encoding(self) -> str | None: ...

    @property
    def use_relative_redirects(self) -> bool: ...

    @property
    def send_redirect_body(self) -> bool: ...

    @property
    def use_partitioned(self) -> bool: ...

    @property
    def preemptive_authentication(self) -> bool: ...


class ApplicationFacts(Protocol):
    """Facts about the application."""

    @property
    def attributes(self) -> MutableMapping[str, object]: ...


class Context(MappedContext, SessionContext, ResponseRules, Protocol):
    """The application."""

    @property
    def document_root(self) -> Path: ...

    @property
    def application_context(self) -> ApplicationFacts: ...

    @property
    def affinity(self) -> tuple[str, str] | None: ...

    @property
    def user(self) -> str | None: ...

    def serves_route(self, route: str) -> bool: ...


class Host(Container, Protocol):
    """The host."""

    @property
    def contexts(self) -> Sequence[SessionContext]: ...


class FoundMapping(Protocol):
    """The result of the mapper, shared by all requests of the same path."""

    @property
    def host(self) -> Host | None: ...

    @property
    def context(self) -> Context | None: ...

    @property
    def contexts(self) -> Sequence[Context]: ...

    @property
    def wrapper(self) -> Wrapper | None: ...

    @property
    def context_path(self) -> str: ...

    @property
    def servlet_path(self) -> str: ...

    @property
    def path_info(self) -> str | None: ...

    @property
    def redirect_path(self) -> str | None: ...


class RequestMapper(Protocol):
    """Finds the servlet for a host name and a path."""

    @property
    def remembered(self) -> Mapping[tuple[str, str], FoundMapping]:
        """The answers for the newest version that are known already, by host name and path."""

    def map(self, host_name: str, path: str, version: str | None = None) -> FoundMapping: ...


class Role(Protocol):
    """The role of a process in a node of several."""

    @property
    def index(self) -> int: ...

    @property
    def others_serve(self) -> bool: ...

    @property
    def listens(self) -> bool: ...

    def note_connections(self) -> None: ...

    def may_accept(self) -> bool: ...


class Server(Protocol):
    """The whole process."""

    @property
    def role(self) -> Role | None: ...

    @property
    def catalina_base(self) -> Path: ...

    @property
    def port_offset(self) -> int: ...

    @property
    def properties(self) -> dict[str, str]: ...

    @property
    def reactor(self) -> Reactor: ...

    @property
    def workers(self) -> int: ...

    @property
    def restart_reason(self) -> str: ...


class Service(Protocol):
    """The service of a connector, which gets its requests."""

    @property
    def server(self) -> Server | None: ...

    @property
    def engine(self) -> Container | None: ...

    @property
    def mapper(self) -> RequestMapper: ...

    def find_executor(self, name: str) -> ThreadPool | None: ...


class ThreadPool(Protocol):
    """An ``<Executor>`` that connectors may share."""

    #: Made by the first connector that uses the pool.
    request_executor: RequestExecutor | None

    @property
    def name_prefix(self) -> str: ...

    @property
    def max_threads(self) -> int: ...

    @property
    def max_queue_size(self) -> int: ...

    @property
    def min_spare_threads(self) -> int: ...

    @property
    def max_idle_time(self) -> int: ...


class RequestLimits(Protocol):
    """The connector's limits for parameters, forms and cookies."""

    @property
    def uri_encoding(self) -> str: ...

    @property
    def use_body_encoding_for_uri(self) -> bool: ...

    @property
    def parse_body_methods(self) -> Sequence[str]: ...

    @property
    def max_parameter_count(self) -> int: ...

    @property
    def max_cookie_count(self) -> int: ...

    @property
    def max_post_size(self) -> int: ...

    @property
    def max_save_post_size(self) -> int: ...


class RequestConnector(RequestLimits, Protocol):
    """The connector through which the request came."""

    @property
    def enable_lookups(self) -> bool: ...

    def host_name_of(self, address: str) -> str: ...

    @property
    def compresses(self) -> bool: ...

    def choose_encoder(self, request: Request, response: Response, size: int, complete: bool) -> Encoder | None: ...

    @property
    def draining(self) -> bool: ...

    @property
    def acknowledges_when_mapped(self) -> bool: ...

    @property
    def port_with_offset(self) -> int: ...

    @property
    def has_own_port(self) -> bool: ...

    @property
    def redirect_port_with_offset(self) -> int: ...

    @property
    def service(self) -> Service | None: ...

    @property
    def reactor(self) -> Reactor: ...

    def map_request(self, request: Request, response: Response) -> bool: ...
