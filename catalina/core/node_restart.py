"""Restarts the node when an application's compiled modules would be loaded a second time.

The dynamic loader of the operating system never unloads a library that Python has loaded. A second import of the same
file shares code and memory with the first: numpy refuses that, other packages fail later, or silently give wrong
answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

__all__ = ["restart_instead"]

#: The number of modules that the log names.
_NAMED = 3


class Restartable(Protocol):
    """The server."""

    def restart(self, why: str, limited: bool = True) -> bool: ...


def restart_instead(server: Restartable | None, name: str, modules: Sequence[str], limited: bool = True) -> bool:
    """Restart the node when an application that has loaded compiled modules is to be started again.

    Args:
        name: the context's name.
        modules: the compiled modules that this process has loaded from the application's own files.
        limited: no operator asked for it, so it must not happen again and again.

    Returns:
        True when the node ends; the caller then leaves the rest to the new process.
    """
    if not modules or server is None:
        return False
    more = f" and {len(modules) - _NAMED} more" if len(modules) > _NAMED else ""
    return server.restart(
        f"Application [{name or '/'}] has compiled modules of its own, which one process can load only once "
        f"({', '.join(modules[:_NAMED])}{more})",
        limited,
    )
