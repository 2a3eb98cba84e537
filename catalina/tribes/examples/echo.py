"""Messages: who is there, sending with different options, and what a failure looks like."""

from __future__ import annotations

from dataclasses import replace

from catalina.errors import ChannelError
from catalina.tribes.channel import (
    SEND_OPTIONS_ASYNCHRONOUS,
    SEND_OPTIONS_SYNCHRONIZED_ACK,
    SEND_OPTIONS_USE_ACK,
    ChannelMessage,
)
from catalina.tribes.examples.nodes import make_node, started, wait_until
from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.member import Member

__all__ = ["main"]


class Echo:
    """Sends every question back. Listeners are called in the loop's thread, so they must not wait: they post."""

    def __init__(self, channel: GroupChannel) -> None:
        self._channel = channel
        self.answers: list[object] = []

    def accept(self, message: ChannelMessage, sender: Member) -> bool:
        """Everything is for us here."""
        return True

    def message_received(self, message: ChannelMessage, sender: Member) -> None:
        """Bytes come as bytes, other values as values."""
        value = message.payload()
        if isinstance(value, dict) and "question" in value:
            self._channel.post([sender], {"answer": value["question"]}, SEND_OPTIONS_ASYNCHRONOUS)
        else:
            self.answers.append(value)

    def member_added(self, member: Member) -> None:
        """Somebody has come."""
        print(f"{self._channel.local_member} sees {member}")

    def member_disappeared(self, member: Member) -> None:
        """Somebody has left, or is dead."""
        print(f"{self._channel.local_member} has lost {member}")


def main(mcast_port: int = 45565) -> list[object]:
    """Ask two members; return their answers."""
    channels = [make_node(mcast_port) for _ in range(3)]
    listeners = [Echo(channel) for channel in channels]
    for channel, listener in zip(channels, listeners, strict=True):
        channel.add_channel_listener(listener)
        channel.add_membership_listener(listener)
    with started(*channels):
        first, answers = channels[0], listeners[0].answers
        # Comes back when both members have worked it through.
        first.send(first.members, {"question": 42}, SEND_OPTIONS_USE_ACK | SEND_OPTIONS_SYNCHRONIZED_ACK)
        wait_until(lambda: len(answers) == 2)
        nobody = replace(first.members[0], port=1)
        try:
            first.send([nobody], b"hello?", SEND_OPTIONS_USE_ACK)
        except ChannelError as error:
            for member, reason in error.faulty.items():
                print(f"{member} did not get it: {reason}")
    return answers


if __name__ == "__main__":
    print(main())
