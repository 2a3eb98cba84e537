"""HostConfig's knowledge of an application that it deployed: the files whose change or removal matters.

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
        archive: the archive that it was made from; None for a directory.
        external: its document base lies outside appBase and is never deleted.
        directory: the directory in appBase that it was deployed from; empty for an archive.
    """

    name: ContextName
    has_descriptor: bool = False
    archive: Archive | None = None
    external: bool = False
    directory: str = ""
    #: File -> its state at deployment, None when it did not exist, in Tomcat's order: archive, directory, descriptor,
    #: global files. When one changes or goes, the files behind it are deleted with the application.
    redeploy: dict[str, Stamp | None] = field(default_factory=dict)
    #: Files whose change causes a reload: those of the WatchedResource elements.
    reload: dict[str, Stamp | None] = field(default_factory=dict)
    #: A state of the archive that was refused; the running version stays.
    refused: Stamp | None = None
    #: The state of its directory before the start.
    before: TreeStamp | None = None
    #: For an application that did not start, the state of the directory that need not be tried again.
    tried: TreeStamp | None = None
    #: The reason why it, or the newest version of its archive, does not run; empty when nothing is wrong.
    failure: str = ""
    #: True when the warning about a directory beside a packed archive was given.
    warned_of_directory: bool = False

    def watch_for_redeploy(self, *files: str) -> None:
        """Redeploy when one of these changes, goes or comes."""
        for file in files:
            self.redeploy[file] = stamp_of(file)

    def watch_for_reload(self, *files: str) -> None:
        """Reload when one of these changes."""
        for file in files:
            self.reload[file] = stamp_of(file)
