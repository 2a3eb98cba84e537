"""python -m catalina.tribes"""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from catalina.tribes.__main__ import main
from tests.support.ports import free_udp_port
from tests.tribes.groups import make_channel, started, until


def common(port: int) -> list[str]:
    return ["--mcast-port", str(port), "--bind", "127.0.0.1", "--receiver", "127.0.0.1", "--frequency", "100"]


@pytest.fixture(scope="module")
def members():
    """Another process that lists the members."""
    port = free_udp_port()
    with subprocess.Popen(
        [sys.executable, "-m", "catalina.tribes", "members", *common(port), "--domain", "shop"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        watcher, _ = make_channel(port)
        with started(watcher):
            until(lambda: watcher.members, "the other process has joined")
        yield port, process
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
        assert process.returncode == 0


def test_messages_are_measured_and_none_is_lost(members, capsys):
    port, _ = members
    code = main(["measure", *common(port), "--count", "3000", "--options", "sync,use_ack"])
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert "1 members, 300 bytes, options 6: 3000 messages in" in printed
    assert "0 failed, 0 lost" in printed


def test_members_and_their_messages_are_listed_as_they_come(members, capsys):
    port, process = members
    assert main(["send", *common(port), "good morning"]) == 0
    assert "sent to tcp://127.0.0.1:" in capsys.readouterr().out
    lines: list[str] = []

    def seen(text: str) -> bool:
        lines.append(process.stdout.readline())
        return text in lines[-1]

    until(lambda: seen("good morning"))
    until(lambda: seen(" left"))
    assert any(" + tcp://127.0.0.1:" in line and "alive" in line for line in lines)


def test_alone_there_is_nobody_to_send_to(capsys):
    assert main(["send", *common(free_udp_port()), "hello"]) == 1
    assert "nobody else is in the group" in capsys.readouterr().err


def test_what_does_not_start_is_said(capsys):
    assert main(["members", "--address", "10.0.0.1", *common(free_udp_port())]) == 1
    assert "10.0.0.1 is not a multicast address" in capsys.readouterr().err


def test_unknown_options_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["send", "--options", "fast"])
    assert "names of byte" in capsys.readouterr().err


def test_it_lists_for_a_limited_time(capsys):
    port = free_udp_port()
    one, _ = make_channel(port, domain=b"blog")
    with started(one):
        assert main(["members", *common(port), "--seconds", "0.01"]) == 0
    printed = capsys.readouterr().out
    assert one.local_member.unique_id.hex() in printed
    assert "domain b'blog'" in printed
