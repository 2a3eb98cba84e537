"""What the farm needs of a host's deployment; ``catalina.startup.HostConfig`` has it (an import only goes down)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from catalina.util.context_name import ContextName

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost

__all__ = ["HostDeployer", "host_deployer_of"]


@runtime_checkable
class HostDeployer(Protocol):
    """A host's listener that deploys from its appBase."""

    def install_archive(self, source: str, file_name: str, name: ContextName, by: str) -> bool:
        """Put an archive into appBase and run it; False when it does not start and what was there is back."""

    def why_not(self, name: str) -> str:
        """Why an application, or the newest state of its archive, does not run; empty if nobody knows."""

    def remove_archive(self, name: ContextName, by: str) -> bool:
        """Undeploy and delete what ``by`` has brought; False when there is nothing of that name."""


def host_deployer_of(host: StandardHost) -> HostDeployer | None:
    """The deployment that listens to a host, None when it has none."""
    listeners: tuple[object, ...] = host.lifecycle_listeners
    return next((each for each in listeners if isinstance(each, HostDeployer)), None)
