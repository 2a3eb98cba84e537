"""An archive that comes from outside (the farm, the command line) is put into appBase, and taken back if it fails.

The file is exchanged together with the application: at each moment appBase holds the archive of what runs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from catalina.core.context_name import ContextName
from catalina.deploy.exploding import STAGING_PREFIX, mark_current
from catalina.startup.expand_war import delete

if TYPE_CHECKING:
    from catalina.startup.host_config import HostConfig

__all__ = ["ArchiveInstallation"]


class ArchiveInstallation:
    """One installation. The caller holds the lock of the HostConfig.

    Args:
        config: deploys.
        name: the context that the archive is.
        target: the archive's place in appBase.
    """

    def __init__(self, config: HostConfig, name: ContextName, target: str) -> None:
        self.config = config
        self.name = name
        self.target = target

    def run(self, source: str) -> bool:
        """Move ``source`` to its place and run it; put the previous state back when it does not start."""
        kept = os.path.join(os.path.dirname(self.target), f"{STAGING_PREFIX}previous-{os.path.basename(self.target)}")
        delete(kept)
        if os.path.exists(self.target):
            os.link(self.target, kept)
        os.replace(source, self.target)
        good = self._start()
        if not good and os.path.exists(kept):
            os.replace(kept, self.target)
            self._restore()
        delete(kept)
        return good

    def _start(self) -> bool:
        config = self.config
        application = config.deployed.get(self.name.name)
        if application is not None and application.archive is not None and application.archive.file == self.target:
            config.exchange(application)
            application = config.deployed.get(self.name.name)
            if application is not None:
                return application.refused is None
        elif application is not None and not application.external:
            config.stop_application(application)
            others = [each for each in config.changes.deletable(application) if each != self.target]
            config.changes.delete(others)
        return self._deploy()

    def _deploy(self) -> bool:
        self.config.deploy_apps(at_start=True, only=self.name.name, serviced=True)
        context = self.config.host.find_child(self.name.name)
        return context is not None and context.state.available

    def _restore(self) -> None:
        """The previous state of the archive is back: remember it, and run it unless it still runs."""
        application = self.config.deployed.get(self.name.name)
        context = self.config.host.find_child(self.name.name)
        if application is None or context is None or not context.state.available:
            if application is not None:
                self.config.stop_application(application)
            self._deploy()
            return
        application.refused = None
        application.watch_for_redeploy(self.target)
        directory = os.path.join(os.path.dirname(self.target), self.name.base_name)
        if os.path.isdir(directory):
            mark_current(self.target, directory)
