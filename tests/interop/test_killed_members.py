"""A member is killed with kill -9: how soon a bare channel of the real Tomcat notices ours, and ours notices Java's."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.interop.tribes_driver import compile_driver, java_member
from tests.support.ports import free_port, free_udp_port
from tests.tribes.groups import make_channel, started, until

pytestmark = pytest.mark.interop

#: Tomcat's default: how long a member may be silent.
DROP_MS = 3000
#: Seconds that the check of silent members, and a busy machine, may take in addition.
MARGIN = 2.0


@pytest.fixture(scope="module")
def class_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return compile_driver(tmp_path_factory.mktemp("killed-members"))


@contextlib.contextmanager
def our_process(mcast: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """``python -m catalina.tribes members`` and the port that it receives on."""
    port = free_port()
    command = [sys.executable, "-m", "catalina.tribes", "members", "--seconds", "60", "--frequency", "100"]
    command += ["--bind", "127.0.0.1", "--receiver", "127.0.0.1", "--mcast-port", str(mcast), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield process, port
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.parametrize("talks", [False, True], ids=["by its silence", "by the message that does not arrive"])
def test_java_notices_that_our_process_was_killed(class_path: str, talks: bool) -> None:
    mcast = free_udp_port()
    with (
        java_member(class_path, mcast=mcast, interceptors="dispatch,tfd", drop=DROP_MS) as java,
        our_process(mcast) as (process, port),
    ):
        name = java.wait_for(f"added {port}/").removeprefix("added ")
        assert java.ask("send 6 aa", "sent") == "sent"
        process.kill()
        process.wait(10)
        began = time.monotonic()
        if talks:
            assert java.ask("send 6 bb", "sent").startswith("failed")
        java.wait_for(f"gone {name}", timeout=10)
        assert time.monotonic() - began < (0.8 if talks else DROP_MS / 1000 + MARGIN)


def test_we_notice_that_java_was_killed_though_we_never_talked(class_path: str) -> None:
    mcast = free_udp_port()
    channel, seen = make_channel(mcast, frequency=100, drop_time=DROP_MS)
    with started(channel), java_member(class_path, mcast=mcast, interceptors="dispatch,tfd") as java:
        [member] = until(lambda: channel.members, "we see Java")
        java.kill()
        began = time.monotonic()
        until(lambda: seen.gone == [member], "its death is noticed")
        assert time.monotonic() - began < DROP_MS / 1000 + MARGIN
