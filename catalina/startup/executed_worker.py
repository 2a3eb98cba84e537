"""The process of a pool's worker that runs another Python than the server, for the sake of its application.

The arbiter forks it as any worker. It asks the keeper what the process in its seat is to run; if that is another
Python, it executes that, as the same process. The new program gets in two ways what a fork finds in its memory: the
sockets and the shared memory are descriptors that it inherits; the rest is one JSON text in memory of the kernel, whose
descriptor is an argument. The text has the files that the arbiter has read, so the program makes the same tree of
components, whatever somebody has written into server.xml since. Nothing is on the command line that ps would show, and
nothing is pickled.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NoReturn

from catalina.deploy.virtual_environment import OwnPython
from catalina.errors import CatalinaError, ProtocolError
from catalina.workers.frames import FrameReader, Hello, Kind, decode_result, encode_call, encode_frame, encode_hello
from catalina.workers.services import SEAT, SEAT_FAILED

if TYPE_CHECKING:
    from catalina.startup.catalina import Catalina
    from catalina.startup.node_life import NodeLife
    from catalina.workers.shared_parts import SharedParts

__all__ = ["HELD_SIGNALS", "execute", "own_python", "tell_failure"]

log = logging.getLogger("org.apache.catalina.startup.Catalina")

#: Seconds between two looks whether the node ends, while the keeper deploys and answers nothing yet.
LOOK_SECONDS = 0.1
#: Seconds that the keeper may take to hear a reason.
TELL_SECONDS = 5.0
#: Signals that wait while one program gives way to the next: the default action would end the process.
HELD_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)
#: The new program. Its site-packages are the application's, so the module site does not run: the loader imports them
#: for the application alone.
PROGRAM = "import sys; sys.path += sys.argv[2:]; from catalina.startup.pool_program import main; main(int(sys.argv[1]))"


def own_python(address: bytes | str, index: int, is_ending: Callable[[], bool]) -> OwnPython | None:
    """Ask the keeper what the process in a pool's seat is to run, and wait until it knows.

    Args:
        address: of the keeper's listening Unix socket.
        index: of the worker.

    Returns: None for the Python of the server, or when the node ends.
    """
    question = encode_hello(Hello(True, index, os.getpid())) + encode_frame(Kind.CALL, encode_call(SEAT, None))
    while not is_ending():
        try:
            told = _ask(address, question, is_ending)
        except (OSError, CatalinaError) as error:
            log.debug("The keeper does not say what the process in seat [%d] is to run: %s", index, error)
            told = None
        if told is not None:
            python = told["python"]
            return None if python is None else OwnPython.heard(python)
        time.sleep(LOOK_SECONDS)
    return None


def _ask(address: bytes | str, question: bytes, is_ending: Callable[[], bool]) -> dict[str, Any] | None:
    """The result of a call; None when the keeper has none yet. Raises OSError and CatalinaError."""
    frames = FrameReader()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(LOOK_SECONDS)
        sock.connect(address)
        sock.sendall(question)
        while not is_ending():
            try:
                data = sock.recv(65536)
            except TimeoutError:
                continue
            if not data:
                raise ConnectionResetError("the keeper has closed the connection")
            for frame in frames.feed(data):
                if frame.kind is Kind.RESULT:
                    result = decode_result(frame.payload)
                    if result is not None and not isinstance(result, dict):
                        raise ProtocolError(f"expected an object, got {type(result).__name__}")
                    return result
    return None


def tell_failure(address: bytes | str, index: int, why: str) -> None:
    """Tell the keeper why the process in a seat ends. If it cannot be reached, the log alone has the reason."""
    question = encode_hello(Hello(True, index, os.getpid())) + encode_frame(Kind.CALL, encode_call(SEAT_FAILED, why))
    deadline = time.monotonic() + TELL_SECONDS
    try:
        _ask(address, question, lambda: time.monotonic() > deadline)
    except (OSError, CatalinaError) as error:
        log.warning("The keeper does not hear why the process in seat [%d] ends: %s", index, error)


def execute(
    catalina: Catalina, life: NodeLife, shared: SharedParts, place: int, parent: int, python: OwnPython
) -> NoReturn:
    """Go on as another Python.

    Args:
        place: of this process in the node.
        parent: process id of the arbiter.

    Raises:
        OSError: it cannot be executed.
    """
    birth = {
        "python": asdict(python),
        "home": str(catalina.home),
        "base": str(catalina.base),
        "config_file": str(catalina.config_file),
        "properties": catalina.properties,
        "files": {path: base64.b64encode(data).decode() for path, data in catalina.files.items()},
        "temporary": tempfile.gettempdir(),
        "place": place,
        "parent": parent,
        "life": life.memory.descriptor,
        "shared": shared.told(),
    }
    memory = os.memfd_create("catalina-birth", 0)
    with open(memory, "wb", closefd=False) as out:
        out.write(json.dumps(birth).encode())
    os.lseek(memory, 0, os.SEEK_SET)
    for descriptor in (*shared.descriptors, life.memory.descriptor):
        os.set_inheritable(descriptor, True)
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD_SIGNALS)
    sys.stdout.flush()
    sys.stderr.flush()
    flags = [*(["-B"] if sys.flags.dont_write_bytecode else []), *(["-X", "utf8"] if sys.flags.utf8_mode else [])]
    # -I: neither the current directory nor PYTHON... variables, which are meant for the server's Python
    command = [python.program, *flags, "-I", "-S", "-c", PROGRAM, str(memory), *python.imports]
    os.execv(python.program, command)  # noqa: S606 - without a shell
