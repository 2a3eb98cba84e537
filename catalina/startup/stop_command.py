"""Sends the shutdown command to a running server and waits for its end (Tomcat: Catalina.stopServer())."""

from __future__ import annotations

import logging
import os
import select
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from catalina.digester.xml_tree import read_xml
from catalina.errors import ConfigurationError
from catalina.polling import is_ready
from catalina.startup.control_socket import bound_address, socket_path

__all__ = ["STOP_WAIT", "StopTarget", "running_node", "send_shutdown", "wait_for_end"]

log = logging.getLogger("org.apache.catalina.startup.Catalina")

#: Seconds to connect and send; the port is on this machine.
TIMEOUT = 10.0

#: The property of ``catalina.sh stop`` with the seconds to wait for the end of the server; 0 does not wait.
STOP_WAIT = "catalina.stopWait"


class StopTarget:
    """The address and the command, from the root element of server.xml alone; no component is made.

    Args:
        path: server.xml.
        substitution: replaces ``${...}``.

    Raises:
        ConfigurationError: the file is not well-formed, or a port is not a number.
    """

    def __init__(self, path: Path, substitution: Callable[[str], str]) -> None:
        root = read_xml(path, missing_entities_are_empty=True)
        values = {name: substitution(attribute.value) for name, attribute in root.attributes.items()}
        self.address = values.get("address", "localhost")
        self.base_port = _number(values, "port", 8005, path)
        self.offset = _number(values, "portOffset", 0, path)
        self.word = values.get("shutdown", "SHUTDOWN")

    @property
    def port(self) -> int:
        """The port with its offset; 0 or less when there is none."""
        return self.base_port + self.offset if self.base_port > 0 else self.base_port


def _number(values: Mapping[str, str], name: str, default: int, path: Path) -> int:
    text = values.get(name, str(default))
    try:
        return int(text)
    except ValueError:
        raise ConfigurationError(f"{path}: <Server> {name}={text!r}, expected a whole number") from None


def send_shutdown(target: StopTarget) -> bool:
    """Send the command; returns False, after logging, when there is no port or nobody listens."""
    if target.port <= 0:
        log.error("No shutdown port configured. Shut down server through OS signal. Server not shut down.")
        return False
    try:
        with socket.create_connection((target.address, target.port), TIMEOUT) as connection:
            connection.sendall(target.word.encode("latin-1", "replace"))
    except OSError as error:
        log.error(
            "Could not contact [%s:%s] (base port [%s] and offset [%s]). Tomcat may not be running.",
            target.address, target.port, target.base_port, target.offset,
            exc_info=error,
        )  # fmt: skip
        return False
    return True


def running_node(base: Path) -> int | None:
    """The process that an operator knows as the server of a CATALINA_BASE; None when none answers.

    The node's control socket reveals the process that listens on it. That is the worker, whose parent is the arbiter.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock, bound_address(socket_path(base)) as address:
            sock.connect(address)
            worker = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        status = Path(f"/proc/{worker}/status").read_text()
    except OSError:
        return None
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))


def wait_for_end(pid: int, seconds: float) -> bool:
    """Wait until a process has ended; returns False when it still runs after ``seconds``."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return is_ready(process, select.POLLIN, seconds)
    finally:
        os.close(process)
