from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from catalina.startup.port_check import address_problem, port_problem

#: Listens on a free port, prints it and waits; its words are those of a server.
LISTENER = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


def test_an_address_of_this_machine_is_no_problem() -> None:
    assert address_problem("127.0.0.1") == ""
    assert address_problem("localhost") == ""


def test_an_address_of_another_machine_and_a_name_that_nobody_knows_are() -> None:
    assert "'203.0.113.71' is no address of this machine" in address_problem("203.0.113.71")
    assert "'no-such-host.invalid' cannot be resolved" in address_problem("no-such-host.invalid")


def test_a_port_that_somebody_else_has_is_named_with_him(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        problem = port_problem("127.0.0.1", port, tmp_path)
        assert problem.startswith(f"127.0.0.1:{port} is taken by process {os.getpid()} (")
        assert f"*:{port} is taken" in port_problem(None, port, tmp_path)
    assert port_problem("127.0.0.1", port, tmp_path) == ""


def test_the_server_of_this_very_base_may_have_it(tmp_path: Path) -> None:
    words = [sys.executable, "-c", LISTENER, f"-Dcatalina.base={tmp_path}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        port = int(process.stdout.readline())
        assert port_problem("127.0.0.1", port, tmp_path) == ""
        assert "is taken by process" in port_problem("127.0.0.1", port, tmp_path / "other")
        process.stdin.close()


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_number_that_is_no_port_is_said(port: int, tmp_path: Path) -> None:
    assert f"port {port} is none" in port_problem(None, port, tmp_path)


def test_port_0_is_any_free_one(tmp_path: Path) -> None:
    assert port_problem(None, 0, tmp_path) == ""
