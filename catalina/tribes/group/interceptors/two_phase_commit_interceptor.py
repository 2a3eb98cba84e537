"""Delivers a message once it is confirmed (Tomcat: interceptors/TwoPhaseCommitInterceptor.java)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from catalina.attributes import Attribute
from catalina.errors import ChannelError, LimitError
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.io.channel_data import UniqueIds
from catalina.tribes.member import Member

__all__ = ["TwoPhaseCommitInterceptor"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.TwoPhaseCommitInterceptor")

START_DATA = bytes.fromhex("7101c602dec44bb29bf420e3206fd804")
END_DATA = bytes.fromhex("36f35a6e2fe14be8afe32434c64d9238")
#: Approximate memory that a waiting message takes besides its bytes.
_OVERHEAD = 500
#: The memory for messages of nodes that are not, or not yet, members; a part of max_held.
_MAX_HELD_OF_STRANGERS = 4 * 1024 * 1024


class _Held(NamedTuple):
    since: float
    message: ChannelMessage
    of_member: bool


class TwoPhaseCommitInterceptor(ChannelInterceptorBase):
    """Sends each message and, once it has reached every member, a confirmation, upon which the members deliver it.

    The confirmation is a second message with the mark, the id of the first, and the mark of the end. A member that
    did not get the message gets no confirmation.
    """

    expire = Attribute(int, 60_000, unit="ms", doc="How long a message is held for its confirmation.")
    deepclone = Attribute(bool, True, inert="messages are immutable here and need no copy")
    max_held = Attribute(
        int,
        64 * 1024 * 1024,
        unit="bytes",
        doc="Bytes that may wait for confirmations; a message beyond it is refused.",
    )

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._repeated = RepeatedMessages(log)
        #: By sender and id, so that another node can neither replace nor confirm the message.
        self._held: dict[tuple[Member, bytes], _Held] = {}
        #: Bytes, by whether members sent them.
        self._held_bytes = {True: 0, False: 0}
        self._next_id = UniqueIds().next

    def send_message(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery) -> None:
        """Send the message, then its confirmation."""
        if not self.ok_to_process(message.options):
            super().send_message(to, message, delivery)
            return
        first = Delivery(len(to), message.unique_id)
        first.add_done_callback(lambda done: self._confirm(to, message, delivery, done))
        super().send_message(to, message, first)

    def _confirm(self, to: Sequence[Member], message: ChannelMessage, delivery: Delivery, first: Delivery) -> None:
        for member, reason in first.faulty.items():
            delivery.failed(member, reason)
        reached = [member for member in to if member not in first.faulty]
        if not reached:
            return
        data = START_DATA + message.unique_id + END_DATA
        try:
            super().send_message(reached, replace(message, data=data, unique_id=self._next_id()), delivery)
        except ChannelError as exc:
            for member in reached:
                delivery.failed(member, exc)

    def message_received(self, message: ChannelMessage) -> None:
        """Hold a message; deliver it when its confirmation comes.

        Raises:
            LimitError: too many bytes wait for confirmations.
        """
        if not self.ok_to_process(message.options):
            super().message_received(message)
            return
        confirmed = _confirmed_id(message)
        if confirmed is None:
            self._hold(message)
            return
        held = self._take((message.address, confirmed))
        if held is None:
            self._repeated.log(
                logging.WARNING,
                f"confirmations of {message.address} without a message",
                "Received a confirmation, but original message is missing. Id:[%s]",
                confirmed.hex(),
            )
            return
        super().message_received(held.message)

    def _hold(self, message: ChannelMessage) -> None:
        key = (message.address, message.unique_id)
        self._take(key)
        of_member = self.belongs(message.address)
        limit = self.max_held if of_member else min(self.max_held, _MAX_HELD_OF_STRANGERS)
        size = self._held_bytes[of_member] + len(message.data) + _OVERHEAD
        if size > limit:
            raise LimitError(f"{size} bytes wait for confirmation, limit {limit}")
        self._held_bytes[of_member] = size
        self._held[key] = _Held(self.channel.now(), message, of_member)

    def _take(self, key: tuple[Member, bytes]) -> _Held | None:
        held = self._held.pop(key, None)
        if held is not None:
            self._held_bytes[held.of_member] -= len(held.message.data) + _OVERHEAD
        return held

    def heartbeat(self, now: float) -> None:
        """Forget messages that were not confirmed in time."""
        super().heartbeat(now)
        for key, held in tuple(self._held.items()):
            if now - held.since > self.expire / 1000:
                self._repeated.log(
                    logging.INFO,
                    "expired messages without a confirmation",
                    "Removing expired message [%s]",
                    key[1].hex(),
                )
                self._take(key)


def _confirmed_id(message: ChannelMessage) -> bytes | None:
    """The id that a confirmation names, None for any other message."""
    data, size = message.data, len(message.unique_id)
    if len(data) == len(START_DATA) + size + len(END_DATA) and data.startswith(START_DATA) and data.endswith(END_DATA):
        return data[len(START_DATA) : -len(END_DATA)]
    return None
