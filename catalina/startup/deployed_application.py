"""What HostConfig remembers of an application it deployed: the files whose change or removal matters.

(Tomcat: startup/HostConfig.java, ``DeployedApplication``.)
"""

from __future__ import annotations

from dataclasses import dataclass, field

from catalina.deploy.archive import Archive
from catalina.deploy.settling import Stamp, TreeStamp, stamp_of
from catalina.util.context_name import ContextName

__all__ = ["DeployedApplication"]


@dataclass(slots=True)
class DeployedApplication:
    """One application.

    Args:
        name: path and version.
        has_descriptor: deployed by a descriptor in xmlBase, so a changed archive reloads instead of redeploying.
        archive: what it was made from; None for a directory.
        external: its document base lies outside of appBase and is never deleted.
        directory: in appBase, that it was deployed from; empty for an archive.
    """

    name: ContextName
    has_descriptor: bool = False
    archive: Archive | None = None
    external: bool = False
    directory: str = ""
    #: File -> its state at deployment, None when it was not there, in Tomcat's order: archive, directory, descriptor,
    #: global files. When one changes or goes, those behind it are deleted with the application.
    redeploy: dict[str, Stamp | None] = field(default_factory=dict)
    #: Files whose change reloads: the WatchedResource elements.
    reload: dict[str, Stamp | None] = field(default_factory=dict)
    #: A state of the archive that was looked at and refused; the running version stays.
    refused: Stamp | None = None
    #: The state of its directory before it was started.
    before: TreeStamp | None = None
    #: The state of the directory that need not be tried again, of an application that did not start.
    tried: TreeStamp | None = None
    #: Why it, or the newest state of its archive, does not run; empty when nothing is wrong.
    failure: str = ""
    #: The warning about a directory beside a packed archive has been given.
    warned_of_directory: bool = False

    def watch_for_redeploy(self, *files: str) -> None:
        """Redeploy when one of these changes, goes or comes."""
        for file in files:
            self.redeploy[file] = stamp_of(file)

    def watch_for_reload(self, *files: str) -> None:
        """Reload when one of these changes."""
        for file in files:
            self.reload[file] = stamp_of(file)
