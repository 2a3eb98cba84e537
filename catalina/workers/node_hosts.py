"""The hosts that a node has beside those of server.xml, and those of server.xml that it no longer has."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from catalina.workers.application_entry import HostSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from catalina.core.standard_engine import StandardEngine
    from catalina.core.standard_host import StandardHost
    from catalina.node_state import Kept

__all__ = ["NodeHosts"]


class NodeHosts:
    """The keeper's record of hosts that the host manager has added and removed.

    Args:
        kept: for the next keeper.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def add(self, host: StandardHost) -> dict[str, Any]:
        """A host is added; returns it as workers hear of it."""
        source = asdict(HostSource.of(host))
        place = f"{source['engine']}/{source['name']}"
        known = self._kept.items().get(place, {"removed": False})
        self._kept.put(place, {**known, "added": source})
        return source

    def remove(self, engine: str, name: str) -> dict[str, Any]:
        """A host is removed; returns it as workers hear of it."""
        place = f"{engine}/{name}"
        known = self._kept.items().get(place)
        if known is None:
            self._kept.put(place, {"removed": True, "added": None})
        else:
            self._kept.put(place, {**known, "added": None} if known["removed"] else None)
        return _place(place)

    def told(self) -> dict[str, list[dict[str, Any]]]:
        """As a worker hears of them when it comes."""
        found = self._kept.items()
        return {
            "hosts": [each["added"] for each in found.values() if each["added"] is not None],
            "removed": [_place(place) for place, each in found.items() if each["removed"]],
        }

    def restore(self, engines: Iterable[StandardEngine], lead: Callable[[StandardHost], None]) -> None:
        """Give the engines of a process that has not started the hosts that an earlier keeper had.

        Args:
            lead: gives a new host what deploys into it.
        """
        told = self.told()
        for engine in engines:
            for gone in told["removed"]:
                host = engine.find_child(gone["name"])
                if host is not None and gone["engine"] == engine.name:
                    engine.remove_child(host)
            for source in map(HostSource.heard, told["hosts"]):
                if source.engine == engine.name:
                    host = source.make()
                    lead(host)
                    engine.add_child(host)


def _place(place: str) -> dict[str, Any]:
    engine, _, name = place.partition("/")
    return {"engine": engine, "name": name}
