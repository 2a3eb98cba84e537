"""The deployment of a host, as far as the farm needs it; ``catalina.startup.HostConfig`` implements it."""

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
        """Put an archive into appBase and run it; False when it does not start and the earlier state was restored."""

    def why_not(self, name: str) -> str:
        """The reason why an application, or the newest version of its archive, does not run; empty when it is
        unknown.
        """

    def remove_archive(self, name: ContextName, by: str) -> bool:
        """Undeploy an application that ``by`` has deployed and delete its files; False when there is no such
        application.
        """


def host_deployer_of(host: StandardHost) -> HostDeployer | None:
    """The deployment that listens to a host, None when there is none."""
    listeners: tuple[object, ...] = host.lifecycle_listeners
    return next((each for each in listeners if isinstance(each, HostDeployer)), None)
