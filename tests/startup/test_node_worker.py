from __future__ import annotations

import collections
import contextlib
import http.client
import os
import signal
import socket
import threading
import urllib.error
import urllib.request

import pytest

from tests.startup.node_process import NodeProcess
from tests.support.waiting import assert_stays, wait_until

pytestmark = pytest.mark.cluster


def test_a_worker_that_is_told_to_stop_stops_in_order_and_is_started_again(tmp_path):
    with NodeProcess(tmp_path) as node:
        node.wait_until_started()
        worker = node.worker()
        os.kill(worker, signal.SIGTERM)
        node.wait_until_started(times=2)
        assert node.worker() != worker
        assert f"The node (process {worker}) has ended by exit code 143" in node.text
        assert node.get("/again") == b"/again"


def test_an_ignored_hup_stays_ignored(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        node = NodeProcess(tmp_path, ignores_hup=True)
    finally:
        signal.signal(signal.SIGHUP, before)
    with node:
        node.wait_until_started()
        node.process.send_signal(signal.SIGHUP)
        assert_stays(lambda: node.get("/still") == b"/still", "it serves", 0.2)
        assert node.process.poll() is None


def test_a_node_serves_on_unready_while_load_balancers_take_it_out(tmp_path):
    health = '<Valve className="org.apache.catalina.valves.HealthCheckValve"/>'
    with NodeProcess(tmp_path, host_content=health, options=("-Dcatalina.drainSeconds=60",)) as node:
        node.wait_until_started()
        url = f"http://127.0.0.1:{node.port}/health"
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert b"UP" in answer.read()
        node.process.terminate()
        node.wait_for_text("Draining for [60] seconds")
        with pytest.raises(urllib.error.HTTPError) as down:
            urllib.request.urlopen(url, timeout=10)
        assert down.value.code == 503
        down.value.close()
        assert node.get("/still") == b"/still"
        os.kill(node.worker(), signal.SIGTERM)  # the same word: an init system tells the whole group
        assert_stays(lambda: node.get("/still") == b"/still", "it serves", 1.2)
        os.kill(node.worker(), signal.SIGTERM)  # told twice
        assert node.wait() == 143


CLOSES_THE_LOOP = """
import os, threading

def application(environ, start_response):
    if environ["PATH_INFO"] == "/break":
        for fd in os.listdir("/proc/self/fd"):
            try:
                if os.readlink(f"/proc/self/fd/{fd}") == "anon_inode:[eventpoll]":
                    os.close(int(fd))
            except OSError:
                pass
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


def test_a_node_whose_loop_cannot_go_on_ends_and_another_one_is_started(tmp_path):
    with NodeProcess(tmp_path, application=CLOSES_THE_LOOP) as node:
        node.wait_until_started()
        first = node.worker()
        with contextlib.suppress(OSError, http.client.HTTPException):
            node.get("/break")
        node.wait_until_started(2)
        assert "cannot go on and ends" in node.text
        assert node.worker() != first
        assert node.get("/") == b"ok"


def test_a_stop_under_load_resets_nobody(tmp_path):
    seen: collections.Counter[str] = collections.Counter()
    over = threading.Event()

    def client(path: bytes) -> None:
        while not over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", node.port), 5) as sock:
                    sock.sendall(b"GET /app/%b HTTP/1.1\r\nHost: a\r\n\r\n" % path)
                    seen[sock.recv(12).decode() or "closed"] += 1
            except OSError as exc:
                seen[type(exc).__name__] += 1
                over.wait(0.01)

    with NodeProcess(tmp_path) as node:
        node.wait_until_started()
        clients = [
            threading.Thread(target=client, args=(b"slow" if number % 4 == 0 else b"x",)) for number in range(12)
        ]
        for thread in clients:
            thread.start()
        wait_until(lambda: seen["HTTP/1.1 200"] >= 300, "the clients have had answers", 60)
        node.process.send_signal(signal.SIGTERM)
        node.wait()
        over.set()
        for thread in clients:
            thread.join()
    assert set(seen) == {"HTTP/1.1 200", "ConnectionRefusedError"}


SLOW_AGAIN = """
import os, time

if os.path.exists("{flag}"):
    time.sleep(0.3)

def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""


def test_a_stop_does_not_wait_until_all_applications_are_reloaded(tmp_path):
    flag = tmp_path / "slow"
    for number in range(20):
        directory = tmp_path / "webapps" / f"number{number}"
        directory.mkdir(parents=True)
        (directory / "wsgi.py").write_text(SLOW_AGAIN.format(flag=flag))
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/web.xml").write_text("<web-app/>")
    with NodeProcess(tmp_path) as node:
        node.wait_until_started()
        flag.touch()
        (tmp_path / "conf/web.xml").write_text("<web-app></web-app>")
        node.wait_for_text("Reloading context [/number")
        node.process.terminate()
        assert node.wait() == 143
        assert node.text.count("Reloading context [/number") < 10
