"""Fetches error pages from another server, or redirects to them (Tomcat: valves/ProxyErrorReportValve.java)."""

from __future__ import annotations

import contextlib
import logging
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlsplit

from catalina.attributes import Attribute
from catalina.digester.property_file import read_properties
from catalina.valves.error_report_valve import ErrorReportValve
from catalina.valves.status_texts import UNKNOWN, describe_status

if TYPE_CHECKING:
    from catalina.connector.request import Request
    from catalina.connector.response import Response

__all__ = ["ProxyErrorReportValve"]

log = logging.getLogger("org.apache.catalina.valves.ProxyErrorReportValve")

SECONDS = 10
#: Bytes of a fetched page.
MAX_BYTES = 1024 * 1024
FILE_NAME = "ProxyErrorReportValve.properties"


class ProxyErrorReportValve(ErrorReportValve):
    """The URLs ``errorCode.nnn`` and ``exceptionType.name`` get the error as query parameters."""

    use_redirect = Attribute(bool, False, doc="Redirect the client to the URL instead of fetching it.")
    use_properties_file = Attribute(
        bool, False, doc=f"Take the URLs from lib/{FILE_NAME} or conf/{FILE_NAME}: status=URL, 0=URL for all others."
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._urls: dict[str, str] = {}

    def _start(self) -> None:
        super()._start()
        self._urls = {}
        for directory in ("lib", "conf") if self.use_properties_file else ():
            path = Path(self._base) / directory / FILE_NAME
            with contextlib.suppress(FileNotFoundError):
                self._urls = dict(read_properties(path))
                return

    def answer(self, response: Response) -> None:
        """Answer with the other server's page; with our own when there is no URL, or the server does not answer."""
        request, url = response.request, self._url(response)
        if url is None:
            super().answer(response)
            return
        response.set_header("Content-Language", "en")
        url = self._with_parameters(url, response, *(describe_status(response.status) or UNKNOWN))
        if self.use_redirect:
            response.is_error = False
            response.send_redirect(url)
        elif not self._fetch(request, response, url):
            texts = self._texts(response)
            if texts is not None:
                self.report(response, *texts)

    def _url(self, response: Response) -> str | None:
        if self.use_properties_file:
            return self._urls.get(str(response.status)) or self._urls.get("0")
        page = self._pages.for_exception(response.exception) if response.exception is not None else None
        page = page or self._pages.for_status(response.status)
        return None if page is None else page.location

    def _with_parameters(self, url: str, response: Response, reason: str, description: str) -> str:
        parameters = {
            "requestUri": response.request.decoded_uri,
            "statusCode": str(response.status),
            "statusReason": reason,
        }
        if self.show_report:
            parameters["statusDescription"] = description
            if response.message is not None:
                parameters["message"] = response.message
            if response.exception is not None:
                parameters["throwable"] = f"{type(response.exception).__name__}: {response.exception}"
        query = "&".join(f"{name}={quote_plus(value)}" for name, value in parameters.items())
        return f"{url}{'&' if '?' in url else '?'}{query}"

    @staticmethod
    def _fetch(request: Request, response: Response, url: str) -> bool:
        if urlsplit(url).scheme not in ("http", "https"):
            log.warning("Proxy error to [%s]: expected a http or https URL", url)
            return False
        try:
            # The other server may be slow, so another thread takes over the loop.
            with (
                request.connector.reactor.blocking(),
                urllib.request.urlopen(url, timeout=SECONDS) as page,  # noqa: S310 - the scheme is checked above
            ):
                content_type, data = page.headers.get("Content-Type"), page.read(MAX_BYTES)
        except (OSError, urllib.error.URLError, ValueError) as error:
            log.warning("Proxy error to [%s]: %s", url, error)
            return False
        response.content_type = content_type
        response.content_length = len(data)
        response.write(data)
        return True
