"""The node's socket for the ``catalina`` command, in the base's temp directory. Only the user that runs the node may
use it.

A connection carries one request, and each message is one line of JSON::

    client   {"verb": "deploy", "file": "shop.whl", ...}          with the open file beside it (SCM_RIGHTS)
    node     {"progress": ["copying", 1048576, 20000000]}         any number of these
    node     {"lines": ["deployed [/shop##1.4.0]"], "exit": 0} or {"error": "..."}
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pwd
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from catalina.core.standard_server import StandardServer
from catalina.errors import CatalinaError
from catalina.lifecycle import LifecycleEvent
from catalina.mbeans.audit import Caller, audit
from catalina.startup.control_commands import ControlCommands
from catalina.startup.node_commands import Outcome

__all__ = ["ControlSocket", "bound_address", "socket_path"]

log = logging.getLogger("org.apache.catalina.startup.ControlSocket")

MAX_REQUEST = 65536
#: Commands that may run at the same time.
MAX_CLIENTS = 8
#: Seconds that a client has to send its request.
REQUEST_SECONDS = 10.0
#: Commands that change something.
CHANGING = frozenset(("deploy", "undeploy", "reload", "drain", "undrain"))
#: Seconds that a stop waits for running commands: one of them may be the reason why the node ends.
ANSWER_SECONDS = 1.0


def socket_path(base: Path) -> Path:
    """The path of the socket of the node with this CATALINA_BASE."""
    return base / "temp" / "catalina.sock"


@contextlib.contextmanager
def bound_address(path: Path) -> Iterator[str]:
    """A name for a socket that fits into the kernel's 108 bytes, however long its path is."""
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)


class ControlSocket:
    """A lifecycle listener of the server: listens from ``after_start`` to ``before_stop``."""

    def __init__(self) -> None:
        self._listening: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._free = threading.BoundedSemaphore(MAX_CLIENTS)
        self._serving: set[threading.Thread] = set()

    def __call__(self, event: LifecycleEvent) -> None:
        if not isinstance(event.source, StandardServer):
            return
        if event.type == "after_start":
            self.open(event.source)
        elif event.type == "before_stop":
            self.close()

    def open(self, server: StandardServer) -> None:
        """Listen. The node runs without the socket, too, so a failure is only a warning."""
        path = socket_path(Path(server.catalina_base))
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            path.parent.mkdir(exist_ok=True)
            path.unlink(missing_ok=True)
            with bound_address(path) as address:
                listening.bind(address)
            path.chmod(0o600)
            listening.listen(MAX_CLIENTS)
        except OSError as exc:
            listening.close()
            log.warning("No commands are taken on [%s]: %s", path, exc)
            return
        self._listening = listening
        self._path = path
        self._commands = ControlCommands(server)
        self._thread = threading.Thread(target=self._accept, name="catalina-control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening. Running commands continue; commands that end at this moment are answered."""
        listening, self._listening = self._listening, None
        if listening is None:
            return
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)  # wakes accept()
        listening.close()
        self._path.unlink(missing_ok=True)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        deadline = time.monotonic() + ANSWER_SECONDS
        for thread in self._serving - {threading.current_thread()}:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _accept(self) -> None:
        while (listening := self._listening) is not None:
            try:
                client, _ = listening.accept()
            except OSError:
                return  # closed
            if self._free.acquire(blocking=False):
                thread = threading.Thread(
                    target=self._serve, args=(client,), name="catalina-control-client", daemon=True
                )
                self._serving.add(thread)
                thread.start()
            else:
                client.close()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client:
                self._answer(client)
        except OSError as exc:
            log.debug("A client of the control socket went away: %s", exc)
        finally:
            self._free.release()
            self._serving.discard(threading.current_thread())

    def _answer(self, client: socket.socket) -> None:
        client.settimeout(REQUEST_SECONDS)
        request, file = _receive(client)
        client.settimeout(None)
        uid = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
        if uid != os.geteuid():
            log.warning("A command of user %s was refused, this node runs as %s", uid, os.geteuid())
            _send(client, {"error": "this node belongs to another user"})
            if file is not None:
                file.close()
            return
        try:
            verb = str(request.pop("verb", ""))
            log.info("Command %s %s", verb, request)
            done = self._commands.run(
                verb, request, file, lambda what, done, total: _send(client, {"progress": [what, done, total]})
            )
            outcome = done if isinstance(done, Outcome) else Outcome(done)
            _note(verb, uid, request)
            answer: dict[str, Any] = {"lines": outcome.lines, "exit": outcome.code}
        except CatalinaError as error:
            _note(verb, uid, request, error)
            answer = {"error": str(error)}
        except BaseException as error:  # some of the code is an application's
            log.exception("Command failed")
            answer = {"error": f"{type(error).__name__}: {error}"}
        finally:
            if file is not None:
                file.close()
        _send(client, answer)  # whoever has gone meanwhile has made no command fail


def _note(verb: str, uid: int, request: dict[str, Any], failed: Exception | None = None) -> None:
    """Write the audit line for a command that changes something."""
    if verb not in CHANGING:
        return
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    subject = " ".join(f"{name}={value}" for name, value in sorted(request.items()))
    audit(Caller("command", user, "local"), verb, subject, failed=failed)


def _send(client: socket.socket, message: dict[str, Any]) -> None:
    client.sendall(json.dumps(message).encode() + b"\n")


def _receive(client: socket.socket) -> tuple[dict[str, Any], IO[bytes] | None]:
    """The request, and the file that came with it. Raises OSError when the client sends nothing sensible."""
    data, files, _, _ = socket.recv_fds(client, MAX_REQUEST, 1)
    file = os.fdopen(files[0], "rb") if files else None
    try:
        while data and not data.endswith(b"\n") and len(data) < MAX_REQUEST:
            more = client.recv(MAX_REQUEST)
            if not more:
                break
            data += more
        request = json.loads(data)
        if not isinstance(request, dict):
            raise ValueError("expected an object")
    except (ValueError, RecursionError) as exc:
        if file is not None:
            file.close()
        _send(client, {"error": f"not a request: {exc}"})
        raise OSError("not a request") from exc
    return request, file
