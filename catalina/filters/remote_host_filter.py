"""Filters requests by the client's host name (Tomcat: filters/RemoteHostFilter.java)."""

from __future__ import annotations

from catalina.filters.filter_base import Environ
from catalina.filters.request_filter import RequestFilter

__all__ = ["RemoteHostFilter"]


class RemoteHostFilter(RequestFilter):
    """The client's name must match; without enableLookups of the connector the name is the address."""

    def property_of(self, environ: Environ) -> str:
        """The name."""
        return str(environ.get("REMOTE_HOST") or environ.get("REMOTE_ADDR", ""))
