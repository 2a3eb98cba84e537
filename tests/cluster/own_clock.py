"""A wall clock of a node's own, which a test can set while the node runs."""

from __future__ import annotations

import mmap
import subprocess
from pathlib import Path

from tests.cluster.node import HERE, Node
from tests.support.needs import need_command

__all__ = ["OwnClock"]


class OwnClock:
    """Give it to a node that is not started yet. The C library's answers change, so nothing in the process knows.

    Args:
        node: whose clock it is.
    """

    def __init__(self, node: Node) -> None:
        library, offset = node.base / "own_clock.so", node.base / "clock_offset"
        compiler = need_command("cc", "gcc, libc6-dev")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "own_clock.c"], check=True)
        offset.write_bytes(bytes(8))
        _setenv(node.base, library, offset)
        with offset.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 8)

    def step(self, seconds: int) -> None:
        """Set the clock: so much before (negative: behind) the machine's, at once."""
        self._memory[:8] = seconds.to_bytes(8, "little", signed=True)


def _setenv(base: Path, library: Path, offset: Path) -> None:
    (base / "bin").mkdir()
    (base / "bin" / "setenv.sh").write_text(f'export LD_PRELOAD="{library}" CLOCK_OFFSET="{offset}"\n')
