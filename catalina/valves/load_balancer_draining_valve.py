"""Sends clients whose session is elsewhere to another node while this one drains (LoadBalancerDrainingValve.java)."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from catalina.attributes import Attribute
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.carried import Context
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["LoadBalancerDrainingValve"]

log = logging.getLogger("org.apache.catalina.valves.LoadBalancerDrainingValve")

#: Set by the balancer (mod_jk, or mod_proxy with a header): ACT, DIS or STP.
ACTIVATION_ATTRIBUTE = "JK_LB_ACTIVATION"


class LoadBalancerDrainingValve(ValveBase):
    """When the balancer has disabled this node, redirects clients without a session here, and removes their cookie."""

    redirect_status_code = Attribute(int, 307, doc="Status of the redirect back to the balancer.")
    ignore_cookie_name = Attribute(str, "", doc="Cookie that lets a request through, for tests of a disabled node.")
    ignore_cookie_value = Attribute(str, "", doc="Value that cookie must have.")

    def invoke(self, request: Request, response: Response) -> None:
        """Redirect the request, or pass it on."""
        context = request.context
        draining = request.attributes.get(ACTIVATION_ATTRIBUTE) == "DIS"
        if not draining or context is None or _has_valid_session(request) or self._is_ignored(request):
            self.next.invoke(request, response)
            return
        log.debug("Load-balancer is in DISABLED state, draining this node")
        self._remove_session_cookie(request, context, response)
        response.send_redirect(_location(request, context), self.redirect_status_code)

    def _is_ignored(self, request: Request) -> bool:
        name, value = self.ignore_cookie_name, self.ignore_cookie_value
        return bool(name and value) and value in request.cookies.get(name, ())

    @staticmethod
    def _remove_session_cookie(request: Request, context: Context, response: Response) -> None:
        config = context.session_cookie
        requested = request.requested_session_id
        if requested is None or requested not in request.cookies.get(config.name, ()):
            return
        response.add_cookie(
            config.name,
            "",
            path=config.path or context.path or "/",
            domain=config.domain,
            max_age=0,
            secure=request.secure or config.secure,
            http_only=config.http_only,
            replace=True,
        )


def _has_valid_session(request: Request) -> bool:
    session = request.get_session(False) if request.requested_session_id is not None else None
    return session is not None and session.id == request.requested_session_id


def _location(request: Request, context: Context) -> str:
    """The same URL without the session id. Several slashes at its start would name another host."""
    uri = "/" + request.request_uri.lstrip("/")
    name = context.session_cookie.uri_parameter
    uri = re.sub(f";{re.escape(name)}=[^;/]*", "", uri, count=1)
    return uri if request.query_string is None else f"{uri}?{request.query_string}"
