"""Lets pip install an application's requirements into a directory; the container's environment stays as it is."""

from __future__ import annotations

import logging
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from catalina.deploy.declared_requirements import DeclaredRequirements
from catalina.deploy.progress import show_step
from catalina.deploy.removal import remove
from catalina.errors import DeploymentError

__all__ = ["InstallRules", "install_dependencies"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

#: Seconds between two looks at the clock while pip is silent.
_LOOK = 0.2
#: Seconds between two lines of the log about pip's progress.
_SAY_EVERY = 5.0
#: The virtual environment beside an installation for another Python, with the pip of that Python.
PIP = "pip"
#: Lines of pip's output that are kept for its error.
_KEPT_LINES = 200
_STEPS = ("Collecting ", "Downloading ", "Installing ", "Building ", "Preparing ")


@dataclass(frozen=True, slots=True)
class InstallRules:
    """An operator's decisions about installations.

    Args:
        allowed: pip may install at all.
        builds: pip may build source archives, which runs their code as the server's user.
        seconds: the time that one installation may take.
        is_ending: true as soon as the server was told to stop.
    """

    allowed: bool = True
    builds: bool = False
    seconds: float = 600.0
    is_ending: Callable[[], bool] = lambda: False


def install_dependencies(owner: str, declared: DeclaredRequirements, rules: InstallRules, target: str) -> None:
    """Make the directory ``target`` from an application's requirements. It appears complete, or not at all.

    Args:
        owner: the application, for messages.

    Raises:
        DeploymentError: pip fails, takes too long, or would have to run code of a package; the text is one line.
    """
    if declared.builds and not rules.builds:
        raise DeploymentError(
            f"[{owner}]: {declared.label}: pip would have to run the package's own code to install "
            f'[{declared.builds[0]}]; name a released wheel, or set buildDependencies="true" on the Host'
        )
    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    staging = tempfile.mkdtemp(prefix=".installing-", dir=parent)
    try:
        _run_pip(owner, declared, rules, staging)
        os.rename(os.path.join(staging, "packages"), target)
    finally:
        remove(staging, parent)


def _command(declared: DeclaredRequirements, rules: InstallRules, staging: str) -> list[str]:
    files = {"requirements.txt": declared.lines, "constraints.txt": declared.constraints}
    for name, lines in files.items():
        with open(os.path.join(staging, name), "w", encoding="utf-8") as sink:
            sink.writelines(f"{line}\n" for line in lines)
    # -I: nothing of the current directory, which is the application's, is imported
    python = os.path.join(staging, PIP, "bin", "python") if declared.program else sys.executable
    command = [python, "-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    # compiling on import is enough; compiling everything in advance takes longer than the download
    command += ["--no-compile", "--no-user", "--progress-bar", "off", "--target", os.path.join(staging, "packages")]
    command += [] if rules.builds else ["--only-binary", ":all:"]
    command += [each for directory in declared.links for each in ("--find-links", directory)]
    command += ["--constraint", os.path.join(staging, "constraints.txt")] if declared.constraints else []
    return [*command, "--requirement", os.path.join(staging, "requirements.txt")]


def _run_pip(owner: str, declared: DeclaredRequirements, rules: InstallRules, staging: str) -> None:
    os.mkdir(os.path.join(staging, "packages"))
    if declared.program:  # the server's pip may be too old for a newer Python, which brings its own
        _run(owner, declared, rules, staging, [declared.program, "-I", "-m", "venv", os.path.join(staging, PIP)])
    _run(owner, declared, rules, staging, _command(declared, rules, staging))


def _run(owner: str, declared: DeclaredRequirements, rules: InstallRules, staging: str, command: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    process = subprocess.Popen(
        command, cwd=declared.root, env={**environment, "TMPDIR": staging}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
    )  # fmt: skip
    try:
        lines = _follow(owner, declared, rules, process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    if process.returncode:
        why = _fault(lines, rules.builds)
        raise DeploymentError(f"[{owner}]: pip cannot install the requirements of {declared.label}: {why}")


def _follow(
    owner: str, declared: DeclaredRequirements, rules: InstallRules, process: subprocess.Popen[str]
) -> list[str]:
    """Read pip's output until its end, and show its steps.

    Raises:
        DeploymentError: it takes too long, or the server ends.
    """
    said: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, said), name="pip-output", daemon=True)
    reader.start()
    deadline = time.monotonic() + rules.seconds
    lines: list[str] = []
    next_word = time.monotonic() + _SAY_EVERY
    while True:
        try:
            line = said.get(timeout=_LOOK)
        except queue.Empty:
            line = ""
        if line is None:
            return lines
        lines = [*lines[-_KEPT_LINES:], line] if line else lines
        if line.startswith(_STEPS):
            show_step(_short(line))
            if time.monotonic() > next_word:
                next_word = time.monotonic() + _SAY_EVERY
                log.info("[%s]: pip: %s", owner, _short(line))
        if rules.is_ending():
            raise DeploymentError(f"[{owner}]: the server stops, and so does the installation of its requirements")
        if time.monotonic() > deadline:
            last = f"; its last step: {_short(lines[-1])}" if lines else ""
            raise DeploymentError(
                f"[{owner}]: pip has not installed the requirements of {declared.label} in {rules.seconds:g} s "
                f"(installTimeout of the Host){last}"
            )


def _read(process: subprocess.Popen[str], said: queue.Queue[str | None]) -> None:
    try:
        for line in process.stdout or ():
            said.put(line.strip())
    except ValueError:
        pass  # the stream was closed after the process was ended
    finally:
        said.put(None)


def _short(line: str) -> str:
    """One step in a few words: ``Installing collected packages: a, b ...``."""
    return line if len(line) <= 100 else line[:97] + "..."


def _fault(lines: list[str], builds: bool) -> str:
    """The reason in pip's words, in one line, with the cure where pip does not name it."""
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR")] or lines or ["no output"]
    text = errors[-1]
    if "No module named pip" in text:
        return f"{sys.executable} has no pip ({sys.executable} -m ensurepip)"
    if text.startswith("No matching distribution") and any("NewConnectionError" in line for line in lines):
        return f"{text}. No package index answers: put the wheels into WEB-INF/lib, or name one with PIP_INDEX_URL"
    if text.startswith("No matching distribution") and not builds:
        return f'{text} as a wheel for this Python (a source archive needs buildDependencies="true" on the Host)'
    return text
