"""Writes the page for an error for which no application has one (Tomcat: valves/ErrorReportValve.java)."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute
from catalina.connector.client_abort_exception import ClientAbortException
from catalina.descriptor.elements import ErrorPage
from catalina.util.error_pages import ErrorPages
from catalina.util.server_info import SERVER_INFO
from catalina.util.tomcat_css import STYLE, escape_text
from catalina.valves.status_texts import UNKNOWN, describe_status
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["ErrorReportValve"]

log = logging.getLogger("org.apache.catalina.valves.ErrorReportValve")

#: Frames of an exception that are shown: the innermost ones of the application, not the container's.
MAX_FRAMES = 30
#: Causes of an exception that are shown (ErrorReportValve.report).
MAX_CAUSES = 10
DASH = "\N{EN DASH}"


class ErrorReportValve(ValveBase):
    """The first valve of a host, which does its work last: it writes a body for errors without one.

    ``errorCode.404="path"`` and ``exceptionType.ValueError="path"`` name files, relative to CATALINA_BASE, that are
    sent instead; ``errorCode.0`` is for every other status.
    """

    show_report = Attribute(bool, True, doc="Show message, description and the exception; false shows the status only.")
    show_server_info = Attribute(bool, True, doc="Name the server and its version.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._pages = ErrorPages()

    def set_attribute(self, name: str, text: str) -> bool:
        prefix, dot, rest = name.partition(".")
        if dot and prefix == "errorCode" and rest.isdecimal():
            self._pages.add(ErrorPage(text, int(rest) or None))
            return True
        if dot and prefix == "exceptionType":
            self._pages.add(ErrorPage(text, exception_type=rest))
            return True
        return super().set_attribute(name, text)

    def invoke(self, request: Request, response: Response) -> None:
        """Let the request through; afterwards report the error, if there is one."""
        try:
            self.next.invoke(request, response)
        except ClientAbortException:
            raise
        except BaseException as exc:  # a valve's own fault; the host's valve catches those of the application
            log.exception("Exception Processing [%s]", request.request_uri)
            response.exception = exc
            if not response.committed:
                response.reset()
                response.send_error(500)
        response.suspended = False
        if response.status < 400 or not response.is_error or response.content_written > 0 or response.committed:
            return
        if response.set_error_reported():
            self.answer(response)

    def answer(self, response: Response) -> None:
        """Send the operator's page for the error, or report it."""
        if self._send_file(response):
            return
        texts = self._texts(response)
        if texts is not None:
            self.report(response, *texts)

    @staticmethod
    def _texts(response: Response) -> tuple[str, str] | None:
        """Reason and description of the status.

        None, as in Tomcat, for an unknown status that an application sends without a message: the application must
        explain it.
        """
        response.set_header("Content-Language", "en")
        texts = describe_status(response.status)
        return UNKNOWN if texts is None and (response.exception is not None or response.message) else texts

    def report(self, response: Response, reason: str, description: str) -> None:
        """Write the page; a subclass writes another kind of page."""
        self._write(response, "text/html", self._page(response, reason, description))

    @staticmethod
    def _write(response: Response, content_type: str, text: str) -> None:
        response.content_type = f"{content_type};charset=utf-8"
        data = text.encode()
        response.content_length = len(data)
        response.write(data)

    def _send_file(self, response: Response) -> bool:
        page = self._pages.for_exception(response.exception) if response.exception is not None else None
        page = page or self._pages.for_status(response.status)
        if page is None:
            return False
        file = self._base / page.location
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            log.warning("Unable to find a static error page at [%s]", file)
            return False
        except OSError as exc:
            log.warning("Unable to display error page at [%s] due to an exception: %s", file, exc)
            return False
        response.content_type = "text/html;charset=UTF-8"
        response.content_length = len(data)
        response.write(data)
        return True

    @property
    def _base(self) -> Path:
        server = self.container.server if self.container is not None else None
        return server.catalina_base if server is not None else Path.cwd()

    # -- the page ------------------------------------------------------------------------------------------------

    def _page(self, response: Response, reason: str, description: str) -> str:
        title = f"HTTP Status {response.status} {DASH} {reason}"
        parts = [
            f'<!doctype html><html lang="en"><head><title>{title}</title><style type="text/css">{STYLE}</style></head>',
            f"<body><h1>{title}</h1>",
        ]
        if self.show_report:
            parts += ['<hr class="line" />', *self._details(response, description), '<hr class="line" />']
        if self.show_server_info:
            parts.append(f"<h3>{SERVER_INFO}</h3>")
        parts.append("</body></html>")
        return "".join(parts)

    @staticmethod
    def _details(response: Response, description: str) -> list[str]:
        exception = response.exception
        message = response.message or (str(exception).partition("\n")[0] if exception is not None else "")
        kind = "Status Report" if exception is None else "Exception Report"
        parts = [f"<p><b>Type</b> {kind}</p>"]
        if message:
            parts.append(f"<p><b>Message</b> {escape_text(message)}</p>")
        parts.append(f"<p><b>Description</b> {description}</p>")
        if exception is not None:
            parts.append(f"<p><b>Exception</b></p><pre>{escape(partial_trace(exception))}</pre>")
            for cause in causes_of(exception):
                parts.append(f"<p><b>Root Cause</b></p><pre>{escape(partial_trace(cause))}</pre>")
            parts.append("<p><b>Note</b> The full stack trace of the root cause is available in the server logs.</p>")
        return parts


def causes_of(exception: BaseException) -> Iterator[BaseException]:
    """The exceptions that caused it, nearest first. Only a few, because causes may form a circle."""
    cause = exception.__cause__
    for _ in range(MAX_CAUSES):
        if cause is None:
            return
        yield cause
        cause = cause.__cause__


def partial_trace(exception: BaseException) -> str:
    """The exception and the application's frames in it, without source lines, which may contain secrets."""
    frames = traceback.extract_tb(exception.__traceback__)
    own = [frame for frame in frames if "/catalina/" not in frame.filename] or frames
    lines = [f"\t{Path(frame.filename).name}:{frame.lineno} in {frame.name}\n" for frame in own[-MAX_FRAMES:]]
    name = f"{type(exception).__module__}.{type(exception).__qualname__}".removeprefix("builtins.")
    return f"{name}: {exception}\n" + "".join(reversed(lines))
