"""How busy a connector is, in the words of httpd's mod_heartmonitor (Tomcat: ha/backend/CollectedInfo.java)."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CollectedInfo"]


class CollectedInfo(NamedTuple):
    """Requests that could still be taken, requests that run, and the port the balancer shall use."""

    ready: int
    busy: int
    port: int

    def message(self) -> str:
        """What is sent."""
        return f"v=1&ready={self.ready}&busy={self.busy}&port={self.port}"
