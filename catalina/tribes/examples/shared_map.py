"""A replicated map: every member has every entry, and one may leave without losing any."""

from __future__ import annotations

from catalina.tribes.examples.nodes import make_node, started, wait_until
from catalina.tribes.tipis.replicated_map import ReplicatedMap

__all__ = ["main"]


def main(mcast_port: int = 45567) -> dict[str, object]:
    """Put on one member, read on the other, and again when the first is gone; return what is left."""
    first, second = make_node(mcast_port), make_node(mcast_port)
    with started(first, second):
        maps = [ReplicatedMap(channel, "capitals") for channel in (first, second)]
        for each in maps:
            each.start()
        maps[0].put("France", "Paris")
        maps[1].put("Italy", "Rome")
        wait_until(lambda: all(len(each) == 2 for each in maps))
        maps[0].stop()
        first.stop()
        wait_until(lambda: not second.members)
        left = {key: maps[1].get(key) for key in sorted(maps[1].keys())}
        maps[1].stop()
    return left


if __name__ == "__main__":
    print(main())
