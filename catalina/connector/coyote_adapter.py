"""Takes a parsed request to the engine's pipeline and back (Tomcat: connector/CoyoteAdapter.java)."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.connector.parameters import parse_cookies
from catalina.coyote.http_error import HttpError
from catalina.errors import LifecycleError, LimitError
from catalina.repeated_messages import RepeatedMessages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catalina.connector.carried import Context, FoundMapping, Service
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.connector.uri import UriRules
    from catalina.coyote.request_group_info import RequestGroupInfo
    from catalina.reactor import Reactor

__all__ = ["CoyoteAdapter"]

log = logging.getLogger("org.apache.catalina.connector.CoyoteAdapter")

#: Seconds between two looks at a context that is being reloaded, while its requests wait (Tomcat looks every second).
PAUSED_SECONDS = 0.05


class AdapterConnector(Protocol):
    """The connector, as far as it says how its requests are mapped and counted."""

    @property
    def service(self) -> Service | None: ...

    @property
    def reactor(self) -> Reactor: ...

    @property
    def request_info(self) -> RequestGroupInfo: ...

    @property
    def allow_trace(self) -> bool: ...

    @property
    def use_ipv_hosts(self) -> bool: ...

    def uri_rules(self) -> UriRules: ...


class CoyoteAdapter:
    """Maps requests of one connector and runs them through the pipelines."""

    def __init__(self, connector: AdapterConnector) -> None:
        """Raises LifecycleError: the connector belongs to no engine."""
        self.connector = connector
        self._messages = RepeatedMessages(log)
        self._uri_rules = connector.uri_rules()
        service = connector.service
        if service is None or service.engine is None:
            raise LifecycleError(f"{connector} has no engine that it could hand its requests to")
        self._mapper = service.mapper
        self._engine = service.engine
        self._pipeline = service.engine.pipeline
        self._count = connector.request_info.count

    def service(self, request: Request, response: Response) -> None:
        """Run one request to its end; then only :meth:`Response.finish` remains, when nothing holds the answer.

        A request that :meth:`Response.hand_over` leaves to another process is neither logged nor counted.

        Raises:
            ClientAbortException: the client has gone; there is nobody to answer.
        """
        try:
            if self._map(request, response):
                self._pipeline.first.invoke(request, response)
        except ClientAbortException:
            raise
        except HttpError as refused:
            self._answer_refusal(request, response, refused.status, refused.text)
        except LimitError as refused:
            self._fail(request, response, 400, refused)
        except BaseException as exc:  # noqa: BLE001 - a valve's own fault; the host's valve catches the application's
            self._messages.log(
                logging.ERROR, f"requests that failed with {type(exc).__name__}",
                "An error occurred while processing the request [%s]", request.request_uri, exc_info=exc,
            )  # fmt: skip
            self._fail(request, response, 500, exc)
        finally:
            if not response.handed_over:
                self._log_access(request, response)
            request.end_access()
            progress = request.progress
            if progress is not None:
                del progress.inside[request]
                if progress.waited_for:
                    progress.left()

    def refuse(self, request: Request, response: Response, status: int, text: str) -> None:
        """Answer an invalid request, or one that cannot be mapped; the access log has it."""
        self._answer_refusal(request, response, status, text)
        self._log_access(request, response)

    def _answer_refusal(self, request: Request, response: Response, status: int, text: str) -> None:
        """Answer through the engine's and the default host's valves, which write the error page."""
        if response.committed:
            return
        response.send_error(status, text)
        request.host = self._mapper.map(request.server_name, "/").host
        request.context = request.wrapper = None
        try:
            self._pipeline.first.invoke(request, response)
        except BaseException:  # noqa: BLE001 - a valve's own fault must not hide the refusal
            self._messages.log(
                logging.ERROR, "valves that failed on refused requests",
                "A valve failed on a request that was refused with [%s]", status, exc_info=True,
            )  # fmt: skip

    def _fail(self, request: Request, response: Response, status: int, exc: BaseException) -> None:
        response.exception = exc
        if response.committed:
            response.broken = True
            return
        response.reset()
        response.status = status
        response.is_error = True

    # FoundMapping

    def map_request(self, request: Request, response: Response) -> bool:
        """Map a request again after a valve has changed its URI or host; returns False when the answer is known
        already.

        Raises:
            HttpError: the URI is invalid.
        """
        return self._map(request, response)

    def _map(self, request: Request, response: Response) -> bool:
        """Find host, context and servlet; returns False when the answer is known already."""
        uri = request.request_uri
        if uri == "*":
            if request.method != "OPTIONS":  # HTTP has refused it already; AJP passes on what the web server got
                raise HttpError(400, f"The target * is for OPTIONS, not for {request.method}")
            return self._map_server_options(request, response)
        rules = self._uri_rules
        decoded = rules.remembered.get(uri) or rules.decode(uri)
        request.decoded_uri = decoded.path
        if decoded.parameters:
            request.path_parameters = decoded.parameters
        data = self._find(request, decoded.path)
        request.host = data.host
        context = data.context
        request.context = context
        request.wrapper = data.wrapper
        request.servlet_path = data.servlet_path
        request.path_info = data.path_info
        if context is not None:
            path = data.context_path
            # As sent, because cookies and links need the client's own spelling.
            request.context_path = path if uri.startswith(path) else self._uri_rules.raw_prefix(uri, path) or path
        if data.redirect_path is not None:
            self._redirect(request, response, context, data.redirect_path)
            return False
        if request.method == "TRACE" and not self.connector.allow_trace:
            return self._refuse_trace(request, response)
        return True

    def _find(self, request: Request, path: str) -> FoundMapping:
        """Map, and map again while a context is being reloaded, or when the session belongs to another version."""
        name = request.local_name if self.connector.use_ipv_hosts else request.server_name
        mapper = self._mapper
        data = mapper.remembered.get((name, path)) or mapper.map(name, path)
        context = data.context
        if context is not None and context.paused:
            data = self._wait_for_reload(name, path)
            context = data.context
        if context is None:
            return data
        self._find_session_id(request, context)
        if data.contexts and request.requested_session_id is not None:
            version = self._version_of_session(request.requested_session_id, data.contexts)
            if version is not None and version != context.web_app_version:
                data = self._mapper.map(name, path, version)
                if data.context is not None:
                    self._find_session_id(request, data.context)
        return data

    def _wait_for_reload(self, name: str, path: str) -> FoundMapping:
        with self.connector.reactor.blocking():
            while True:
                time.sleep(PAUSED_SECONDS)
                data = self._mapper.map(name, path)
                if data.context is None or not data.context.paused:
                    return data

    @staticmethod
    def _version_of_session(session_id: str, contexts: Sequence[Context]) -> str | None:
        """The newest version of the application that knows the requested session."""
        for context in contexts:
            manager = context.manager
            if manager is not None and manager.find_session(session_id) is not None:
                return context.web_app_version
        return None

    @staticmethod
    def _find_session_id(request: Request, context: Context) -> None:
        """The session id that the client sends: in the URL, or in a cookie, which wins."""
        config = context.session_cookie
        if request.path_parameters and config.url_tracking:
            in_url = request.path_parameters.get(config.uri_parameter)
            if in_url:
                request.requested_session_id = in_url
                request.requested_session_id_from_url = True
        if not config.cookie_tracking:
            return
        headers, limit = request.headers, request.connector.max_cookie_count
        known = headers.memo.cookies
        if known is not None and known[0] and not 0 <= limit < known[1]:
            values = known[2].get(config.name)  # parse_cookies, without the call
        else:
            try:
                # Not the request's own cookies: the rules by which the application reads others are unknown before it
                # is mapped.
                values = parse_cookies(headers, limit).get(config.name)
            except LimitError as exc:
                raise HttpError(400, exc.text) from exc
        if not values:
            return
        chosen = values[0]
        if len(values) > 1:  # an outdated cookie of another path may come first
            chosen = next((value for value in values if _is_valid(context, value)), values[-1])
        request.requested_session_id = chosen
        request.requested_session_id_from_cookie = True
        request.requested_session_id_from_url = False

    def _redirect(self, request: Request, response: Response, context: Context | None, location: str) -> None:
        """Redirect to the slash behind a context path, with the session id and the query as they came."""
        if request.requested_session_id_from_url and context is not None:
            parameter = context.session_cookie.uri_parameter
            location += f";{parameter}={request.requested_session_id}"
        if request.query_string is not None:
            location += f"?{request.query_string}"
        response.send_redirect(location)

    def _log_access(self, request: Request, response: Response) -> None:
        """Add the request to the counters and access logs of context, host and engine; all valves have returned, as in
        Tomcat.
        """
        container = request.context or request.host or self._engine
        elapsed_ns = time.monotonic_ns() - request.start_time_ns
        container.log_access(request, response, elapsed_ns)
        self._count(elapsed_ns, response.status >= 400, response.bytes_written(), request.input.bytes_read)

    def _map_server_options(self, request: Request, response: Response) -> bool:
        methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]
        if self.connector.allow_trace:
            methods.insert(5, "TRACE")
        response.set_header("Allow", ", ".join(methods))
        return False

    def _refuse_trace(self, request: Request, response: Response) -> bool:
        response.set_header("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS")
        response.send_error(405, "TRACE method is not allowed")
        return True


def _is_valid(context: Context, session_id: str) -> bool:
    manager = context.manager
    session = None if manager is None else manager.find_session(session_id)
    return session is not None and session.is_valid
