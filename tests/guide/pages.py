"""Runs the pages of docs/guide as their reader would, each in a network and with processes of its own.

A page's blocks are ``sh`` (typed in one shell, in their order), ``LANGUAGE FILE`` (written before the next one), and
``text`` (what the ``sh`` block before it prints; ``...`` stands for anything, also for several lines).
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.cluster.node import PROJECT

__all__ = ["GUIDE", "Block", "blocks_of", "matches", "run_page"]

GUIDE = PROJECT / "docs" / "guide"

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.M | re.S)

#: Network and helpers. A reader waits until a server is there; so does curl. pip has no network: what it would install
#: lies in the frameworks' directory.
_PROLOGUE = """\
set -eu
ip link set lo up
ip route add 224.0.0.0/4 dev lo
curl() {
  command curl -fsS --retry 120 --retry-delay 1 --retry-all-errors --retry-connrefused --max-time 60 "$@" 2>/dev/null
}
pip() { [ "$1 $2" = "install --target" ]; cp -r "$FRAMEWORKS/." "$3/"; }
"""


class Block(NamedTuple):
    """One fenced block: ``sh``, ``text``, or a language with a file's name."""

    language: str
    file: str
    text: str


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page."""
    found = []
    for match in _FENCE.finditer(page.read_text("utf-8")):
        language, _, file = match["info"].strip().partition(" ")
        found.append(Block(language, file, match["text"]))
    return found


def matches(expected: str, output: str) -> bool:
    """True when an output is the one that a page shows."""
    parts = [re.escape(part) for part in expected.strip().split("...")]
    return re.fullmatch(r"(?s:.*?)".join(parts), output.strip()) is not None


def script_of(blocks: list[Block], outputs: Path) -> str:
    """The page as a script; the output of its n-th block goes to ``outputs/n``."""
    parts = [_PROLOGUE]
    for number, block in enumerate(blocks):
        if block.language == "sh":
            parts.append(f"{{\n{block.text}}} >{shlex.quote(str(outputs / str(number)))} 2>&1")
        elif block.file:
            quoted = shlex.quote(block.file)
            parts.append(f"mkdir -p \"$(dirname {quoted})\"; cat >{quoted} <<'END_OF_FILE'\n{block.text}END_OF_FILE")
    return "\n".join(parts) + "\n"


def run_page(blocks: list[Block], directory: Path, frameworks: Path) -> list[str | None]:
    """Run it; the output of each ``sh`` block, None for others.

    Raises:
        AssertionError: a command failed.
    """
    outputs, tools, work, temporary = (directory / name for name in ("outputs", "tools", "work", "temporary"))
    for each in (outputs, tools, work, temporary):
        each.mkdir()
    for name, command in (("catalina", "-P -m catalina"), ("python", "")):
        (tools / name).write_text(f'#!/bin/sh\nexec {sys.executable} {command} "$@"\n')
        (tools / name).chmod(0o755)
    script = directory / "script"
    script.write_text(script_of(blocks, outputs))
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("CATALINA_", "FLASK_", "DJANGO_"))
    }
    environment |= {
        "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin:/sbin",
        "PYTHONPATH": f"{PROJECT}:{frameworks}",
        "FRAMEWORKS": str(frameworks),
        "TMPDIR": str(temporary),  # processes that are killed at the end of a page leave files
    }
    isolated = ["unshare", "--net", "--pid", "--mount-proc", "--fork", "--kill-child", "bash", str(script)]
    done = subprocess.run(
        isolated, cwd=work, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600
    )
    texts = [_read(outputs / str(number)) for number in range(len(blocks))]
    assert done.returncode == 0, "\n".join([done.stderr, *(text for text in texts if text)])
    return texts


def _read(file: Path) -> str | None:
    return file.read_text(errors="replace") if file.exists() else None
