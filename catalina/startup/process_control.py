"""Asks the kernel for what concerns a whole process (prctl(2)); the standard library has no calls for it."""

from __future__ import annotations

import ctypes
import os
import signal

__all__ = ["BOOT_FAILED", "die_with_parent", "forbid_new_rights", "name_process"]

#: Exit code of a process of the node that could not start. The log, or the keeper, has the reason.
BOOT_FAILED = 3

#: The signal that this process gets when its parent dies; the name of the calling thread, which for the first thread is
#: the name of the process; no program that is executed gets more rights.
_PDEATHSIG, _NAME, _NO_NEW_PRIVS = 1, 15, 38


def _prctl(what: int, *values: int | bytes) -> None:
    """Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(what, *values, *[0] * (4 - len(values))) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({what}) failed")


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent dies: killing the process that the operator knows then ends
    all, as killing a JVM does. A change of the user's ids forgets it.

    Args:
        parent: id of the parent; if it has died already, this process ends here.

    Raises:
        OSError: the kernel refuses it.
    """
    _prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the call
        os.kill(os.getpid(), signal.SIGKILL)


def name_process(name: str) -> None:
    """Give this process a name that ``ps -o comm`` and ``top`` show, of at most 15 characters."""
    _prctl(_NAME, name.encode())


def forbid_new_rights() -> None:
    """Let neither this process nor those that it starts get more rights by executing a program. Raises OSError."""
    _prctl(_NO_NEW_PRIVS, 1)
