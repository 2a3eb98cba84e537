"""Delivers a message when it is confirmed (Tomcat: interceptors/TwoPhaseCommitInterceptor.java)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from catalina.attributes import Attribute
from catalina.errors import ChannelError, LimitError
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from catalina.tribes.io.channel_data import UniqueIds
from catalina.tribes.member import Member

__all__ = ["TwoPhaseCommitInterceptor"]

log = logging.getLogger("org.apache.catalina.tribes.group.interceptors.TwoPhaseCommitInterceptor")

START_DATA = bytes.fromhex("7101c602dec44bb29bf420e3206fd804")
END_DATA = bytes.fromhex("36f35a6e2fe14be8afe32434c64d9238")


class TwoPhaseCommitInterceptor(ChannelInterceptorBase):
    """Sends each message, and when it has reached every member a confirmation; members deliver it then.

    The confirmation is a second message with the mark, the id of the first, and the mark of the end. A member that
    did not get the message gets no confirmation.
    """

    expire = Attribute(int, 60_000, unit="ms", doc="How long a message is held for its confirmation.")
    deepclone = Attribute(bool, True, inert="messages are immutable here and need no copy")
    max_held = Attribute(
        int, 64 * 1024 * 1024, unit="bytes", doc="What may wait for confirmations; a message beyond it is refused."
    )

    def __init__(self, **values: object) -> None:
        super().__init__(**values)
        self._held: dict[bytes, tuple[float, ChannelMessage]] = {}
        self._held_bytes = 0
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
        """Hold a message; on its confirmation deliver it.

        Raises:
            LimitError: too much waits for confirmations.
        """
        if not self.ok_to_process(message.options):
            super().message_received(message)
            return
        confirmed = _confirmed_id(message)
        if confirmed is None:
            self._hold(message)
            return
        held = self._held.pop(confirmed, None)
        if held is None:
            log.warning("Received a confirmation, but original message is missing. Id:[%s]", confirmed.hex())
            return
        self._held_bytes -= len(held[1].data)
        super().message_received(held[1])

    def _hold(self, message: ChannelMessage) -> None:
        size = self._held_bytes + len(message.data)
        if size > self.max_held:
            raise LimitError(f"{size} bytes wait for confirmation, limit {self.max_held}")
        before = self._held.pop(message.unique_id, None)
        self._held_bytes = size - (len(before[1].data) if before else 0)
        self._held[message.unique_id] = (self.channel.now(), message)

    def heartbeat(self, now: float) -> None:
        """Forget messages that were not confirmed."""
        super().heartbeat(now)
        for unique_id, (since, message) in tuple(self._held.items()):
            if now - since > self.expire / 1000:
                log.info("Removing expired message [%s]", unique_id.hex())
                del self._held[unique_id]
                self._held_bytes -= len(message.data)


def _confirmed_id(message: ChannelMessage) -> bytes | None:
    """The id that a confirmation names, None for any other message."""
    data, size = message.data, len(message.unique_id)
    if len(data) == len(START_DATA) + size + len(END_DATA) and data.startswith(START_DATA) and data.endswith(END_DATA):
        return data[len(START_DATA) : -len(END_DATA)]
    return None
