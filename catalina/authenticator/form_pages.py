"""Shows a page of the application in place of the requested one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from catalina.connector.client_abort_exception import ClientAbortException
from catalina.core.application_dispatcher import ApplicationDispatcher
from catalina.core.standard_wrapper_valve import run_servlet

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response
    from catalina.core.standard_context import StandardContext

__all__ = ["forward"]

log = logging.getLogger("org.apache.catalina.authenticator.FormAuthenticator")


def forward(context: StandardContext, page: str, request: Request, response: Response) -> bool:
    """Forward the request to ``page``, a path in the application. Returns False when no servlet answers, or it
    fails.
    """
    try:
        dispatcher = ApplicationDispatcher.for_path(context, page)
    except ValueError:
        dispatcher = None
    if dispatcher is None or dispatcher.mapping is None:
        log.warning("Nothing in context [%s] answers for the page [%s]", context.name, page)
        return False
    mapping = dispatcher.mapping
    saved = (request.wrapper, request.servlet_path, request.path_info, request.query_string, request.request_uri)
    request.wrapper, request.servlet_path, request.path_info = mapping.wrapper, mapping.servlet_path, mapping.path_info
    request.query_string = dispatcher.query or request.query_string
    request.request_uri = dispatcher.uri
    try:
        path = mapping.servlet_path + (mapping.path_info or "")
        run_servlet(context, dispatcher.wrapper, request, response, path, "FORWARD")
    except ClientAbortException:
        raise
    except BaseException:  # the code is the application's page
        log.warning("Unexpected error forwarding to page [%s]", page, exc_info=True)
        return False
    finally:
        request.wrapper, request.servlet_path, request.path_info, request.query_string, request.request_uri = saved
    return True
