"""Replaces the running version of an archive by a new one, and restores it if the new one does not start.

Faults that show before the start (a broken zip, a missing requirement) are found while the old version runs, which then
simply stays. An application without META-INF/context.xml keeps its Context object, paused: requests wait instead of
failing, and a distributable application keeps its sessions, as in a reload. With a META-INF/context.xml the settings
may change, so there is a new Context, as in Tomcat.

A version that is to run in processes of its own starts beside the old one, from a directory of its own: nothing waits,
and if it does not start, nothing has changed.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from catalina.core.node_restart import restart_instead
from catalina.core.standard_context import StandardContext
from catalina.deploy.archive import Archive
from catalina.deploy.brought_files import COMMAND, FARM
from catalina.deploy.settling import stamp_of
from catalina.errors import CatalinaError, DeploymentError
from catalina.startup.application_deployer import ApplicationDeployer, LoggedDeployment
from catalina.startup.application_root import ApplicationRoot
from catalina.startup.context_maker import make_settings, relative_to_app_base
from catalina.startup.deployed_application import DeployedApplication

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost

__all__ = ["ArchiveExchange"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

RESTORED = "The new version of [%s] did not start; the previous one is restored"


class ArchiveExchange:
    """One exchange of one application's archive.

    After :meth:`run`, ``good`` is True if the new version runs, and ``application`` is the DeployedApplication to
    remember.
    """

    def __init__(
        self,
        host: StandardHost,
        deployer: ApplicationDeployer,
        application: DeployedApplication,
        context: StandardContext,
        archive: Archive,
        by: str = "",
    ) -> None:
        self.host = host
        self.deployer = deployer
        self.application = application
        self.context = context
        self.archive = archive
        self.by = by
        self.unpack = host.unpack_wars and context.unpack_war
        self.root = ApplicationRoot(host, archive, application.name.base_name)
        #: The directory of the running version.
        self._before = os.path.abspath(context.document_root)
        #: The state of the archive that is tried; a newer one may come meanwhile.
        self._tried = stamp_of(archive.file)
        self.good = False
        self.failure = ""

    def run(self) -> None:
        """Exchange the versions. Failures are logged; nothing is raised."""
        with LoggedDeployment("web application archive", self.archive.file) as attempt:
            attempt.run(self._run)
        application = self.application
        application.failure = "" if self.good else attempt.failure or self.failure
        application.redeploy[self.archive.file] = self._tried
        application.refused = None if self.good else self._tried
        if self.root.is_apart and self.good:
            application.redeploy.pop(os.path.join(os.path.abspath(self.host.app_base_path), self.root.base_name), None)
        elif self.unpack and not self.root.is_apart:
            place = self.root.place(True)
            inside = [file for file in application.redeploy if file.startswith(place + os.sep)]
            application.watch_for_redeploy(place, *inside)  # its META-INF/context.xml is another file now

    def _run(self) -> None:
        try:
            self.deployer.provide(self.root, self._new_settings(), self.unpack)
            if self._needs_a_new_process():
                self.good = True
                self.application.archive = self.archive
                return
            own_settings = self.archive.has_context_xml or self.context.config_file is not None
            if own_settings and not self.application.has_descriptor:
                self._new_context()
            else:
                self._same_context()
            if self.good:
                self.application.archive = self.archive
                self.root.sweep([self._before])
        finally:
            self.root.close()

    def _new_settings(self) -> StandardContext:
        """Prepare the new version, and read how it is to run."""
        directory = self.root.prepare(self.unpack)
        own = self.context.config_file
        if own is not None and self.application.has_descriptor:
            return make_settings(self.host, str(own))
        return self.deployer.settings_of(directory)

    def _needs_a_new_process(self) -> bool:
        """True when the node is restarted, so that the new node unpacks and runs the new version.

        Raises:
            DeploymentError: the farm deploys it on all nodes at the same time, so restarts would lose the sessions.
        """
        modules = self.context.loader.loaded_once()
        if modules and self.by == FARM:
            raise DeploymentError(
                f"{self.archive.file}: the running version has modules that one process can load only once "
                f"({modules[0]} ...). Farm it as another version ({self.context.base_name.partition('##')[0]}"
                "##2.war, or a wheel with a higher version), or exchange it node by node"
            )
        return restart_instead(self.host.server, self.context.name, modules, limited=self.by != COMMAND)

    def _begin(self) -> None:
        """Let requests wait, or the old version serve on in its processes, until the context's ``resume``."""
        elsewhere = self.context.elsewhere
        if elsewhere is not None and self.root.is_apart:
            elsewhere.begin_exchange(self.context)
        else:
            self.context.pause()

    def _goes_back(self) -> bool:
        """The new version does not start: True when the old one's files are there again, or still."""
        if not self._is_beside:
            return self.root.move_back()
        self.root.withdraw()
        return True

    @property
    def _is_beside(self) -> bool:
        """The new version's directory lies beside that of the old one, and not in its place."""
        return self.root.place(self.unpack) != self._before

    def _same_context(self) -> None:
        context = self.context
        self._begin()
        try:
            before = context.doc_base
            context.stop()
            directory = self.root.move_in(self.unpack)
            context.give(doc_base=relative_to_app_base(self.host, directory))
            context.asks_health = self.deployer.asks_health
            self.good = _starts(context)
            self.failure = context.failure
            if not self.good and self._goes_back():
                log.error(RESTORED, context.name)
                context.give(doc_base=before)
                _starts(context)
            self.deployer.watch_resources(self.application, context)
        finally:
            context.resume()
            if not context.state.available:
                context.fire_container_event("unavailable")

    def _new_context(self) -> None:
        elsewhere = self.context.elsewhere
        if elsewhere is None:
            self._replace_context()
            return
        self._begin()  # a worker removes it when it starts the next one
        try:
            self._replace_context()
        finally:
            elsewhere.resume(self.host, self.context.name)

    def _replace_context(self) -> None:
        self.host.remove_child(self.context)
        directory = self.root.move_in(self.unpack)
        fresh = DeployedApplication(self.application.name, archive=self.archive)
        fresh.redeploy = self.application.redeploy
        self.application = fresh
        try:
            self.good = self._runs(directory)
        except DeploymentError as error:
            log.error("Error deploying web application archive [%s]: %s", self.archive.file, error)
            self.failure = str(error)
        if not self.good and self._goes_back():
            log.error(RESTORED, self.application.name.display_name)
            failed = self.host.find_child(self.application.name.name)
            if isinstance(failed, StandardContext):
                self.failure = failed.failure
                self.host.remove_child(failed)
            with self.deployer.going_back():
                self._runs(self._before if self._is_beside else directory)

    def _runs(self, directory: str) -> bool:
        self.deployer.run_directory(self.application, directory, self.archive)
        context = self.host.find_child(self.application.name.name)
        return context is not None and context.state.available


def _starts(context: StandardContext) -> bool:
    try:
        context.start()
    except CatalinaError as error:
        log.error("Error starting context [%s]: %s", context.name, error)
    return context.state.available
