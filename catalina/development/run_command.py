"""``catalina run PATH|module:callable|wheel|zip``: serves an application in the foreground, at once.

The server's directory is a temporary one; the application stays where it is. With ``--cluster`` there are several nodes
behind one port (``front.py``), to see a session survive.
"""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import os
import queue
import select
import signal
import socket
import sys
import tempfile
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from catalina.development.front import PAGE, Front
from catalina.development.node_process import NodeProcess
from catalina.development.project import Project, find_project
from catalina.development.source_watch import SourceWatch
from catalina.development.trial_base import Meeting, TrialBase, free_port
from catalina.errors import CatalinaError, ConfigurationError
from catalina.polling import is_ready
from catalina.startup.worker_count import named_count, worker_count
from catalina.util.context_name import ContextName

__all__ = ["main"]

#: Seconds between two looks for something to do.
LOOK_SECONDS = 0.2
MOST_NODES = 9

_NOT_DISTRIBUTABLE = (
    "catalina run: the application does not say that its sessions may travel, so each stays in its node. "
    "A wheel says so with the entry-point group catalina.webapp.distributable, a web.xml with <distributable/>"
)
_EPILOG = """\
PATH is a directory or a .py file. Without PATH the server of this directory's conf/server.xml runs in the foreground.
With --cluster the page /.catalina/ shows who served and who holds the backup; its buttons, or the keys 1 to N of the
terminal, kill and revive a node."""


def main(words: Sequence[str]) -> int:
    """Run; returns the exit code: 0, 1 when the application cannot be served, 128 + n when signal n ended it."""
    options = _parser().parse_args(list(words))
    try:
        with _stopped_by_signals():
            return _Run(options, find_project(options.application, Path.cwd())).serve()
    except CatalinaError as error:
        print(f"catalina run: {error}", file=sys.stderr)
        return 1
    except _Signal as stop:
        return 0 if stop.number == signal.SIGINT else 128 + stop.number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="catalina run", description="Serve an application in the foreground.", epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("application", metavar="PATH|module:callable|wheel|zip", help="what to serve")
    add("--path", default="/", help="context path, such as /shop; / if not given")
    add("--port", type=int, default=8080, help="8080 if not given")
    add("--address", default="127.0.0.1", help="where to listen; 127.0.0.1 if not given: this machine only")
    add("--reload", action="store_true", help="load the application anew when its source changes; sessions stay")
    add("--cluster", type=int, metavar="N", help=f"a trial group of N nodes on this machine, 2 to {MOST_NODES}")
    add("--workers", type=_workers, metavar="N", help="processes of each node that serve; auto: one for each core")
    return parser


def _workers(text: str) -> int:
    try:
        return named_count(text)
    except ConfigurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


class _Signal(Exception):
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP end the run in order; further signals change nothing."""

    def stop(number: int, _: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise _Signal(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Run:
    """One run, from the first node's start to the last one's end.

    Args:
        options: the options of the command line.
        project: the application to serve.
    """

    def __init__(self, options: argparse.Namespace, project: Project) -> None:
        self.options = options
        self.project = project
        self.path = ContextName.of_path(options.path, "").path
        self.workers: int = options.workers or worker_count({}, os.environ)
        _check(options)
        self.nodes: list[NodeProcess] = []
        self._commands: queue.SimpleQueue[tuple[str, NodeProcess]] = queue.SimpleQueue()
        self._watch = SourceWatch(project.sources) if options.reload else None

    def serve(self) -> int:
        """Serve until the end. Raises CatalinaError when there is nothing to serve."""
        with tempfile.TemporaryDirectory(prefix="catalina-run-") as directory, contextlib.ExitStack() as stack:
            self._make_nodes(Path(directory))
            stack.callback(self._stop)
            if self._watch is not None:
                self._watch.start()
                stack.callback(self._watch.stop)
            if self.options.cluster:
                stack.callback(self._open_front())
            for node in self.nodes:
                node.start()
            self._say_ready()
            keys = stack.enter_context(_Keys()) if self.options.cluster else None
            return self._attend(keys)

    def _make_nodes(self, directory: Path) -> None:
        options = self.options
        count = options.cluster or 1
        meeting = Meeting() if options.cluster else None
        environment = {"PYTHONUNBUFFERED": "1"}
        if _is_loopback(options.address) and "FLASK_DEBUG" not in os.environ:
            environment["FLASK_DEBUG"] = "1"  # otherwise Flask shows no tracebacks
        for number in range(1, count + 1):
            name = f"node{number}"
            base = TrialBase(
                directory / name, self.project, self.path, free_port() if meeting else options.port, options.address,
                name, meeting, workers=self.workers,
            )  # fmt: skip
            base.write()
            self.nodes.append(NodeProcess(base, environment))

    def _stop(self) -> None:
        threads = [threading.Thread(target=node.stop) for node in self.nodes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _open_front(self) -> Callable[[], None]:
        """Listen; returns the function that closes it again. Raises ConfigurationError."""
        front = Front(self.nodes, lambda verb, node: self._commands.put((verb, node)))
        try:
            server: BaseWSGIServer = make_server(
                self.options.address, self.options.port, front, threaded=True, request_handler=_Quiet
            )
        except SystemExit as error:  # werkzeug raises it when it cannot listen
            raise ConfigurationError(f"cannot listen on {self.options.address}:{self.options.port}") from error
        threading.Thread(target=server.serve_forever, name="front", daemon=True).start()

        def close() -> None:
            server.shutdown()
            server.server_close()

        return close

    def _say_ready(self) -> None:
        """Wait for every node. Raises CatalinaError when the application does not run and no change is awaited."""
        failed = [line for node in self.nodes for line in node.wait_ready()]
        for line in dict.fromkeys(failed):
            print(f"catalina run: {line}", file=sys.stderr)
        if failed and self._watch is None:
            raise ConfigurationError("nothing to serve")
        host = f"[{self.options.address}]" if ":" in self.options.address else self.options.address
        address = f"http://{host}:{self.options.port}"
        _say(f"Serving {self.project.callable or self.project.root} at {address}{self.path}/{self._with_workers()}")
        if self.options.cluster:
            if any("only here" in line for line in self.nodes[0].ask("sessions")):
                print(_NOT_DISTRIBUTABLE, file=sys.stderr)
            _say(f"{len(self.nodes)} nodes; who served and who holds the backup: {address}{PAGE}")

    def _with_workers(self) -> str:
        if self.workers == 1:
            return ""
        return f" with {self.workers} workers{' in each node' if self.options.cluster else ''}"

    # -- while it runs -----------------------------------------------------------------------------------------------

    def _attend(self, keys: _Keys | None) -> int:
        while True:
            self._obey()
            key = keys.pressed() if keys is not None else ""
            if key == "q":
                return 0
            if key.isdecimal() and 0 < int(key) <= len(self.nodes):
                node = self.nodes[int(key) - 1]
                self._do("kill" if node.runs else "revive", node)
            changed = self._watch.changed(LOOK_SECONDS) if self._watch is not None else []
            if changed:
                self._reload(changed)
            elif self._watch is None:
                time.sleep(LOOK_SECONDS)
            if not self.options.cluster and not self.nodes[0].runs:
                print(f"catalina run: the node ended with code {self.nodes[0].exit_code}", file=sys.stderr)
                return 1

    def _obey(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._do(*self._commands.get_nowait())

    def _do(self, verb: str, node: NodeProcess) -> None:
        """Kill or revive a node. Only in this thread, because a node dies with the thread that started it."""
        if verb == "kill" and node.runs:
            node.kill()
            _say(f"{node.name} is dead")
        elif verb == "revive" and not node.runs:
            node.start()
            try:
                node.wait_ready()
                _say(f"{node.name} is back")
            except CatalinaError as error:
                print(f"catalina run: {error}", file=sys.stderr)

    def _reload(self, changed: Sequence[str]) -> None:
        root = self.project.sources.parent if self.project.is_archive else self.project.sources
        names = [str(Path(each).relative_to(root)) for each in changed]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        _say(f"{', '.join(names[:3])}{more}: reloading")
        for node in self.nodes:
            if not node.runs:
                continue
            try:
                node.reload()
            except CatalinaError as error:
                print(f"catalina run: {node.name}: {error}", file=sys.stderr)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """The nodes write a line for each request."""


class _Keys:
    """Single keys of the terminal, if there is one."""

    def __init__(self) -> None:
        self._is_terminal = sys.stdin is not None and sys.stdin.isatty()

    def __enter__(self) -> _Keys:
        if self._is_terminal:
            self._before = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
            _say("Keys: a node's number kills or revives it, q ends")
        return self

    def __exit__(self, *exc: object) -> None:
        if self._is_terminal:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def pressed(self) -> str:
        """The next key, empty without one."""
        if self._is_terminal and is_ready(sys.stdin, select.POLLIN, 0):
            return os.read(sys.stdin.fileno(), 1).decode("latin-1")
        return ""


def _check(options: argparse.Namespace) -> None:
    """Refuse an application that would fail later with a less helpful message. Raises ConfigurationError."""
    if options.cluster is not None:
        if not 2 <= options.cluster <= MOST_NODES:
            raise ConfigurationError(f"--cluster {options.cluster}: expected 2 to {MOST_NODES} nodes")
        if not _is_loopback(options.address):
            raise ConfigurationError(f"--cluster is for this machine only: --address {options.address} is no loopback")
    family = socket.AF_INET6 if ":" in options.address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((options.address, options.port))
        except OSError as error:
            raise ConfigurationError(
                f"{options.address}:{options.port}: {error.strerror}; --port N names another"
            ) from error


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _say(text: str) -> None:
    print(text, flush=True)
