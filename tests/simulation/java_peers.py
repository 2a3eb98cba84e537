"""A node that behaves as a Java one in the group: its messages carry no versions, and it reads none.

It takes changes in the order in which they come, tells nobody what was missed, compares nothing, and gives and takes
the state as Java does. Its own sessions are therefore not held to the promises; those of the other nodes are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from catalina.ha.cluster_message import class_name_of, decoder_for
from catalina.ha.session.session_message import EVT_LEDGER, EVT_SESSION_EXPIRED, STAMP, SessionMessage
from catalina.tribes.channel import Delivery
from catalina.tribes.ledger.version import VERSION_SIZE
from tests.simulation.network import SimChannel

if TYPE_CHECKING:
    from tests.simulation.nodes import Life

__all__ = ["JavaChannel"]


class JavaChannel(SimChannel):
    """A channel whose node knows nothing of versions; its peers see that it is of no software of ours."""

    def __init__(self, life: Life, number: int) -> None:
        super().__init__(life, number)
        self.local_member = replace(self.local_member, payload=b"")

    def post_all(
        self, to: Sequence[Any], messages: Sequence[tuple[bytes, Any]], options: int, handler: Any = None
    ) -> Delivery:
        plain = [(data, key) for each, key in messages if (data := _without_version(bytes(each))) is not None]
        return super().post_all(to, plain, options, handler) if plain else Delivery(0)

    def take(self, data: bytes, sender: Life) -> None:
        plain = _without_version(data)
        if plain is not None:
            super().take(plain, sender)

    def as_member(self, other: Life) -> Any:
        return replace(super().as_member(other), payload=b"")


def _without_version(data: bytes) -> bytes | None:
    """A message as Java writes and reads it; None for one that it does not know."""
    decode = decoder_for(class_name_of(data))
    message = None if decode is None else decode(data)
    if not isinstance(message, SessionMessage):
        return data
    if message.event == EVT_LEDGER:
        return None
    body = message.session
    size = len(STAMP) + VERSION_SIZE * (2 if message.event == EVT_SESSION_EXPIRED else 1)
    if body is None or not body.startswith(STAMP, len(body) - size):
        return data
    return bytes(message._replace(session=body[:-size] or None).encode())
