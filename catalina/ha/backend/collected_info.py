"""The load of a connector in the format of httpd's mod_heartmonitor (Tomcat: ha/backend/CollectedInfo.java)."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CollectedInfo"]


class CollectedInfo(NamedTuple):
    """The number of further requests that the connector could take, of running requests, and the balancer's port."""

    ready: int
    busy: int
    port: int

    def message(self) -> str:
        """The text of the heartbeat."""
        return f"v=1&ready={self.ready}&busy={self.busy}&port={self.port}"
