"""Restarts the node when an application would load a second time what one process can load only once.

The dynamic loader of the operating system never unloads a library that Python has loaded. A second import of the same
file shares code and memory with the first: numpy refuses that, other packages fail later, or silently give wrong
answers. And Django has the settings, URLs and models of one project: if it belongs to the server's environment, a
second start of the project finds those of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from catalina.errors import DeploymentError

if TYPE_CHECKING:
    from catalina.loader.import_space import ImportSpace

__all__ = ["RESTARTED", "refuse_state_of_another", "restart_instead"]

#: The end of a command's answer whose rest the next process does.
RESTARTED = "the node is restarted, and runs it anew"
#: The number of modules that the log names.
_NAMED = 3


class Restartable(Protocol):
    """The server."""

    def restart(self, why: str, limited: bool = True) -> bool: ...


def restart_instead(server: Restartable | None, name: str, modules: Sequence[str], limited: bool = True) -> bool:
    """Restart the node when an application that has loaded such modules is to be started again.

    Args:
        name: the context's name.
        modules: what it has loaded and cannot load again; see ``WebappLoader.loaded_once``.
        limited: no operator asked for it, so it must not happen again and again.

    Returns:
        True when the node ends; the caller then leaves the rest to the new process.
    """
    if not modules or server is None:
        return False
    more = f" and {len(modules) - _NAMED} more" if len(modules) > _NAMED else ""
    return server.restart(
        f"Application [{name or '/'}] has modules that one process can load only once "
        f"({', '.join(modules[:_NAMED])}{more})",
        limited,
    )


def refuse_state_of_another(server: Restartable | None, name: str, found: tuple[str, ImportSpace] | None) -> None:
    """Check an application that was just loaded. It would answer with the pages of another one, if a library that keeps
    one application's state in a process had the other's.

    Args:
        name: the context's name.
        found: see ``WebappLoader.state_of_another``.

    Raises:
        DeploymentError: it has. If the other one has stopped, the node is restarted and deploys this one then. An
            earlier start of this one is an error only then.
    """
    if found is None:
        return
    library, other = found
    own, of_other = name or "/", other.name or "/"
    if other.active or server is None:
        raise DeploymentError(
            f"{library} has one application in a process, and that of the server's environment has [{of_other}]: "
            f"[{own}] needs a {library} of its own, in its directory, in WEB-INF/lib or from its requirements"
        )
    why = f"Application [{own}] uses {library} of the server's environment, which has [{of_other}] that has stopped"
    if server.restart(why):
        raise DeploymentError("the node is restarted, and deploys the application then")
    if other.name != name:
        raise DeploymentError(f"{why}; the server must be restarted")
