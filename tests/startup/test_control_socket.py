"""The socket between the command and the node."""

from __future__ import annotations

import json
import os
import pwd
import socket
import stat
import threading
from typing import Any

import pytest

from catalina.startup.control_socket import ControlSocket, bound_address, socket_path
from tests.startup.hosts import Base, running


@pytest.fixture
def base(tmp_path):
    base = Base(tmp_path / ("long" * 30))
    base.server.add_lifecycle_listener(ControlSocket())
    with running(base) as base:
        yield base


def ask(base: Any, request: bytes) -> Any:
    with socket.socket(socket.AF_UNIX) as sock:
        with bound_address(socket_path(base.directory)) as address:
            sock.connect(address)
        sock.sendall(request)
        sock.shutdown(socket.SHUT_WR)
        with sock.makefile("rb") as answers:
            return [json.loads(line) for line in answers]


def test_a_command_is_answered_however_long_the_path(base):
    (answer,) = ask(base, b'{"verb": "list"}\n')
    assert answer["lines"][0].startswith("PATH")
    assert answer["exit"] == 0


def test_what_changes_something_is_noted_with_who_and_what(base, caplog):
    caplog.set_level("INFO", logger="org.apache.catalina.mbeans.Audit")
    ask(base, b'{"verb": "drain", "wait": 5}\n')
    ask(base, b'{"verb": "undeploy", "name": "/none"}\n')
    ask(base, b'{"verb": "list"}\n')
    lines = [record.getMessage() for record in caplog.records if record.name == "org.apache.catalina.mbeans.Audit"]
    user = pwd.getpwuid(os.geteuid()).pw_name
    assert len(lines) == 2
    assert all(user in line and "command" in line for line in lines)
    assert "drain" in lines[0]
    assert "wait=5" in lines[0]
    assert "undeploy" in lines[1]
    assert "/none" in lines[1]


@pytest.mark.parametrize("request_", [b"", b"hello\n", b"[]\n", b"[" * 60000, b"\xff\n", b'{"verb": "nothing"}\n'])
def test_nonsense_is_answered_with_an_error_and_the_next_command_works(base, request_):
    (answer,) = ask(base, request_)
    assert "error" in answer
    assert "lines" in ask(base, b'{"verb": "list"}\n')[0]


def test_a_client_that_does_not_wait_for_the_answer_makes_no_command_fail(base, caplog, monkeypatch):
    ended = threading.Event()

    def leave(commands, *_):
        client.close()
        ended.set()
        return ["done"]

    monkeypatch.setattr("catalina.startup.control_commands.ControlCommands.run", leave)
    client = socket.socket(socket.AF_UNIX)
    with bound_address(socket_path(base.directory)) as address:
        client.connect(address)
    client.sendall(b'{"verb": "reload", "name": "/shop"}\n')
    assert ended.wait(30)
    monkeypatch.undo()
    assert "lines" in ask(base, b'{"verb": "list"}\n')[0]
    assert "Command failed" not in caplog.text


def test_only_the_nodes_user_may_connect(base):
    assert stat.S_IMODE(os.stat(socket_path(base.directory)).st_mode) == 0o600


def test_another_user_is_refused(base, monkeypatch, caplog):
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert ask(base, b'{"verb": "list"}\n') == [{"error": "this node belongs to another user"}]
    assert "was refused, this node runs as 12345" in caplog.text


def test_the_socket_goes_with_the_server(tmp_path):
    base = Base(tmp_path)
    base.server.add_lifecycle_listener(ControlSocket())
    with running(base):
        assert socket_path(tmp_path).exists()
    assert not socket_path(tmp_path).exists()


def test_a_socket_that_a_killed_node_left_is_replaced(tmp_path):
    base = Base(tmp_path)
    socket_path(tmp_path).parent.mkdir()
    socket_path(tmp_path).touch()
    base.server.add_lifecycle_listener(ControlSocket())
    with running(base):
        assert "lines" in ask(base, b'{"verb": "list"}\n')[0]


def test_without_a_place_for_the_socket_the_node_runs(tmp_path, caplog):
    base = Base(tmp_path)
    (tmp_path / "temp").touch()
    base.server.add_lifecycle_listener(ControlSocket())
    with running(base):
        assert "No commands are taken on" in caplog.text
