from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from tests.startup.instance import shutdown_connection
from tests.startup.node_process import PATIENCE, NodeProcess, is_alive
from tests.support.ports import free_port
from tests.support.waiting import let_pass, wait_until

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_stops_the_node_in_order_with_the_exit_code_of_a_jvm(tmp_path, number, code):
    with NodeProcess(tmp_path) as node:
        node.wait_until_started()
        node.process.send_signal(number)
        assert node.wait() == code
        assert "Pausing ProtocolHandler" in node.text
        assert "Destroying ProtocolHandler" in node.text
        assert "Traceback" not in node.text


def test_the_shutdown_word_stops_the_node_with_exit_code_0(tmp_path):
    port = free_port()
    with NodeProcess(tmp_path, shutdown_port=port) as node:
        node.wait_until_started()
        with shutdown_connection(port) as sock:
            sock.sendall(b"STOP NOW\r\n")
        assert node.wait() == 0
        assert "A valid shutdown command was received via the shutdown port" in node.text


def test_a_running_request_is_answered_before_the_node_stops(tmp_path):
    with NodeProcess(tmp_path) as node:
        node.wait_until_started()
        answers: list[bytes] = []
        client = threading.Thread(target=lambda: answers.append(node.get("/slow")))
        client.start()
        node.wait_for_text("the slow request runs")
        node.process.terminate()
        client.join(PATIENCE)
        assert answers == [b"/slow"]
        assert node.wait() == 143


def test_a_killed_node_is_started_again_and_serves_the_same_port(tmp_path):
    with NodeProcess(tmp_path) as node:
        node.wait_until_started()
        first = node.worker()
        os.kill(first, signal.SIGKILL)
        assert node.get("/back") == b"/back"  # waits in the backlog until the new node accepts
        assert node.worker() != first
        assert f"The node (process {first}) has ended by signal 9; it is started again" in node.text


@pytest.mark.parametrize("code", [0, 3])
def test_an_application_that_ends_the_process_does_not_end_the_server(tmp_path, code):
    with NodeProcess(tmp_path) as node:
        node.wait_until_started()
        first = node.worker()
        with contextlib.suppress(OSError):
            node.get(f"/exit?{code}")
        node.wait_for_text(f"The node (process {first}) has ended by exit code {code}; it is started again")
        assert node.get("/back") == b"/back"


def test_the_node_dies_at_once_with_its_arbiter(tmp_path):
    with NodeProcess(tmp_path) as node:
        node.wait_until_started()
        worker = node.worker()
        node.process.kill()
        node.wait()
        wait_until(lambda: not is_alive(worker), "the worker ends, too", PATIENCE)
        assert "Pausing ProtocolHandler" not in node.text


def test_quit_writes_the_stacks_of_all_threads_and_the_node_goes_on(tmp_path):
    with NodeProcess(tmp_path) as node:
        node.wait_until_started()
        node.process.send_signal(signal.SIGQUIT)
        node.wait_for_text("most recent call first")
        assert node.get("/still") == b"/still"


def test_an_unusable_configuration_ends_with_exit_code_1(tmp_path):
    with NodeProcess(tmp_path, host_content="<broken") as node:
        assert node.wait() == 1
        assert "Cannot start server. Server instance is not configured." in node.text


def test_a_taken_port_leaves_the_server_up_without_that_connector(tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        NodeProcess(tmp_path, connector_port=taken.getsockname()[1]) as node,
    ):
        node.wait_until_started()
        assert f'Failed to initialize component [Connector["http-nio-127.0.0.1-{node.port}"]]' in node.text
        node.process.terminate()
        assert node.wait() == 143


def test_an_idle_node_is_small_and_quiet(tmp_path):
    with NodeProcess(tmp_path) as node:
        node.wait_until_started()
        node.get("/warm")
        worker = node.worker()
        status = Path(f"/proc/{worker}/status").read_text()
        resident_kib = int(status.split("VmRSS:")[1].split()[0])
        assert resident_kib < 60 * 1024
        let_pass(0.2, "the monitor of the loop comes to rest")
        before = _ticks(worker)
        let_pass(1.0, "processor time is counted over a second")
        assert _ticks(worker) - before <= 2  # ticks, 100 per second


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_systemd_hears_when_the_node_serves_and_when_it_stops(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(tmp_path / "notify"))
        notified.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with NodeProcess(tmp_path) as node:
            assert notified.recv(200).startswith(b"READY=1\n")
            node.wait_until_started()
            node.process.terminate()
            assert notified.recv(200).startswith(b"STOPPING=1\n")
            assert node.wait() == 143


@pytest.mark.parametrize("number", [signal.SIGUSR2, signal.SIGTTIN, signal.SIGTTOU])
def test_a_signal_that_means_nothing_to_a_node_in_one_process_is_refused_with_a_word(tmp_path, number):
    with NodeProcess(tmp_path) as node:
        node.wait_until_started()
        node.process.send_signal(number)
        node.wait_for_text("is refused" if number == signal.SIGUSR2 else "This node is one process")
        assert node.get("/still") == b"/still"
