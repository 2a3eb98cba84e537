"""Makes listening sockets: TCP, Unix, or inherited from systemd."""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.coyote.abstract_protocol import AbstractProtocol

__all__ = ["bind_socket", "permissions"]

#: First descriptor that systemd passes (sd_listen_fds(3)).
LISTEN_FDS_START = 3


def bind_socket(handler: AbstractProtocol, port: int) -> socket.socket:
    """The bound socket that a protocol's attributes ask for. Until it listens, the kernel refuses clients.

    Raises:
        OSError: the address or port cannot be bound.
        ValueError: permissions or owner of the Unix socket's directory are not as configured.
    """
    path = handler.unix_domain_socket_path
    try:
        if handler.use_inherited_channel:
            return _from_systemd()
        return _bind_unix(handler, path) if path else _bind_port(handler, port)
    except OSError as exc:
        where = path or f"{handler.address or '*'}:{port}"
        raise OSError(exc.errno, f"{exc.strerror}: {where}") from exc


def _bind_port(handler: AbstractProtocol, port: int) -> socket.socket:
    address = handler.address or "::"
    family, kind, proto, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
    try:
        return _bind(handler, socket.socket(family, kind, proto), where, dual_stack=handler.address is None)
    except OSError as exc:
        if handler.address is None and exc.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            return _bind(handler, socket.socket(socket.AF_INET), ("0.0.0.0", port))  # noqa: S104 - a kernel without IPv6
        raise


def _bind(handler: AbstractProtocol, sock: socket.socket, where: object, dual_stack: bool = False) -> socket.socket:
    try:
        reuse = handler.socket_so_reuse_address
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1 if reuse is None else int(reuse))
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not dual_stack))
        if handler.socket_rx_buf_size:  # before listen, because it decides about the window scale
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, handler.socket_rx_buf_size)
        sock.bind(where)  # type: ignore[arg-type]  # what getaddrinfo gave
    except BaseException:
        sock.close()
        raise
    return sock


def _bind_unix(handler: AbstractProtocol, path: str) -> socket.socket:
    _check_parent(handler, os.path.dirname(os.path.abspath(path)))
    if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode):
        os.unlink(path)  # left by a server that has gone
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(path)
        if handler.unix_domain_socket_path_permissions:
            os.chmod(path, permissions(handler.unix_domain_socket_path_permissions))
    except BaseException:
        sock.close()
        raise
    return sock


def _check_parent(handler: AbstractProtocol, parent: str) -> None:
    """Check the directory, which guards the socket and must be as the operator says.

    Raises:
        ValueError: the directory differs.
    """
    status = os.stat(parent)
    wanted = handler.unix_domain_socket_parent_permissions
    if wanted and stat.S_IMODE(status.st_mode) != permissions(wanted):
        raise ValueError(f"{parent}: permissions are {stat.filemode(status.st_mode)[1:]}, expected {wanted}")
    owner = handler.unix_domain_socket_parent_owner
    if owner:
        import pwd  # imported only when it is needed

        name = pwd.getpwuid(status.st_uid).pw_name
        if name != owner:
            raise ValueError(f"{parent}: the owner is {name!r}, expected {owner!r}")


def _from_systemd() -> socket.socket:
    if int(os.environ.get("LISTEN_FDS", "0")) < 1 or os.environ.get("LISTEN_PID") not in (None, str(os.getpid())):
        raise ValueError("useInheritedChannel is set, but systemd passed no socket (LISTEN_FDS)")
    return socket.socket(fileno=LISTEN_FDS_START)


def permissions(text: str) -> int:
    """``rwxr-x---`` -> 0o750.

    Raises:
        ValueError: it has another form.
    """
    text = text.strip()
    if len(text) != 9 or any(c not in (wanted, "-") for c, wanted in zip(text, "rwxrwxrwx", strict=True)):
        raise ValueError(f"permissions {text!r}, expected nine characters such as rw-rw----")
    return int("".join("0" if c == "-" else "1" for c in text), 2)
