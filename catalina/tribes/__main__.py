"""``python -m catalina.tribes``: look at a group, send to it, measure it.

    python -m catalina.tribes members                 who is there, live, until Ctrl-C
    python -m catalina.tribes send "hello" --options 6
    python -m catalina.tribes measure --count 100000 --size 300 --options asynchronous

Each command joins the group as a member and leaves it at the end. Members that run ``members`` count the messages of
``measure``, which can then tell how many were lost.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence

from catalina.attributes import AttributeRefused
from catalina.errors import ChannelError
from catalina.tribes.byte_text import text_or_byte_list
from catalina.tribes.channel import ChannelMessage, parse_send_options
from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.measurement import MeasurementListener, measure
from catalina.tribes.member import Member
from catalina.tribes.membership.mcast_service import McastService
from catalina.tribes.transport.nio.nio_receiver import NioReceiver

__all__ = ["main"]


class _Printer:
    """Prints members that come and go, and messages."""

    def __init__(self, counter: MeasurementListener) -> None:
        self._started = time.monotonic()
        self._counter = counter

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._started:9.3f} s  {text}", flush=True)

    def member_added(self, member: Member) -> None:
        self._say(f"+ {_describe(member)}")

    def member_disappeared(self, member: Member) -> None:
        self._say(f"- {_describe(member)} {'left' if member.is_leaving else 'is gone'}")

    def accept(self, message: ChannelMessage, sender: Member) -> bool:
        return not self._counter.accept(message, sender)

    def message_received(self, message: ChannelMessage, sender: Member) -> None:
        self._say(f"{len(message.data)} bytes from {sender.name}: {message.data[:60]!r}")


def _describe(member: Member) -> str:
    domain = f" domain {member.domain!r}" if member.domain else ""
    return f"{member.name} id {member.unique_id.hex()} alive {member.alive_ms / 1000:.1f} s{domain}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m catalina.tribes", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("command", choices=("members", "send", "measure"))
    parser.add_argument("text", nargs="?", default="hello", help="what send sends")
    parser.add_argument("--address", default="228.0.0.4", help="multicast group (default %(default)s)")
    parser.add_argument("--mcast-port", type=int, default=45564, help="its port (default %(default)s)")
    parser.add_argument("--bind", default="", help="local address of the interface for multicast")
    parser.add_argument("--frequency", type=int, default=500, help="ms between heartbeats (default %(default)s)")
    parser.add_argument("--receiver", default="auto", help="address to receive on (default %(default)s)")
    parser.add_argument("--port", type=int, default=4000, help="first port to receive on (default %(default)s)")
    parser.add_argument("--domain", type=text_or_byte_list, default=b"", help="domain to announce")
    parser.add_argument("--options", type=_options, default=2, help="send options: a number or names (default use_ack)")
    parser.add_argument("--count", type=int, default=10_000, help="messages that measure sends (default %(default)s)")
    parser.add_argument("--size", type=int, default=300, help="bytes of each (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=None, help="end members after this time")
    parser.add_argument("--verbose", action="store_true", help="log what the channel does")
    return parser


def _options(text: str) -> int:
    try:
        return parse_send_options(text)
    except AttributeRefused as refused:
        raise argparse.ArgumentTypeError(f"{refused}") from None


def make_channel(arguments: argparse.Namespace) -> GroupChannel:
    """A channel with Tomcat's default stack, in the group that the command line names."""
    channel = GroupChannel(name="tribes-tool")
    channel.set_membership_service(
        McastService(
            address=arguments.address,
            port=arguments.mcast_port,
            bind=arguments.bind,
            domain=arguments.domain,
            frequency=arguments.frequency,
        )
    )
    channel.set_channel_receiver(NioReceiver(address=arguments.receiver, port=arguments.port))
    channel.add_interceptor(MessageDispatchInterceptor())
    channel.add_interceptor(TcpFailureDetector())
    return channel


def _run(arguments: argparse.Namespace, channel: GroupChannel, counter: MeasurementListener) -> int:
    if arguments.command == "members":
        _wait(arguments.seconds)
        return 0
    members = channel.members
    if not members:
        print("nobody else is in the group", file=sys.stderr)
        return 1
    if arguments.command == "send":
        channel.send(members, arguments.text.encode(), arguments.options)
        print(f"sent to {', '.join(member.name for member in members)}")
        return 0
    result = measure(channel, counter, members, arguments.count, arguments.size, arguments.options)
    print(f"{len(members)} members, {arguments.size} bytes, options {arguments.options}: {result}")
    return 1 if result.failed or result.lost else 0


def _wait(seconds: float | None) -> None:
    """Wait until the time is over, or the user ends the command."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    over.wait(seconds)


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0 when everything arrived."""
    arguments = _parser().parse_intermixed_args(words)
    logging.basicConfig(level=logging.INFO if arguments.verbose else logging.WARNING)
    channel = make_channel(arguments)
    counter = MeasurementListener(channel)
    printer = _Printer(counter)
    if arguments.command == "members":
        channel.add_membership_listener(printer)
        channel.add_channel_listener(printer)
    try:
        channel.start()
        return _run(arguments, channel, counter)
    except ChannelError as exc:
        print(exc, file=sys.stderr)
        return 1
    finally:
        channel.stop()


if __name__ == "__main__":
    sys.exit(main())
