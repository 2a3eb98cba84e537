"""Finds out if an address and port can be listened on, and otherwise which process has them."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path

__all__ = ["address_problem", "port_problem"]


def address_problem(address: str) -> str:
    """The reason why no process on this machine can listen on the address: the name is unknown, or belongs to another
    machine.

    It is empty when one can. This waits for DNS when the address is a name.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(address, 0, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        return f"{address!r} cannot be resolved: {error.strerror or error}"
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind(where)
    except OSError as error:
        return f"{address!r} is no address of this machine: {error.strerror}"
    return ""


def port_problem(address: str | None, port: int, base: Path) -> str:
    """The reason why a server of ``base`` could not listen there now; empty when it could, or when it already does.

    Args:
        address: None for all addresses.
    """
    if not 0 <= port <= 65535:
        return f"port {port} is none, expected 1 to 65535"
    problem = address_problem(address) if address else ""
    if problem or port == 0:
        return problem
    try:
        _listen_once(address or "::", port, dual_stack=address is None)
    except OSError as error:
        if error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL) and address is None:  # the kernel has no IPv6
            try:
                _listen_once("0.0.0.0", port, dual_stack=False)  # noqa: S104 - what the connector does
            except OSError as other:
                error = other
            else:
                return ""
        if error.errno == errno.EADDRINUSE:
            return _taken(address, port, base)
        return f"{address or '*'}:{port} cannot be listened on: {error.strerror}"
    return ""


def _listen_once(address: str, port: int, dual_stack: bool) -> None:
    family, _, _, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not dual_stack))
        probe.bind(where)
        probe.listen(1)


def _taken(address: str | None, port: int, base: Path) -> str:
    owners = _listeners(port)
    if owners and all(_is_server_of(pid, base) for pid in owners):
        return ""
    named = ", ".join(f"process {pid} ({_command(pid)})" for pid in owners) or "another process"
    return f"{address or '*'}:{port} is taken by {named}"


def _listeners(port: int) -> list[int]:
    """Processes that listen on the port, as far as this user may see them (proc(5))."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    return sorted(pid for pid in map(_number, os.listdir("/proc")) if pid and inodes & _open_files(pid))


def _number(name: str) -> int:
    return int(name) if name.isdecimal() else 0


def _open_files(pid: int) -> set[str]:
    found: set[str] = set()
    with contextlib.suppress(OSError):  # the process is another user's, or has gone
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):  # the file was closed meanwhile
                found.add(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
    return found


def _words(pid: int) -> list[str]:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return []


def _command(pid: int) -> str:
    return os.path.basename(next(iter(_words(pid)), "")) or "?"


def _is_server_of(pid: int, base: Path) -> bool:
    """True when the process is a server of this CATALINA_BASE: its arbiter, or the worker of that arbiter."""
    return any(
        os.path.realpath(word.removeprefix("-Dcatalina.base=")) == os.path.realpath(base)
        for word in _words(pid)
        if word.startswith("-Dcatalina.base=")
    )
