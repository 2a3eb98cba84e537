"""Deploys applications into a host, at its start and while it runs (Tomcat: startup/HostConfig.java).

At the start it deploys descriptors, then archives, then directories; a name that is taken is skipped. While the host
runs and ``autoDeploy`` is on, each look first undeploys, reloads and exchanges changed applications, then deploys new
ones. A look follows within a fraction of a second when the watcher sees a change, and on each background tick.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from catalina.attributes import Component
from catalina.core.container_base import thread_count
from catalina.core.node_restart import restart_instead
from catalina.core.standard_context import StandardContext
from catalina.deploy.brought_files import COMMAND
from catalina.deploy.directory_watcher import DirectoryWatcher
from catalina.deploy.settling import stamp_of, tree_of
from catalina.errors import CatalinaError, DeploymentError
from catalina.lifecycle import LifecycleEvent, LifecycleState
from catalina.operations import Impact, operation
from catalina.startup.application_deployer import ApplicationDeployer
from catalina.startup.application_packages import sweep_packages
from catalina.startup.application_root import sweep_versions
from catalina.startup.application_sources import ApplicationSources, repeated
from catalina.startup.archive_exchange import ArchiveExchange
from catalina.startup.archive_installation import ArchiveInstallation
from catalina.startup.change_check import Action, Change, ChangeCheck
from catalina.startup.deployed_application import DeployedApplication
from catalina.util.context_name import ContextName

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost

__all__ = ["ApplicationBusyError", "HostConfig"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

#: Directories of a failed application that are watched; the background tick finds a change below another one.
MAX_WATCHED = 200


def _directories(root: str | None) -> Iterator[str]:
    """A directory and the directories below it, without the interpreter's caches."""
    for place, names, _ in os.walk(root) if root is not None else ():
        names[:] = [name for name in names if name != "__pycache__"]
        yield place


class ApplicationBusyError(DeploymentError):
    """Another deployment of the application is under way."""


class HostConfig(Component):
    """The listener of one host. Any thread may call its methods; deployments of one host exclude each other.

    ``deployed`` has the applications that came from files, by context name; those of server.xml do not belong to it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.deployed: dict[str, DeployedApplication] = {}
        self._lock = threading.RLock()
        self._serviced: set[str] = set()
        #: Failed applications whose files changed during their start, and that have been tried again because of that.
        self._tried_at_once: set[str] = set()
        self._watcher: DirectoryWatcher | None = None
        #: True when an application has gone since unused packages were last removed.
        self._has_stopped = False

    @classmethod
    def of(cls, host: StandardHost) -> HostConfig | None:
        """The HostConfig that listens to a host, None when it has none."""
        return next((each for each in host.lifecycle_listeners if isinstance(each, cls)), None)

    def __call__(self, event: LifecycleEvent) -> None:
        match event.type:
            case "before_start":
                self._before_start(event.source)  # type: ignore[arg-type]  # it listens to a host
            case "start":
                self._start()
            case "periodic":
                self.check()
            case "stop":
                self._stop()

    # -- the host's life -----------------------------------------------------------------------------------------

    def _before_start(self, host: StandardHost) -> None:
        self.host = host
        self.sources = ApplicationSources(host)
        self.deployer = ApplicationDeployer(host, self.sources)
        self.changes = ChangeCheck(self.sources)
        if host.create_dirs:
            for directory in (self.sources.app_base, self.sources.config_base):
                try:
                    os.makedirs(directory, exist_ok=True)
                except OSError as exc:
                    log.error("Unable to create directory for deployment: [%s]: %s", directory, exc.strerror)

    def _start(self) -> None:
        host = self.host
        if not os.path.isdir(self.sources.app_base):
            log.error("Application base [%s] for host [%s] does not exist or is not a directory. deployOnStartUp and "
                      "autoDeploy have been set to false to prevent deployment errors. Other errors may still occur.",
                      self.sources.app_base, host.name)  # fmt: skip
            host.deploy_on_startup = host.auto_deploy = False
        else:
            host.brought.clear_stages()
        if host.deploy_on_startup:
            with self._lock:
                self.deploy_apps(at_start=True)
                sweep_packages(host, at_start=True)
        else:
            self._deploy_earlier()
        if host.auto_deploy:
            self._watcher = DirectoryWatcher(self.check, f"{host.name}-deploy")
            self._watcher.start()
            self._watch()

    def _deploy_earlier(self) -> None:
        """Deploy what an earlier keeper had when it died, and no start would deploy: the workers run it."""
        role = None if self.host.server is None else self.host.server.role
        elsewhere = None if role is None else role.elsewhere
        if elsewhere is not None and os.path.isdir(self.sources.app_base):
            with self._lock:
                for name in elsewhere.earlier(self.host):
                    self.deploy_apps(at_start=True, only=name)

    def _stop(self) -> None:
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None
        self.deployed.clear()

    def _watch(self) -> None:
        """Tell the watcher which directories matter: both bases, document bases outside them, watched resources."""
        if self._watcher is None:
            return
        directories = {self.sources.app_base, self.sources.config_base}
        for application in self.deployed.values():
            directories.update(os.path.dirname(file) for file in (*application.redeploy, *application.reload))
            if self._has_failed(application):
                directories.update(islice(_directories(self._root_of(application)), MAX_WATCHED))
        self._watcher.watch(directories)

    # -- looking -------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Look once: handle changes, remove unused old versions, deploy new applications. Does nothing without
        autoDeploy.
        """
        if not self.host.auto_deploy or not self.host.state.available:
            return
        with self._lock:
            self.sources.unsettled = False
            for application in list(self.deployed.values()):
                if self._is_ending():
                    return
                with self._servicing(application.name.name) as mine:
                    if mine:
                        self._look_at_safely(application)
            if self.host.undeploy_old_versions:
                self._undeploy_old_versions()
            self.deploy_apps()
            if self._has_stopped:
                self._sweep()
            self._watch()
            if self.sources.unsettled and self._watcher is not None:
                self._watcher.look_again(self.sources.settling.quiet)

    @operation(name="check")
    def check_application(self, name: str) -> None:
        """Look at the files of one application, and deploy, reload or undeploy it."""
        self.check_now(name)

    def check_now(self, name: str) -> None:
        """Handle changes of one application, and deploy it if it is new, even without autoDeploy.

        This is for the manager application and the command line, which hold the name (:meth:`try_add_serviced`).
        """
        with self._lock:
            application = self.deployed.get(name)
            if application is not None:
                self._look_at(application)
            self.deploy_apps(at_start=True, only=name, serviced=True)
            self._watch()

    def _look_at_safely(self, application: DeployedApplication) -> None:
        """Look at one application. A failure (its disk does not answer ...) must not prevent the look at the others."""
        try:
            self._look_at(application)
        except OSError as exc:
            name = application.name.display_name
            repeated.log(
                logging.ERROR, f"failures to look at {name}", "The files of [%s] cannot be looked at: %s", name, exc
            )

    def _look_at(self, application: DeployedApplication) -> None:
        failed = self._has_failed(application)
        self._act(application, self.changes.look(application, self._root_of(application), failed))

    def _act(self, application: DeployedApplication, change: Change) -> None:
        match change.action:
            case Action.REDEPLOY:
                self.stop_application(application)
                if change.replaced and application.directory:
                    self.out_of_the_way(application.directory)
                self.changes.discard(change.obsolete)
            case Action.RELOAD:
                self._reload(application)
            case Action.EXCHANGE:
                self.exchange(application)

    def deploy_apps(self, at_start: bool = False, only: str | None = None, serviced: bool = False) -> None:
        """Deploy descriptors, archives and directories whose names are not taken. The caller holds the lock.

        Args:
            at_start: take complete archives without waiting for them to be quiet.
            only: this context alone.
            serviced: include applications that :meth:`try_add_serviced` has set aside, because the caller did so.
        """
        deployer, sources = self.deployer, self.sources
        others = set() if serviced else self._serviced

        def wanted(name: ContextName) -> bool:
            return name.name not in others and only in (None, name.name)

        self._deploy_each(
            (name, partial(deployer.deploy_descriptor, name, file))
            for name, file in sources.descriptors()
            if wanted(name)
        )
        archives = [archive for archive in sources.archives(at_start) if wanted(archive.name)]
        for archive in archives:
            self._archive_beside(archive.name, archive.file)
        self._deploy_each((archive.name, partial(deployer.deploy_archive, archive)) for archive in archives)
        self._deploy_each(
            (name, partial(deployer.deploy_directory, name, directory))
            for name, directory in sources.directories()
            if wanted(name) and self._is_new(name) and not sources.leaves_alone(directory)
            if at_start or sources.tree_settles(directory, tree_of(directory))
        )

    def _is_new(self, name: ContextName) -> bool:
        return name.name not in self.deployed and self.host.find_child(name.name) is None

    def _deploy_each(self, found: Iterable[tuple[ContextName, Callable[[], DeployedApplication]]]) -> None:
        """Deploy applications that are not there yet, in ``startStopThreads`` threads."""
        wanted: dict[str, Callable[[], DeployedApplication]] = {}
        for name, deploy in found:
            if self._is_new(name):
                wanted.setdefault(name.name, deploy)
        threads = thread_count(self.host.start_stop_threads)
        if threads == 1 or len(wanted) < 2:
            done = [self._unless_ending(deploy) for deploy in wanted.values()]
        else:
            with ThreadPoolExecutor(threads, thread_name_prefix=f"{self.host.name}-startStop") as pool:
                done = list(pool.map(self._unless_ending, wanted.values()))
        for application in done:
            if application is not None:
                self.deployed[application.name.name] = application
                self._remember_outcome(application)

    def _unless_ending(self, deploy: Callable[[], DeployedApplication]) -> DeployedApplication | None:
        return None if self._is_ending() else deploy()

    def _is_ending(self) -> bool:
        """True when the server was told to stop: a stop waits for one application at most, not for all of them."""
        server = self.host.server
        return server is not None and server.is_ending

    def _archive_beside(self, name: ContextName, file: str) -> None:
        """Handle an archive whose name is taken: it replaces a directory, or a warning says that the directory hides
        it.

        The directory is moved aside, because an operator put it there.
        """
        application = self.deployed.get(name.name)
        if application is None or application.external:
            return
        directory = os.path.join(self.sources.app_base, name.base_name)
        if application.archive is None and file not in application.redeploy:
            self.stop_application(application)
            self.out_of_the_way(directory)
        elif application.archive is not None and not self.host.unpack_wars:
            there = os.path.isdir(directory)
            if there and not application.warned_of_directory:
                log.warning("The directory [%s] will be ignored because the WAR [%s] takes priority and unpackWARs is "
                            "false", directory, file)  # fmt: skip
            application.warned_of_directory = there

    def out_of_the_way(self, path: str) -> None:
        """Remove a directory or archive in appBase: delete one that deployment made, move aside any other."""
        if os.path.lexists(path) and not self.host.brought.discard(path):
            try:
                self.host.brought.set_aside(path)
            except DeploymentError as error:
                log.error("%s", error)

    def _undeploy_old_versions(self) -> None:
        by_path: dict[str, list[tuple[StandardContext, DeployedApplication]]] = {}
        for application in self.deployed.values():
            context = self.context_of(application)
            if context is not None:
                by_path.setdefault(application.name.path, []).append((context, application))
        for versions in by_path.values():
            ordered = sorted(versions, key=lambda each: each[0].version_key)
            for (context, application), (newer, _) in pairwise(ordered):
                manager = context.manager
                if newer.state.available and (manager is None or manager.active_sessions == 0):
                    log.info("Undeploying old version of context [%s] which has no active session", context.name)
                    self.stop_application(application)
                    self.changes.delete(application)

    # -- applications that did not start -------------------------------------------------------------------------

    def _has_failed(self, application: DeployedApplication) -> bool:
        context = self.context_of(application)
        return context is None or context.state is LifecycleState.FAILED

    def _root_of(self, application: DeployedApplication) -> str | None:
        """The directory that an application runs from, or would run from; None for one without a directory."""
        context = self.context_of(application)
        if context is not None and context.document_root.is_absolute():
            return str(context.document_root)
        return application.directory or None

    def note_outcome(self, name: str) -> None:
        """Note that other code has started, or tried to start, an application: a failed one waits for another
        change.
        """
        with self._lock:
            application = self.deployed.get(name)
            if application is not None:
                self._remember_outcome(application)
                self._watch()

    def _remember_outcome(self, application: DeployedApplication) -> None:
        """Note the state of a failed application's directory; the application is tried again when the state changes.

        A change during the start is tried at once, but only once, because the application may have caused it itself.
        """
        name, root = application.name.name, self._root_of(application)
        if not self._has_failed(application) or root is None:
            self._tried_at_once.discard(name)
            return
        before, application.tried = application.before, tree_of(root)
        if before is not None and before != application.tried and name not in self._tried_at_once:
            self._tried_at_once.add(name)
            application.tried = before
            self.sources.unsettled = True

    # -- acting on one application -------------------------------------------------------------------------------

    def context_of(self, application: DeployedApplication) -> StandardContext | None:
        """The context of an application, None when it could not be made."""
        found = self.host.find_child(application.name.name)
        return found if isinstance(found, StandardContext) else None

    def stop_application(self, application: DeployedApplication) -> None:
        """Remove the context from the host; the files stay."""
        log.info("Undeploying context [%s]", application.name.name)
        context = self.context_of(application)
        if context is not None:
            self.host.remove_child(context)
        self.deployed.pop(application.name.name, None)
        self._has_stopped = True

    def _sweep(self) -> None:
        """Remove installed packages, and unpacked versions, of applications that have gone."""
        self._has_stopped = False
        sweep_packages(self.host)
        here = {context.base_name for context in self.host.children if isinstance(context, StandardContext)}
        work = os.path.abspath(self.host.work_path)
        for name in os.listdir(work) if os.path.isdir(work) else ():
            if name not in here:
                sweep_versions(os.path.join(work, name))

    def _reload(self, application: DeployedApplication) -> None:
        log.info("Reloading context [%s]", application.name.name)
        context = self.context_of(application)
        if context is None:
            return
        application.before = tree_of(str(context.document_root))
        try:
            if context.state.available:
                context.reload()
            elif not restart_instead(self.host.server, context.name, context.loader.loaded_once()):
                context.start()
        except CatalinaError as error:
            log.error("Error during context [%s] restart: %s", application.name.name, error)
        self.deployer.watch_resources(application, context)
        self._remember_outcome(application)

    def exchange(self, application: DeployedApplication, by: str = "") -> None:
        """Run a new version of an archive. A broken one is logged once, and the running version stays.

        Args:
            by: the origin of the archive (``brought_files``); empty when it was found in appBase.
        """
        if application.archive is None:
            return
        file = application.archive.file
        context = self.context_of(application)
        try:
            archive = self.sources.archive(file)
        except DeploymentError as error:
            application.refused = stamp_of(file)
            application.failure = str(error)
            self.sources.say_once(file, error)
            return
        if context is None or not context.state.available or archive.name != application.name:
            self.stop_application(application)
            return
        attempt = ArchiveExchange(self.host, self.deployer, application, context, archive, by)
        attempt.run()
        self.deployed[application.name.name] = attempt.application

    # -- for the manager application, the command line and the farm -----------------------------------------------

    @contextmanager
    def _servicing(self, name: str) -> Iterator[bool]:
        mine = self.try_add_serviced(name)
        try:
            yield mine
        finally:
            if mine:
                self.remove_serviced(name)

    @operation
    def try_add_serviced(self, name: str) -> bool:
        """Reserve an application, so that looks leave it alone. Returns False when somebody else has reserved it."""
        with self._lock:
            if name in self._serviced:
                return False
            self._serviced.add(name)
            return True

    @operation
    def remove_serviced(self, name: str) -> None:
        """Release an application."""
        with self._lock:
            self._serviced.discard(name)

    def why_not(self, name: str) -> str:
        """The reason why an application, or the newest version of its archive, does not run; empty when it is
        unknown.
        """
        context, application = self.host.find_child(name), self.deployed.get(name)
        if isinstance(context, StandardContext) and not context.state.available and context.failure:
            return context.failure
        return application.failure if application is not None else ""

    @operation(impact=Impact.INFO)
    def is_deployed(self, name: str) -> bool:
        """True when an application with that context name came from files."""
        return name in self.deployed

    def undeploy(self, name: str) -> None:
        """Stop an application and delete its files: those in appBase, and its descriptor if copyXML made it.

        Raises:
            DeploymentError: no application with that name came from files.
        """
        with self._lock:
            application = self.deployed.get(name)
            if application is None:
                raise DeploymentError(f"{self.host}: no application [{name or '/'}] that was deployed from files")
            self.stop_application(application)
            self.changes.delete(application)
            self._sweep()

    def install_archive(self, source: str, file_name: str, name: ContextName, by: str = COMMAND) -> bool:
        """Put an archive into appBase and run it. The running version is only replaced if the new one starts.

        Args:
            source: a complete file on appBase's file system, which is moved.
            file_name: its name in appBase.
            name: its context.
            by: the origin of the archive (``brought_files``). The farm replaces only archives that it has brought.

        Returns:
            True when it runs. If it does not, the previous version of the file, if any, is restored and runs.

        Raises:
            DeploymentError: another deployment of the application is under way, or the archive would replace a file
                that must stay.
        """
        with self._lock, self._servicing(name.name) as mine:
            if not mine:
                raise ApplicationBusyError(f"{self.host}: application [{name.display_name}] is being worked on")
            installation = ArchiveInstallation(self, name, file_name, by)
            good = installation.run(source)
            self._watch()
            return good

    def install_files(self, name: ContextName, put: Callable[[], None]) -> None:
        """Replace the files of an application, and run the new ones.

        Args:
            put: puts the files in place; called while nothing runs under the name. When it fails, the files that are
                there run again.

        Raises:
            DeploymentError: another deployment of the application is under way, the application stands in server.xml,
                or ``put`` raised it.
        """
        with self._lock, self._servicing(name.name) as mine:
            if not mine:
                raise ApplicationBusyError(f"{self.host}: application [{name.display_name}] is being worked on")
            application = self.deployed.get(name.name)
            if application is not None:
                self.stop_application(application)
            elif self.host.find_child(name.name) is not None:
                raise DeploymentError(f"[{name.display_name}] stands in server.xml, and not in appBase")
            try:
                put()
            finally:
                self.deploy_apps(at_start=True, only=name.name, serviced=True)
                self._watch()

    def remove_archive(self, name: ContextName, by: str) -> bool:
        """Undeploy an application whose archive ``by`` has brought, and delete the archive.

        Returns:
            False when there is no such application.
        """
        with self._lock:
            application = self.deployed.get(name.name)
            if application is None or application.archive is None:
                return False
            if self.host.brought.brought_by(application.archive.file) != by:
                return False
            self.stop_application(application)
            self.changes.discard(list(application.redeploy))
            self._sweep()
            return True
