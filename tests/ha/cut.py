"""The cost of a comparison after a cut, in bytes, against the whole state."""

from __future__ import annotations

from collections.abc import Sequence

from tests.ha.support import two_nodes
from tests.support.waiting import wait_until

__all__ = ["bytes_after_a_cut"]


def bytes_after_a_cut(ids: Sequence[str], value_bytes: int, changed: int) -> tuple[int, int]:
    """Two nodes with a session of each id, ``changed`` of which change on one while nothing arrives.

    Returns:
        The bytes of the comparison that follows, both ways, and those of the whole state.
    """
    network, giver, taker = two_nodes()
    taker.alive = False
    sessions = []
    for number, each in enumerate(ids):
        session = giver.manager.create_session(each)
        session.set_attribute("data", f"{number:0{value_bytes}}")
        giver.request(session)
        sessions.append(session)

    def compare(is_starting: bool) -> int:
        taker.alive = True
        giver.channel.sent.clear()
        taker.channel.sent.clear()
        taker.manager.comparisons.begin(giver.channel.local_member, is_starting)
        # The state senders' threads send, and the network delivers in them.
        senders = (giver.manager.state_sender, taker.manager.state_sender)
        wait_until(
            lambda: not (network.on_the_way or any(each.is_busy for each in senders)), "all is compared", 60, 0.001
        )
        taker.alive = False
        return sum(len(data) for node in (giver, taker) for data, _ in node.channel.sent)

    whole = compare(is_starting=True)
    assert len(taker.manager.sessions) == len(ids)
    for session in sessions[:: len(ids) // changed]:
        session.set_attribute("data", "y" * value_bytes)
        giver.request(session)
    part = compare(is_starting=False)
    assert {each: session.record.values for each, session in taker.manager.sessions.items()} == {
        session.id: session.record.values for session in sessions
    }
    return part, whole
