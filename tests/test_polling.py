"""Waiting for one descriptor."""

import os
import re
import resource
import select
import socket
from pathlib import Path

import catalina
from catalina.polling import is_ready


def test_a_descriptor_with_input_is_ready_at_once():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not is_ready(ours, select.POLLIN, 0)
        theirs.send(b"x")
        assert is_ready(ours, select.POLLIN, 60)


def test_a_closed_peer_is_ready_to_be_read():
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        assert is_ready(ours, select.POLLIN, 60)


def test_a_descriptor_beyond_1023_is_no_different():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        high = 2000
        os.dup2(ours.fileno(), high)
        try:
            theirs.send(b"x")
            assert is_ready(high, select.POLLIN, 60)
        finally:
            os.close(high)


def test_nothing_waits_with_select():
    """It raises as soon as the process has more than 1,024 files, which only a busy server has."""
    package = Path(catalina.__file__).parent
    users = [path for path in package.rglob("*.py") if re.search(r"\bselect\.select\(", path.read_text("utf-8"))]
    assert users == []
