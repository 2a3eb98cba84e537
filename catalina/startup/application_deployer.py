"""Makes a running Context from a descriptor, an archive or a directory (Tomcat: startup/HostConfig.java)."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.core.node_restart import restart_instead
from catalina.core.standard_context import StandardContext
from catalina.deploy.archive import CONTEXT_XML, Archive, is_archive_name
from catalina.deploy.brought_files import COPY_XML
from catalina.deploy.settling import tree_of
from catalina.errors import CatalinaError, DeploymentError
from catalina.lifecycle import LifecycleState
from catalina.loader.application_imports import imports
from catalina.loader.load_failure import describe_failure
from catalina.loader.own_packages import pool_reason
from catalina.startup.application_root import ApplicationRoot
from catalina.startup.application_sources import ApplicationSources
from catalina.startup.context_config import ContextConfig
from catalina.startup.context_maker import make_context, make_settings, name_context
from catalina.startup.deployed_application import DeployedApplication
from catalina.startup.keeper_need import keeper_instead
from catalina.util.context_name import ContextName

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost

__all__ = ["ApplicationDeployer", "LoggedDeployment"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

BLOCKED = (
    "The web application with context path [%s] was not deployed because it contained a deployment descriptor [%s] "
    "which may include configuration necessary for the secure deployment of the application but processing of "
    "deployment descriptors is prevented by the deployXML setting of this host. An appropriate descriptor should be "
    "created at [%s] to deploy this application."
)
PRIVILEGED = (
    'The web application with context path [%s] was not deployed: its own [%s] says privileged="true". Only a '
    "descriptor of an operator may say so: [%s]"
)


class ApplicationDeployer:
    """Turns files into contexts of one host, and lists the files to watch afterwards.

    Each ``deploy_*`` returns a DeployedApplication even for an application that does not start. It is remembered, so
    that it is tried again when its files change, and not at every look.
    """

    def __init__(self, host: StandardHost, sources: ApplicationSources) -> None:
        self.host = host
        self.sources = sources
        self._goes_back = False

    @property
    def asks_health(self) -> bool:
        """True when an application that starts has to answer its healthPath: neither at the start of the host, when a
        database may be away for a moment, nor when an earlier version comes back.
        """
        return self.host.state is LifecycleState.STARTED and not self._goes_back

    @contextmanager
    def going_back(self) -> Iterator[None]:
        """Earlier versions come back in this block. The caller holds the lock of the HostConfig."""
        self._goes_back = True
        try:
            yield
        finally:
            self._goes_back = False

    # -- descriptors ---------------------------------------------------------------------------------------------

    def deploy_descriptor(self, name: ContextName, file: str) -> DeployedApplication:
        """Deploy a descriptor in xmlBase, with its docBase or with the files in appBase under its name."""
        application = DeployedApplication(name, has_descriptor=True)
        with LoggedDeployment("deployment descriptor", file) as attempt:
            attempt.run(lambda: self._deploy_descriptor(application, file))
            attempt.is_refused = self._is_refused(application)
        application.failure = attempt.failure
        self._watch_globals(application)
        return application

    def _deploy_descriptor(self, application: DeployedApplication, file: str) -> None:
        application.watch_for_redeploy(file)
        context = make_context(self.host, file)
        if "path" in context.given:
            log.warning("The path attribute with value [%s] in deployment descriptor [%s] has been ignored",
                        context.path, file)  # fmt: skip
        doc_base = self._outside(application.name, file, context)
        if doc_base is not None:
            application.external = True
            application.watch_for_redeploy(doc_base)
            is_archive = is_archive_name(doc_base) and not os.path.isdir(doc_base)
            archive = self.sources.archive(doc_base) if is_archive else None
        else:
            del application.redeploy[file]
            archive = self.sources.archive_named(application.name)
            self._watch_archive_place(application, archive)
        application.archive = archive
        try:
            self._start(application, context, archive, doc_base)
        finally:
            self._watch_root(application, context)
            application.watch_for_redeploy(file)

    def _outside(self, name: ContextName, file: str, context: StandardContext) -> str | None:
        """The absolute docBase when it lies outside appBase. A docBase inside is ignored, because the descriptor's file
        name decides.
        """
        if not context.doc_base:
            return None
        base = self.sources.app_base
        doc_base = os.path.abspath(os.path.join(base, context.doc_base))
        if os.path.realpath(doc_base).startswith(os.path.realpath(base) + os.sep):
            log.warning("A docBase [%s] inside the host appBase has been specified, and will be ignored", doc_base)
            context.doc_base = None
            return None
        hidden = self.sources.archive_named(name)
        if hidden is not None:
            log.warning("The WAR [%s] is hidden by the deployment descriptor [%s]", hidden.file, file)
        directory = os.path.join(base, name.base_name)
        if os.path.isdir(directory):
            log.warning("The directory [%s] is hidden by the deployment descriptor [%s]", directory, file)
        return doc_base

    # -- archives ------------------------------------------------------------------------------------------------

    def deploy_archive(self, archive: Archive) -> DeployedApplication:
        """Deploy an archive in appBase."""
        application = DeployedApplication(archive.name, archive=archive)
        application.watch_for_redeploy(archive.file)
        with LoggedDeployment("web application archive", archive.file) as attempt:
            attempt.run(lambda: self._deploy_archive(application, archive))
        application.failure = attempt.failure
        self._watch_globals(application)
        return application

    def _deploy_archive(self, application: DeployedApplication, archive: Archive) -> None:
        unpack = self.host.unpack_wars
        root = ApplicationRoot(self.host, archive, application.name.base_name)
        try:
            settings = self.settings_of(root.prepare(unpack))
            if unpack and not settings.unpack_war:
                root.close()
                unpack = False
                root.prepare(unpack)
            self.provide(root, settings, unpack)
            self.run_directory(application, root.move_in(unpack), archive)
            root.sweep()
        finally:
            root.close()
            place = root.place(unpack)
            if unpack and not root.is_apart and os.path.isdir(place):
                application.watch_for_redeploy(place)
                self._watch_own_descriptor(application, place)
            else:
                application.watch_for_redeploy(self._descriptor_place(application))

    # -- directories ---------------------------------------------------------------------------------------------

    def deploy_directory(self, name: ContextName, directory: str) -> DeployedApplication:
        """Deploy a directory in appBase."""
        application = DeployedApplication(name, directory=directory)
        with LoggedDeployment("web application directory", directory) as attempt:
            attempt.run(lambda: self._deploy_directory(application, directory))
            attempt.is_refused = self._is_refused(application)
        application.failure = attempt.failure
        self._watch_globals(application)
        return application

    def _deploy_directory(self, application: DeployedApplication, directory: str) -> None:
        application.watch_for_redeploy(directory + ".war", directory)
        application.before = tree_of(directory)
        try:
            self.run_directory(application, directory, None)
        finally:
            self._watch_own_descriptor(application, directory)

    def run_directory(self, application: DeployedApplication, directory: str, archive: Archive | None) -> None:
        """Start the application in a directory, with its own META-INF/context.xml. Raises DeploymentError."""
        self._run(application, self._context_of(application, directory), directory, archive)

    # -- common steps --------------------------------------------------------------------------------------------

    def settings_of(self, directory: str) -> StandardContext:
        """A context that is made only to read the attributes of META-INF/context.xml that say how to deploy."""
        own = os.path.join(directory, CONTEXT_XML)
        counts = self.host.deploy_xml and os.path.isfile(own)
        return make_settings(self.host, own if counts else None)

    def provide(self, root: ApplicationRoot, settings: StandardContext, unpack: bool) -> None:
        """Have everything there that the prepared version of an archive needs.

        One that is to run in processes of its own gets a directory of its own, so that those of its predecessor can
        serve until it has started.

        Args:
            settings: a context with the application's attributes, which does not run.

        Raises:
            DeploymentError: the archive is refused, or a requirement is missing.
        """
        has_packages = root.check_requirements(settings)
        role = None if self.host.server is None else self.host.server.role
        if role is None or role.elsewhere is None or not root.is_of_archive:
            return
        settings.document_root = Path(root.directory)
        settings.loader.installed = [root.directory] if has_packages else []
        if pool_reason(settings):
            root.keep_apart()
            root.prepare(unpack)
            root.check_requirements(settings)

    def _context_of(self, application: DeployedApplication, directory: str) -> StandardContext:
        """The context for a directory, with its META-INF/context.xml if the host allows that."""
        own = os.path.join(directory, CONTEXT_XML)
        if not os.path.isfile(own):
            return make_context(self.host, None)
        target = self._descriptor_place(application)
        if not self.host.deploy_xml:
            raise DeploymentError(BLOCKED % (application.name.display_name, own, target))
        context = make_context(self.host, own)
        if context.privileged:
            raise DeploymentError(PRIVILEGED % (application.name.display_name, own, target))
        if self.host.copy_xml or context.copy_xml:
            self._copy_descriptor(own, target)
            application.has_descriptor = True
            context = make_context(self.host, target)
        return context

    def _copy_descriptor(self, own: str, target: str) -> None:
        """Do copyXML. A descriptor that an operator wrote, or edited after it was copied, stays and counts."""
        brought = self.host.brought
        if os.path.lexists(target) and brought.brought_by(target) != COPY_XML:
            log.warning("The descriptor [%s] is kept, it was not copied from an application", target)
            return
        try:
            stage = brought.stage(os.path.dirname(target), "copying")
            staged = os.path.join(stage, "context.xml")
            try:
                shutil.copyfile(own, staged)
                brought.note(target, COPY_XML, staged)
                os.replace(staged, target)
            finally:
                brought.end_stage(stage)
        except OSError as exc:
            raise DeploymentError(f"{own}: cannot be copied to [{target}]: {exc.strerror}") from exc

    def _start(
        self, application: DeployedApplication, context: StandardContext, archive: Archive | None, doc_base: str | None
    ) -> None:
        """Start a context that a descriptor describes."""
        if archive is None:
            self._run(application, context, doc_base or self._directory_place(application), None)
            return
        unpack = self.host.unpack_wars and context.unpack_war
        root = ApplicationRoot(self.host, archive, application.name.base_name)
        try:
            root.prepare(unpack)
            self.provide(root, make_settings(self.host, str(context.config_file)), unpack)
            self._run(application, context, root.move_in(unpack), archive)
            root.sweep()
        finally:
            root.close()

    def _run(
        self, application: DeployedApplication, context: StandardContext, directory: str, archive: Archive | None
    ) -> None:
        name_context(context, self.host, application.name, directory, archive)
        work = os.path.join(self.host.work_path, application.name.base_name)
        modules = imports.let_go_below((directory, work))
        if restart_instead(self.host.server, context.name, modules) or keeper_instead(self.host, context, directory):
            raise DeploymentError("the node is restarted, and deploys the application then")
        context.asks_health = self.asks_health
        self.host.add_child(context)
        self.watch_resources(application, context)

    def _is_refused(self, application: DeployedApplication) -> bool:
        """True when the log already says that the directory is not deployed, because it has source code but no
        application.
        """
        context = self.host.find_child(application.name.name)
        listeners = () if context is None else context.lifecycle_listeners
        return any(each.has_refused_source for each in listeners if isinstance(each, ContextConfig))

    def watch_resources(self, application: DeployedApplication, context: StandardContext) -> None:
        """Watch the files of the context's WatchedResource elements, and the descriptors that configured it."""
        application.reload.clear()
        for name in context.watched_resources:
            application.watch_for_reload(os.path.join(context.document_root, name))
        application.watch_for_reload(*(str(file) for file in context.default_web_xml_watched))

    def _watch_archive_place(self, application: DeployedApplication, archive: Archive | None) -> None:
        place = archive.file if archive is not None else self._directory_place(application) + ".war"
        application.watch_for_redeploy(place)

    def _watch_root(self, application: DeployedApplication, context: StandardContext) -> None:
        """Watch the directory in appBase, be it unpacked or an operator's."""
        directory = self._directory_place(application)
        unpacked = application.archive is not None and self.host.unpack_wars and context.unpack_war
        unpacked = unpacked and not os.path.isabs(context.doc_base or "")
        if unpacked or (not application.external and os.path.isdir(directory)):
            application.watch_for_redeploy(directory)

    def _watch_own_descriptor(self, application: DeployedApplication, directory: str) -> None:
        """Watch META-INF/context.xml and the descriptor in xmlBase: the one in use, and the other in case it
        appears.
        """
        own, place = os.path.join(directory, CONTEXT_XML), self._descriptor_place(application)
        if self.host.deploy_xml and os.path.isfile(own) and application.has_descriptor:
            application.watch_for_redeploy(place)
        else:
            application.watch_for_redeploy(own, place)

    def _watch_globals(self, application: DeployedApplication) -> None:
        """Watch the files that apply to every application. A change redeploys the application; the files are never
        deleted.
        """
        application.watch_for_redeploy(*self.global_files())

    def global_files(self) -> tuple[str, ...]:
        """conf/context.xml and the host's context.xml.default."""
        conf = os.path.join(os.path.abspath(self.host.catalina_base), "conf", "context.xml")
        return os.path.join(self.sources.config_base, "context.xml.default"), conf

    def _directory_place(self, application: DeployedApplication) -> str:
        return os.path.join(self.sources.app_base, application.name.base_name)

    def _descriptor_place(self, application: DeployedApplication) -> str:
        return os.path.join(self.sources.config_base, application.name.base_name + ".xml")


class LoggedDeployment:
    """Logs Tomcat's two lines around a deployment, and one about its failure, which goes no further.

    The lines name the caller's function, as Tomcat's name ``deployDirectory``.
    """

    def __init__(self, what: str, file: str) -> None:
        self.what = what
        self.file = file
        #: The reason of the failure; empty when there was none.
        self.failure = ""
        #: True when a warning has said that the directory is not deployed, so that no deployment has finished.
        self.is_refused = False

    def __enter__(self) -> LoggedDeployment:
        self._begun = time.monotonic()
        log.info("Deploying %s [%s]", self.what, self.file, stacklevel=2)
        return self

    def run(self, work: Callable[[], None]) -> None:
        """Do the work, and log its exception."""
        try:
            work()
        except CatalinaError as error:
            self.failure = str(error)
            log.error("Error deploying %s [%s]: %s", self.what, self.file, error, stacklevel=2)
        except BaseException as error:  # the listener of an application may fail in any way
            self.failure = describe_failure(error)
            log.exception("Error deploying %s [%s]", self.what, self.file, stacklevel=2)

    def __exit__(self, *exc: object) -> None:
        if self.is_refused:
            return
        took = round((time.monotonic() - self._begun) * 1000)
        log.info("Deployment of %s [%s] has finished in [%s] ms", self.what, self.file, f"{took:,}", stacklevel=2)
