"""The error page of ``catalina run``: the whole traceback, only for clients on this machine."""

from __future__ import annotations

import ipaddress
import traceback
from html import escape
from typing import TYPE_CHECKING

from catalina.util.tomcat_css import STYLE
from catalina.valves.error_report_valve import DASH, ErrorReportValve

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["LocalTracebackValve"]

#: Fields that a proxy adds: the client is then on another machine.
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
#: Characters of a traceback that are shown.
MOST = 200_000


class LocalTracebackValve(ErrorReportValve):
    """An ErrorReportValve whose page for a local client has the traceback with its source lines. Other clients see no
    exception.

    A client is local when its connection comes over the loopback, without a proxy's fields, and its Host is a loopback
    address or ``localhost``. A request with another name that leads here (DNS rebinding) comes from another site's page
    in the developer's browser.
    """

    def report(self, response: Response, reason: str, description: str) -> None:
        """Show the traceback if there is one and the client may see it."""
        exception = response.exception
        if exception is None:
            super().report(response, reason, description)
        elif is_local(response.request):
            self._write(response, "text/html", self._traceback_page(exception))
        else:
            self._write(response, "text/html", _page(f"HTTP Status {response.status} {DASH} {reason}", description))

    @staticmethod
    def _traceback_page(exception: BaseException) -> str:
        text = "".join(traceback.format_exception(exception))
        if len(text) > MOST:
            text = f"... {len(text) - MOST} characters are left out; the log has them ...\n" + text[-MOST:]
        title = f"{type(exception).__name__}: {exception}".partition("\n")[0][:500]
        return _page(title, "Only clients on this machine see the traceback.", f"<pre>{escape(text)}</pre>")


def _page(title: str, sentence: str, content: str = "") -> str:
    title, line = escape(title), '<hr class="line" />'
    return (
        f'<!doctype html><html lang="en"><head><title>{title}</title><style type="text/css">{STYLE}</style></head>'
        f"<body><h1>{title}</h1>{line}{content}<p>{sentence}</p>{line}</body></html>"
    )


def is_local(request: Request) -> bool:
    """True when the client is on this machine, as far as a request can show it."""
    if any(request.headers.get(name) is not None for name in FORWARDED):
        return False
    return _is_loopback(request.peer_addr or request.remote_addr) and _is_local_name(request.server_name)


def _is_local_name(name: str) -> bool:
    name = name.lower().rstrip(".")
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(name.strip("[]"))


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback
