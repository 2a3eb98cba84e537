"""A node as a process of its own, started for a trial or a test; it ends with the process that started it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import catalina
from catalina.core.node_restart import RESTARTED
from catalina.development.trial_base import TrialBase
from catalina.errors import CatalinaError
from catalina.startup.bootstrap import SUPERVISOR
from catalina.startup.control_client import ask
from catalina.startup.control_socket import socket_path
from catalina.startup.home_directory import home_directory
from catalina.startup.worker_count import WORKERS
from catalina.util.context_name import ContextName

__all__ = ["NodeProcess"]

#: Seconds for a start, which waits for the group and may share its processors.
START_SECONDS = 120.0
STOP_SECONDS = 30.0


class NodeProcess:
    """One node: start, wait, reload, stop, kill, start again.

    Args:
        base: its CATALINA_BASE, whose files must exist.
        environment: variables beyond those of this process.
        output: receives its output; None: this process's output.
    """

    def __init__(
        self, base: TrialBase, environment: Mapping[str, str] | None = None, output: IO[bytes] | None = None
    ) -> None:
        self.base = base
        self._environment = dict(environment or {})
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self._report = base.directory / "temp" / "start-report"

    @property
    def name(self) -> str:
        """Its jvmRoute."""
        return self.base.name

    @property
    def runs(self) -> bool:
        """True while the process exists."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while it runs, or when it was never started."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start the process; :meth:`wait_ready` returns when it serves. It dies with the thread that calls this."""
        self._report.write_text("")
        directory = self.base.directory
        properties: dict[str, object] = {
            "catalina.base": directory,
            "catalina.home": home_directory(),
            "java.io.tmpdir": directory / "temp",
            "java.util.logging.config.file": directory / "conf" / "logging.properties",
            "catalina.startReport": self._report,
            SUPERVISOR: os.getpid(),
        }
        if self.base.workers is not None:
            properties[WORKERS] = self.base.workers
        options = [f"-D{name}={value}" for name, value in properties.items()]
        tree = str(Path(catalina.__file__).parents[1])
        path = os.pathsep.join(filter(None, [tree, os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "catalina.startup.bootstrap", *options, "start"],
            env={**os.environ, **self._environment, "PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT if self._output is not None else None,
            start_new_session=True,  # control-C is for the process that started it, and reaches it as an orderly stop
        )

    def wait_ready(self, seconds: float = START_SECONDS) -> list[str]:
        """Return when it serves, with one line for each part of it that does not.

        Raises:
            CatalinaError: it has ended, or was not ready in time.
        """
        deadline = time.monotonic() + seconds
        while True:
            lines = self._report.read_text("utf-8").splitlines() if self._report.exists() else []
            if lines and lines[0].isdecimal():
                if lines[0] != "0":
                    raise CatalinaError(f"{self.name} does not serve: {'; '.join(lines[1:])}")
                return lines[1:]
            if not self.runs:
                raise CatalinaError(f"{self.name} ended with code {self.exit_code} before it served")
            if time.monotonic() > deadline:
                raise CatalinaError(f"{self.name} was not ready in {seconds:.0f} s")
            time.sleep(0.02)

    def ask(self, verb: str, **arguments: Any) -> list[str]:
        """The output of ``catalina VERB`` for this node. Raises CatalinaError with the node's own text."""
        try:
            lines: list[str] = ask(socket_path(self.base.directory), {"verb": verb, **arguments})["lines"]
        except OSError as error:
            raise CatalinaError(f"{self.name} does not answer: {error.strerror or error}") from error
        return lines

    def reload(self) -> list[str]:
        """Take the application's new state; its sessions stay. Returns when it serves.

        Raises:
            CatalinaError: the application does not start.
        """
        self._report.write_text("")
        lines = self.ask("check" if self.base.project.is_archive else "reload", name=self.base.path or "/")
        if lines and lines[-1].endswith(RESTARTED):  # another process has its place, and reports as the first one
            failed = self.wait_ready()
            if failed:
                raise CatalinaError("; ".join(failed))
        return lines

    def sessions(self) -> dict[str, str]:
        """Session id -> ``primary`` or ``backup``, of the application on this node."""
        name = ContextName.of_path(self.base.path, "").display_name
        lines = [line.split() for line in self.ask("holds", name=name)]
        return {words[1]: words[0] for words in lines if words and words[0] in ("primary", "backup")}

    def stop(self) -> int | None:
        """An orderly stop; one that takes too long is killed. Returns the exit code."""
        if self._process is not None and self.runs:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.exit_code

    def kill(self) -> None:
        """``kill -9``: it dies at any point of its work, and its workers with it."""
        if self._process is not None and self.runs:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait(STOP_SECONDS)
