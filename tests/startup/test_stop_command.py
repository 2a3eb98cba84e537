from __future__ import annotations

import logging
import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from catalina.errors import ConfigurationError
from catalina.startup.stop_command import StopTarget, running_node, send_shutdown, wait_for_end


def target(tmp_path: Path, attributes: str) -> StopTarget:
    path = tmp_path / "server.xml"
    path.write_text(f"<Server {attributes}><Service/></Server>")
    return StopTarget(path, lambda text: text.replace("${p}", "9005"))


def test_port_address_and_word_come_from_the_root_element(tmp_path: Path) -> None:
    found = target(tmp_path, 'port="${p}" portOffset="10" address="127.0.0.1" shutdown="BYE"')
    assert (found.address, found.port, found.word) == ("127.0.0.1", 9015, "BYE")


def test_the_defaults_are_those_of_the_server_element(tmp_path: Path) -> None:
    found = target(tmp_path, "")
    assert (found.address, found.port, found.word) == ("localhost", 8005, "SHUTDOWN")


def test_an_offset_does_not_switch_a_port_on(tmp_path: Path) -> None:
    assert target(tmp_path, 'port="-1" portOffset="10"').port == -1


def test_a_port_that_is_no_number_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"server\.xml: <Server> port='x', expected a whole number"):
        target(tmp_path, 'port="x"')


def test_the_word_arrives_and_the_connection_ends(tmp_path: Path) -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while data := connection.recv(100):
                    received.append(data)

        thread = threading.Thread(target=serve, name="shutdown port")
        thread.start()
        found = target(tmp_path, f'port="{listener.getsockname()[1]}" address="127.0.0.1" shutdown="BYE"')
        assert send_shutdown(found)
        thread.join(10)
    assert b"".join(received) == b"BYE"


def test_nobody_listening_is_logged_as_tomcat_does(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert not send_shutdown(target(tmp_path, f'port="{port}" address="127.0.0.1"'))
    (record,) = caplog.records
    assert record.getMessage() == (
        f"Could not contact [127.0.0.1:{port}] (base port [{port}] and offset [0]). Tomcat may not be running."
    )
    assert record.levelno == logging.ERROR
    assert record.exc_info


def test_a_server_without_a_shutdown_port_is_told_by_a_signal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert not send_shutdown(target(tmp_path, 'port="-1"'))
    assert "No shutdown port configured. Shut down server through OS signal." in caplog.text


def test_the_control_socket_tells_which_process_is_the_server(tmp_path: Path) -> None:
    assert running_node(tmp_path) is None
    (tmp_path / "temp").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "temp" / "catalina.sock"))
        listener.listen()
        assert running_node(tmp_path) == os.getppid()


def test_the_end_of_a_process_is_waited_for() -> None:
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert not wait_for_end(process.pid, 0)
    process.stdin.close()
    assert wait_for_end(process.pid, 10)
    process.wait()
    assert wait_for_end(process.pid, 0)
