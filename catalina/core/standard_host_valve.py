"""Last valve of a host: runs the application and, after an error, the application's error page.

Tomcat: core/StandardHostValve.java.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.core.application_dispatcher import ApplicationDispatcher
from catalina.core.standard_wrapper_valve import run_servlet
from catalina.descriptor.elements import ErrorPage
from catalina.mapper.servlet_map import ServletMatch
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.core.standard_context import StandardContext

__all__ = ["StandardHostValve"]

log = logging.getLogger("org.apache.catalina.core.StandardHostValve")

ERROR = "jakarta.servlet.error."


class StandardHostValve(ValveBase):
    """Stands between the host and its applications."""

    def invoke(self, request: Request, response: Response) -> None:
        context: StandardContext | None = request.context  # type: ignore[assignment]  # the mapper knows no others
        if context is None:
            if not response.is_error:
                response.send_error(404)
            return
        listeners = context.listener_table
        if listeners.request_initialized and not listeners.fire_request_initialized(request):
            _fail(response)
        try:
            if not response.is_error:
                context.pipeline.first.invoke(request, response)
        except ClientAbortException:
            raise
        except BaseException as exc:  # the code is that of valves and the application
            context.logger.error("Exception Processing [%s]", request.request_uri, exc_info=exc)
            response.exception = exc
            _fail(response)
        if response.is_error and context.state.available:
            _write_error_page(context, request, response)
        if listeners.request_destroyed:
            listeners.fire_request_destroyed(request)
        if context.always_access_session:
            request.get_session(False)


def _fail(response: Response) -> None:
    if response.committed:
        response.broken = True
    elif not response.is_error:
        response.send_error(500)


def _write_error_page(context: StandardContext, request: Request, response: Response) -> None:
    """Write the application's own page for this error, if it has one; otherwise ErrorReportValve writes one."""
    pages = context.error_pages
    exception = response.exception
    page = pages.for_exception(exception) if exception is not None else None
    if page is None:
        page = pages.for_status(response.status)
    if page is None or response.committed:
        return
    for_exception = page.exception_type is not None
    _set_error_attributes(request, response, for_exception)
    # A page for an exception that fails itself leaves an empty body; a page for a status leaves it to the host's valve.
    if _dispatch(context, page, request, response) or for_exception:
        response.set_error_reported()


def _set_error_attributes(request: Request, response: Response, for_exception: bool) -> None:
    attributes = request.attributes
    exception = response.exception
    attributes[ERROR + "status_code"] = response.status
    attributes[ERROR + "message"] = response.message or (str(exception) if for_exception else "")
    attributes[ERROR + "request_uri"] = request.request_uri
    attributes[ERROR + "servlet_name"] = request.wrapper.name if request.wrapper is not None else None
    if exception is not None:
        attributes[ERROR + "exception"] = exception
        attributes[ERROR + "exception_type"] = type(exception)


def _dispatch(context: StandardContext, page: ErrorPage, request: Request, response: Response) -> bool:
    """Run the page with the error's status; returns False when there is no page at that location, or it fails."""
    dispatcher = ApplicationDispatcher.for_path(context, page.location)
    if dispatcher is None:
        log.error("Unable to dispatch to the error page [%s] of context [%s]", page.location, context.name)
        return False
    status, message = response.status, response.message
    response.reset_buffer()
    for name in ("Content-Type", "Content-Length"):
        response.remove_header(name)
    response.suspended = False
    response.is_error = False
    saved = (request.method, request.wrapper, request.servlet_path, request.path_info, request.query_string)
    mapping = dispatcher.mapping or ServletMatch()
    request.wrapper, request.servlet_path, request.path_info = mapping.wrapper, mapping.servlet_path, mapping.path_info
    request.query_string = dispatcher.query or request.query_string
    try:
        path = mapping.servlet_path + (mapping.path_info or "")
        run_servlet(context, dispatcher.wrapper, request, response, path, "ERROR")
    except ClientAbortException:
        raise
    except BaseException:  # the code is the application's page; the first error stands
        context.logger.exception("Exception Processing [%s]", page)
        if response.committed:
            response.broken = True
        else:
            response.reset_buffer()
        return False
    finally:
        request.method, request.wrapper, request.servlet_path, request.path_info, request.query_string = saved
        response.is_error = True
        if not response.committed:
            response.status, response.message = status, message
    return True
