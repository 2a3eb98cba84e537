"""Puts an archive from outside (the farm, the command line) into appBase, and removes it again if it fails.

The file is exchanged together with the application: at every moment appBase has the archive of the running version.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from catalina.deploy.brought_files import ARCHIVE, FARM
from catalina.deploy.exploding import mark_current
from catalina.errors import DeploymentError
from catalina.util.context_name import ContextName
from catalina.util.path_names import checked_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from catalina.core.standard_host import StandardHost
    from catalina.startup.application_deployer import ApplicationDeployer
    from catalina.startup.application_sources import ApplicationSources
    from catalina.startup.deployed_application import DeployedApplication

__all__ = ["ArchiveInstallation"]


class Deployment(Protocol):
    """The part of the HostConfig that an installation needs."""

    @property
    def host(self) -> StandardHost: ...

    @property
    def sources(self) -> ApplicationSources: ...

    @property
    def deployer(self) -> ApplicationDeployer: ...

    @property
    def deployed(self) -> Mapping[str, DeployedApplication]: ...

    def deploy_apps(self, at_start: bool = False, only: str | None = None, serviced: bool = False) -> None: ...

    def exchange(self, application: DeployedApplication, by: str = "") -> None: ...

    def stop_application(self, application: DeployedApplication) -> None: ...

    def out_of_the_way(self, path: str) -> None: ...

    def why_not(self, name: str) -> str: ...


class ArchiveInstallation:
    """One installation. The caller holds the lock of the HostConfig.

    Args:
        config: does the deployment.
        name: the archive's context.
        file_name: the archive's name in appBase.
        by: the origin of the archive. The farm replaces only archives that the farm has brought. An operator's command
            replaces everything with that name, and moves aside files that deployment has not brought.
    """

    def __init__(self, config: Deployment, name: ContextName, file_name: str, by: str) -> None:
        self.config = config
        self.name = name
        self.by = by
        checked_name(file_name, "file name", by)
        self.target = os.path.join(config.sources.app_base, file_name)
        self.brought = config.host.brought

    def run(self, source: str) -> bool:
        """Move ``source`` to its place and run it; restore the previous version when it does not start.

        Raises:
            DeploymentError: a file is in the way that must not be replaced.
        """
        self._check_the_way()
        stage = self.brought.stage(os.path.dirname(self.target), "previous")
        kept = os.path.join(stage, os.path.basename(self.target))
        try:
            before = self.brought.brought_by(self.target)
            if os.path.lexists(self.target):
                os.link(self.target, kept, follow_symlinks=False)
                _tell_apart(source, kept)
            self.brought.note(self.target, self.by, source)
            os.replace(source, self.target)
            good, why = False, ""
            try:
                good = self._start()
                why = "" if good else self.config.why_not(self.name.name)
            finally:
                back = not good and os.path.lexists(kept)
                if back:
                    if before is not None:
                        self.brought.note(self.target, before, kept)
                    os.replace(kept, self.target)
            if back:
                self._restore()
                application = self.config.deployed.get(self.name.name)
                if application is not None:
                    application.failure = why
            return good
        except OSError as exc:
            raise DeploymentError(f"{self.target}: cannot be put there: {exc.strerror}") from exc
        finally:
            self.brought.end_stage(stage)

    def _check_the_way(self) -> None:
        """Raises DeploymentError when the archive would replace a file that must stay."""
        name, config = self.name, self.config
        application = config.deployed.get(name.name)
        if application is None and config.host.find_child(name.name) is not None:
            raise DeploymentError(f"[{name.display_name}] stands in server.xml, and not in appBase")
        if os.path.isdir(self.target):
            raise DeploymentError(f"[{self.target}] is a directory")
        if self.by != FARM:
            return
        there = [self.target, os.path.join(config.sources.app_base, name.base_name)]
        if application is not None:
            there += [application.archive.file] if application.archive is not None else []
            there += [application.directory] if application.directory else []
            if application.external:
                raise DeploymentError(
                    f"[{name.display_name}] runs from where this node's operator has it, outside appBase"
                )
        for path in there:
            if os.path.lexists(path) and self.brought.brought_by(path) not in (FARM, ARCHIVE):
                raise DeploymentError(
                    f"[{name.display_name}] was not brought by the farm, and the farm does not replace it: [{path}]"
                )

    def _start(self) -> bool:
        config = self.config
        application = config.deployed.get(self.name.name)
        if application is not None and application.archive is not None and application.archive.file == self.target:
            config.exchange(application, self.by)
            application = config.deployed.get(self.name.name)
            if application is not None:
                return application.refused is None
        elif application is not None and not application.external:
            config.stop_application(application)
            other = application.archive.file if application.archive is not None else application.directory
            if other:
                config.out_of_the_way(other)
        return self._deploy()

    def _deploy(self) -> bool:
        self.config.deploy_apps(at_start=True, only=self.name.name, serviced=True)
        context = self.config.host.find_child(self.name.name)
        return context is not None and context.state.available

    def _restore(self) -> None:
        """The previous archive is back: remember it, and run it unless it still runs."""
        application = self.config.deployed.get(self.name.name)
        context = self.config.host.find_child(self.name.name)
        if application is None or context is None or not context.state.available:
            if application is not None:
                self.config.stop_application(application)
            with self.config.deployer.going_back():
                self._deploy()
            return
        application.refused = None
        application.watch_for_redeploy(self.target)
        directory = os.path.join(os.path.dirname(self.target), self.name.base_name)
        if self.brought.brought_by(directory) is not None:
            mark_current(self.target, directory)


def _tell_apart(new: str, old: str) -> None:
    """Give an archive another time than its predecessor: unpacked directories are known by it, and the clock of files
    stands still for some milliseconds.
    """
    time_ns = os.stat(new).st_mtime_ns
    if time_ns == os.lstat(old).st_mtime_ns:
        os.utime(new, ns=(time_ns + 1, time_ns + 1))
