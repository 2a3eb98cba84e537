"""A running event loop and a pair of links, for the tests of this directory."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from catalina.reactor import Reactor

__all__ = ["listening_socket", "running_reactor"]


@contextmanager
def running_reactor() -> Iterator[Reactor]:
    """A loop in threads of its own."""
    reactor = Reactor("test")
    reactor.start()
    try:
        yield reactor
    finally:
        reactor.stop()


def listening_socket() -> socket.socket:
    """A Unix socket under a name that the kernel chooses, as the arbiter makes it."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind("")
    listening.listen(16)
    return listening
