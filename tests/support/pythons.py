"""Other Pythons of the machine, and wheels for them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from catalina.extras import server_requirements
from tests.support.needs import missing

__all__ = ["need_other_python", "need_wheels", "version_of"]

#: Where interpreters are that are in no directory of PATH.
_PLACES = (Path.home() / ".pyenv" / "versions", Path("/opt/python"))


def version_of(python: Path) -> tuple[int, ...]:
    """The first two numbers of an interpreter's version; none when it does not run."""
    try:
        asked = subprocess.run(
            [python, "-I", "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, timeout=60
        )
    except OSError:
        return ()
    return tuple(map(int, asked.stdout.split())) if asked.returncode == 0 else ()


def _pythons() -> Iterator[Path]:
    for place in _PLACES:
        yield from sorted(place.glob("*/bin/python3"), reverse=True)
    for directory in os.environ.get("PATH", "").split(os.pathsep):
        yield from sorted(Path(directory).glob("python3.[0-9][0-9]"), reverse=True)


def need_other_python() -> Path:
    """An interpreter of another version than ours that can run the server.

    Where there is none the test is skipped, under ``CI=true``, too: Debian has one version, and that is nobody's
    omission. The way to another program is tested with a copy of our own interpreter.
    """
    for python in _pythons():
        version = version_of(python)
        if version >= (3, 11) and version != sys.version_info[:2]:
            return python
    pytest.skip("there is no other Python of 3.11 or later on this machine")


def need_wheels(python: Path, lines: Sequence[str] = ()) -> Path:
    """A directory with wheels of all that the server needs in that Python, and of more, made once.

    Args:
        lines: more requirements, each with what it requires.
    """
    version = ".".join(map(str, version_of(python)))
    wanted = [version, *server_requirements(), "", *lines]
    home = Path(sys.prefix) / "test-wheels"
    directory = home / hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:12]
    home.mkdir(exist_ok=True)
    with open(f"{directory}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "done").exists():
            with tempfile.TemporaryDirectory() as temporary:
                _run(python, "-m", "venv", temporary)
                for each in (server_requirements(), *([line] for line in lines)):  # they need not agree
                    _run(Path(temporary, "bin", "python"), "-m", "pip", "-q", "wheel", "--wheel-dir", directory, *each)
            (directory / "done").touch()
    return directory


def _run(*command: str | Path) -> None:
    asked = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if asked.returncode != 0:
        missing(f"wheels cannot be had: {asked.stderr.strip()}")
