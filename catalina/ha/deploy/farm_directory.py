"""Puts archives into deployDir and runs them, through the host's own deployment."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from catalina.deploy.brought_files import FARM
from catalina.errors import CatalinaError
from catalina.ha.deploy.file_message_factory import FarmFile, sha256_of
from catalina.util.context_name import ContextName
from catalina.util.path_names import checked_name

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost

__all__ = ["FarmDirectory", "HostDeployer", "host_deployer_of"]

log = logging.getLogger("org.apache.catalina.ha.deploy.FarmWarDeployer")


@runtime_checkable
class HostDeployer(Protocol):
    """A host's listener that deploys from its appBase; ``catalina.startup.HostConfig`` is one."""

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


class FarmDirectory:
    """The directory that the farm puts archives into.

    Args:
        host: runs the applications in its appBase.
        path: deployDir. When it is not appBase, its files are not run.
    """

    def __init__(self, host: StandardHost, path: str) -> None:
        self.host = host
        self.path = path
        self.is_app_base = os.path.realpath(path) == os.path.realpath(host.app_base_path)

    def place(self, name: str) -> str:
        """The path for a file of that name."""
        return os.path.join(self.path, name)

    def install(self, source: str, file: FarmFile, context: ContextName, keep_source: bool) -> bool:
        """Put a file into the directory in one step, and run it.

        Returns:
            False when the application does not start; the earlier one runs again.

        Raises:
            OSError: the file cannot be copied.
            DeploymentError: another deployment of the application is under way.
        """
        log.info("Installing webapp [%s] from [%s]", context.name, self.place(file.name))
        checked_name(file.name, "file name", "farm")
        stage = self.host.brought.stage(self.path, "farm")
        staged = os.path.join(stage, file.name)
        try:
            _copy_or_move(source, staged, keep_source)
            deployer = self._deployer()
            if deployer is not None:
                return deployer.install_archive(staged, file.name, context, FARM)
            os.replace(staged, self.place(file.name))
            return True
        finally:
            self.host.brought.end_stage(stage)

    def remove(self, context: str) -> None:
        """Undeploy a context that the farm has deployed, and delete its files; a failure is logged."""
        path, _, version = context.partition("##")
        deployer = self._deployer()
        try:
            name = ContextName(path, version)
            log.info("Removing webapp [%s]", name.name)
            if deployer is not None and not deployer.remove_archive(name, FARM):
                log.warning("There is no web app [%s] that the farm has brought; nothing is removed", name.name)
        except CatalinaError as error:
            log.error("Error removing webapp [%s]: %s", context, error)

    def why_not(self, context: str) -> str:
        """The reason why the installed application does not start, in one sentence."""
        deployer = self._deployer()
        return (deployer.why_not(context) if deployer is not None else "") or "the log says why"

    def has(self, file: FarmFile) -> bool:
        """True when exactly this file is there and, if it can run, runs."""
        path = self.place(file.name)
        if not os.path.isfile(path) or os.path.getsize(path) != file.size or sha256_of(path) != file.sha256:
            return False
        child = self.host.find_child(file.context)
        return not self.is_app_base or (child is not None and child.state.available)

    def _deployer(self) -> HostDeployer | None:
        return host_deployer_of(self.host) if self.is_app_base else None


def _copy_or_move(source: str, target: str, keep_source: bool) -> None:
    if not keep_source:
        try:
            os.replace(source, target)
        except OSError as exc:
            if exc.errno != errno.EXDEV:
                raise
        else:
            return
    shutil.copyfile(source, target)
