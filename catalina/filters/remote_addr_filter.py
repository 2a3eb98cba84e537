"""Filters requests by the client's address, with regular expressions (Tomcat: filters/RemoteAddrFilter.java)."""

from __future__ import annotations

from catalina.filters.filter_base import Environ
from catalina.filters.request_filter import RequestFilter

__all__ = ["RemoteAddrFilter"]


class RemoteAddrFilter(RequestFilter):
    """The client's address must match."""

    def property_of(self, environ: Environ) -> str:
        """The address."""
        return str(environ.get("REMOTE_ADDR", ""))
