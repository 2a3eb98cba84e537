"""Works around the WebDAV client of Windows XP (Tomcat: filters/WebdavFixFilter.java)."""

from __future__ import annotations

from collections.abc import Iterable

from catalina.filters.filter_base import Environ, FilterBase, StartResponse

__all__ = ["WebdavFixFilter"]

MINI_REDIRECTOR = "Microsoft-WebDAV-MiniRedir"
#: The client of Server 2003, for which there is no workaround.
HOPELESS = MINI_REDIRECTOR + "/5.2.3790"


class WebdavFixFilter(FilterBase):
    """Redirect it to the same URL with the port: then it uses its other, working client."""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        agent = environ.get("HTTP_USER_AGENT", "")
        if not agent.startswith(MINI_REDIRECTOR):
            return self.next(environ, start_response)
        if agent.startswith(HOPELESS):
            self.context.log("This WebDAV client can only use the root context, and may fail even there")
            return self.next(environ, start_response)
        location = (
            f"{environ['wsgi.url_scheme']}://{environ['SERVER_NAME']}:{environ['SERVER_PORT']}{environ['REQUEST_URI']}"
        )
        start_response("302 Found", [("Location", location)])
        return []
