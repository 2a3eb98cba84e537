"""An application whose compiled modules would be loaded a second time is started again in a new process.

The dynamic loader of the operating system never gives up a library that Python has loaded. A second import of the same
file shares code and memory with the first: numpy refuses that, others fail later, or answer wrongly without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.core.standard_server import StandardServer

__all__ = ["restart_instead"]

#: Modules that are named.
_NAMED = 3


def restart_instead(server: StandardServer | None, name: str, modules: Sequence[str], limited: bool = True) -> bool:
    """Have the node started anew when an application is to be started again and has loaded compiled modules.

    Args:
        name: of the context.
        modules: those that this process has loaded from the application's own files.
        limited: nobody asked for it, so it must not happen again and again.

    Returns:
        True when the node ends; the caller then leaves the rest to the new one.
    """
    if not modules or server is None:
        return False
    more = f" and {len(modules) - _NAMED} more" if len(modules) > _NAMED else ""
    return server.restart(
        f"Application [{name or '/'}] has compiled modules of its own, which one process can load only once "
        f"({', '.join(modules[:_NAMED])}{more})",
        limited,
    )
