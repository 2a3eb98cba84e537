from __future__ import annotations

import os
import socket
import stat
from typing import Any

import pytest

from catalina.connector.listening import bind_socket, permissions
from catalina.coyote.abstract_protocol import AbstractProtocol
from catalina.errors import LifecycleError
from tests.connector.serving import serving
from tests.support.narrowing import there


def hello(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [environ["REMOTE_ADDR"].encode()]


def test_a_port_is_bound_and_refuses_until_it_listens():
    with bind_socket(AbstractProtocol(address="127.0.0.1"), 0) as bound:
        where = bound.getsockname()
        assert where[0] == "127.0.0.1"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(where, 5)
        bound.listen()
        with socket.create_connection(where, 5):
            pass


def test_a_taken_port_names_itself():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
            bind_socket(AbstractProtocol(address="127.0.0.1"), port)


def test_without_a_socket_from_systemd_the_inherited_channel_is_refused(monkeypatch):
    monkeypatch.delenv("LISTEN_FDS", raising=False)
    with pytest.raises(ValueError, match="LISTEN_FDS"):
        bind_socket(AbstractProtocol(use_inherited_channel=True), 0)


def test_a_unix_socket_serves_and_is_removed(tmp_path):
    path = tmp_path / "http.sock"
    attributes = {"unixDomainSocketPath": str(path), "unixDomainSocketPathPermissions": "rw-rw----"}
    with serving(hello, **attributes):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while data := sock.recv(1000):
                answer += data
        assert answer.startswith(b"HTTP/1.1 200")
    assert not path.exists()


def test_a_unix_socket_stays_for_the_process_that_takes_over(tmp_path):
    path = tmp_path / "http.sock"
    with serving(hello, unixDomainSocketPath=str(path)) as connector:
        server: Any = there(connector.service).server
        server.restart_reason = "compiled modules"
    assert path.exists()


def test_a_unix_socket_in_a_directory_that_others_may_write_is_refused_on_demand(tmp_path):
    tmp_path.chmod(0o755)
    attributes = {
        "unixDomainSocketPath": str(tmp_path / "s"),
        "unixDomainSocketParentPermissions": "rwx------",
    }
    with pytest.raises(LifecycleError, match="permissions are"), serving(hello, **attributes):
        pass


@pytest.mark.parametrize(("text", "mode"), [("rwxr-x---", 0o750), ("---------", 0), (" rw-rw-rw- ", 0o666)])
def test_permissions_are_read(text, mode):
    assert permissions(text) == mode


@pytest.mark.parametrize("text", ["", "0750", "rwxrwxrw", "xwrxwrxwr"])
def test_other_forms_of_permissions_are_refused(text):
    with pytest.raises(ValueError, match="permissions"):
        permissions(text)


def test_a_unix_socket_that_cannot_be_bound_is_closed(tmp_path):
    path = tmp_path / ("long" * 40)  # longer than the kernel takes
    with pytest.raises(LifecycleError), serving(hello, unixDomainSocketPath=str(path)):
        pass
