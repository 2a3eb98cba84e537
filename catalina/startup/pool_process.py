"""The program of a pool's process that has a user of its own: ``python -m catalina.startup.pool_process FILE``.

It begins with nothing but the file that :mod:`catalina.startup.pool_guard` has written for it, and two descriptors: one
from which it reads the requests that other workers send, one to which it writes its log. It reaches the keeper with the
token of the file, and asks it for all that it does not have: sessions, logins, its application's entry.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import logging
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

import catalina
from catalina.core.standard_engine import StandardEngine
from catalina.core.standard_server import StandardServer
from catalina.errors import CatalinaError, ConfigurationError
from catalina.juli.class_loader_log_manager import protect_container_loggers
from catalina.startup.catalina import Catalina
from catalina.startup.node_life import NodeLife, Stage
from catalina.startup.node_parts import WorkerPart
from catalina.startup.process_control import BOOT_FAILED, name_process
from catalina.workers.connection_counts import ConnectionCounts
from catalina.workers.keeper_realm import KeeperRealm
from catalina.workers.shared_parts import WorkerParts

__all__ = ["PoolProcess", "TellingHandler", "main"]

log = logging.getLogger("org.apache.catalina.startup.PoolProcess")


class TellingHandler(logging.Handler):
    """Writes each record as a line of JSON for the process that has started this one.

    Args:
        descriptor: a pipe. Lines of several threads do not mix, as the handler's lock is held.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a reader that has gone means the end of this process, which comes by another way."""
        try:
            text = record.getMessage()
            if record.exc_info:
                text += "\n" + logging.Formatter().formatException(record.exc_info)
            self.tell({"level": record.levelno, "name": record.name, "text": text})
        except Exception:  # noqa: BLE001 - as every handler of Python's logging
            self.handleError(record)

    def tell(self, said: dict[str, Any]) -> None:
        """Write one line."""
        data = json.dumps(said).encode() + b"\n"
        while data:
            data = data[os.write(self._descriptor, data) :]


class _ToldLife(NodeLife):
    """The stages of this process, told to the process that has started it."""

    def __init__(self, handler: TellingHandler) -> None:
        super().__init__()
        self._handler = handler

    def note(self, stage: Stage, place: int = 0) -> None:
        super().note(stage, place)
        self._handler.tell({"stage": int(stage)})


class PoolProcess:
    """One life of the process.

    Args:
        begun: the content of the file.
        base: its own directory.
    """

    def __init__(self, begun: dict[str, Any], base: Path) -> None:
        self._handler = TellingHandler(begun["tells"])
        self._life = _ToldLife(self._handler)
        self._begun = begun
        self._index = int(begun["index"])
        self._moves = socket.socket(fileno=begun["moves"])
        self._moves.setblocking(False)
        home = Path(catalina.__file__).parents[1]
        temporary = str(base / "temp")
        tempfile.tempdir = temporary
        properties = {**begun["properties"], "java.io.tmpdir": temporary}
        self._catalina = Catalina(home, base, properties)

    def configure_logging(self) -> None:
        """Send everything to the process that has started this one."""
        protect_container_loggers()
        for logger in (logging.getLogger(), logging.getLogger("org.apache")):
            logger.handlers[:] = [self._handler]
            logger.setLevel(logging.INFO)
        logging.getLogger("org.apache").propagate = False

    def run(self) -> int:
        """Start, serve and stop; returns the exit code."""
        server = self._load()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_stop_signal)
        faulthandler.register(signal.SIGQUIT, file=sys.stdout, all_threads=True)
        server.reactor.start()
        pairs = {self._index: (self._moves, self._moves)}
        parts = WorkerParts(self._begun["address"].encode(), pairs, ConnectionCounts(1), self._begun["token"])
        part = WorkerPart(server, parts, self._life, self._index)
        for engine in (service.engine for service in server.services):
            if isinstance(engine, StandardEngine):
                engine.realm = KeeperRealm(part.call_keeper, self._begun["key"])
        if not part.before_start():
            return self._end(Stage.STOPPED)
        try:
            self._catalina.init()
            self._catalina.start()
        except CatalinaError:
            self._life.note(Stage.FAILED)
            return BOOT_FAILED
        part.after_start()
        self._life.note(Stage.SERVING)
        gc.collect()
        gc.freeze()
        try:
            self._catalina.await_shutdown()
            part.before_stop()
        finally:
            self._catalina.stop()
            part.after_stop()
            server.reactor.stop()
        return self._end(Stage.RESTARTING if server.restart_reason else Stage.STOPPED)

    def _load(self) -> StandardServer:
        server = self._catalina.load()
        server.restarter = lambda _: True
        return server

    def _on_stop_signal(self, _: int, __: FrameType | None) -> None:
        server = self._catalina.server
        if server is not None:
            server.stop_await()

    def _end(self, stage: Stage) -> int:
        self._life.note(stage)
        return 0


def main(arguments: list[str]) -> int:
    """Run the process whose file is the first argument; returns the exit code."""
    file = Path(arguments[0])
    begun = json.loads(file.read_text())
    file.unlink()
    os.environ.pop("PYTHONPATH", None)  # programs that the application starts find their own
    name_process(f"catalina-{begun['name']}")
    process = PoolProcess(begun, file.parent)
    process.configure_logging()
    try:
        return process.run()
    except ConfigurationError as error:
        log.error("%s", error)
        return BOOT_FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
