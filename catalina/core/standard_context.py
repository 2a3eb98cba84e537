"""One web application (Tomcat: core/StandardContext.java)."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalina.attributes import Element, Text, xml_name
from catalina.connector.in_progress import InProgress
from catalina.core.application_context import ApplicationContext
from catalina.core.application_filters import ApplicationFilters
from catalina.core.application_listeners import ApplicationListeners
from catalina.core.config_listener import add_config_listener
from catalina.core.context_bean import ContextBean
from catalina.core.context_description import ContextDescription
from catalina.core.node_restart import restart_instead
from catalina.core.standard_context_valve import StandardContextValve
from catalina.core.strict_compliance import CONTEXT_DEFAULTS, MANAGER_DEFAULTS, apply_strict_compliance
from catalina.errors import CatalinaError, DeploymentError, LifecycleError
from catalina.lifecycle import LifecycleState
from catalina.loader.load_failure import describe_failure
from catalina.loader.webapp_loader import WebappLoader
from catalina.naming.data_source import make_engine
from catalina.naming.object_factory import ResourceSpec
from catalina.naming.pool_settings import DBCP2
from catalina.place import Place
from catalina.session.standard_manager import StandardManager
from catalina.tomcat.util.http.rfc6265_cookie_processor import Rfc6265CookieProcessor
from catalina.util.context_name import ContextName
from catalina.util.session_cookie_config import SessionCookieConfig
from catalina.webapp import UnavailableError
from catalina.webresources.standard_root import StandardRoot

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from catalina.core.node_role import Elsewhere, NodeRole
    from catalina.core.standard_host import StandardHost
    from catalina.session.manager import Manager
    from catalina.tomcat.util.descriptor.web.application_parameter import ApplicationParameter

__all__ = ["StandardContext"]

log = logging.getLogger("org.apache.catalina.core.StandardContext")

#: Attributes that count for an application with a pool of its own.
POOL_ATTRIBUTES = ("max_memory", "max_requests", "request_timeout")
#: Attributes that count for an application with a user of its own.
USER_ATTRIBUTES = (
    "group", "umask", "home", "max_open_files", "max_processes", "max_address_space", "max_core_size",
)  # fmt: skip
#: Seconds that a round of the loop may take.
ROUND_SECONDS = 5.0

_NAMING = "org.apache.tomcat.util.descriptor.web."


def _java_only(context: StandardContext, text: str) -> None:
    """``<WrapperLifecycle>``, ``<WrapperListener>``: Java listeners of each servlet."""
    log.info("%s: a listener of every servlet (%s) has no meaning in Python; left out", context.place, text)


def _part(name: str) -> Callable[[StandardContext, Any], None]:
    """An adder for an element that occurs once; a later one replaces it, as in Tomcat."""

    def add(context: StandardContext, part: object) -> None:
        setattr(context, name, part)
        context.given_parts.add(name)

    return add


def _naming(class_name: str) -> Element:
    return Element(add=lambda context, entry: context.naming.add(entry), default=_NAMING + class_name)


class StandardContext(ContextBean, ContextDescription):
    """An application: its files, code, sessions, servlets, filters and listeners, and their start and stop.

    ContextConfig sets the content of web.xml; it listens for ``configure_start`` and ``configure_stop``.
    """

    elements = {
        "Realm": Element(add=_part("realm"), guards=True),
        "CookieProcessor": Element(
            add=_part("cookie_processor"),
            default="org.apache.tomcat.util.http.Rfc6265CookieProcessor",
            role=Rfc6265CookieProcessor,
        ),
        "Loader": Element(
            add=_part("loader"),
            default="org.apache.catalina.loader.WebappLoader",
            role=WebappLoader,
        ),
        "Manager": Element(
            add=_part("manager"),
            default="org.apache.catalina.session.StandardManager",
            guards=True,
        ),
        "Resources": Element(
            add=_part("resources"),
            default="org.apache.catalina.webresources.StandardRoot",
            role=StandardRoot,
        ),
        "Parameter": Element(
            add=lambda context, parameter: context.application_parameters.append(parameter),
            default=_NAMING + "ApplicationParameter",
        ),
        "Environment": _naming("ContextEnvironment"),
        "Resource": _naming("ContextResource"),
        "ResourceEnvRef": _naming("ContextResourceEnvRef"),
        "ResourceLink": _naming("ContextResourceLink"),
        "Transaction": _naming("ContextTransaction"),
        "WatchedResource": Text(add=lambda context, text: context.watched_resources.append(text)),
        "WrapperLifecycle": Text(add=_java_only),
        "WrapperListener": Text(add=_java_only),
    }

    is_context = True

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        # Parts that are elements, or are made at the start.
        self.resources: StandardRoot = StandardRoot()
        self.loader: WebappLoader = WebappLoader()
        self.cookie_processor = Rfc6265CookieProcessor()
        self.application_parameters: list[ApplicationParameter] = []
        self.watched_resources: list[str] = []
        #: The session manager: the Context's own, else the cluster's or a StandardManager, made at start.
        self.manager: Manager | None = None
        #: The manager that was made here, and True if it is one for a distributable application.
        self._made_manager: Manager | None = None
        self._made_for_cluster = False
        #: True when that manager was made in a process that runs the application.
        self._made_where_it_runs = True
        # The application's directory; ContextConfig sets it before the start.
        self.document_root = Path()
        #: Sorts the versions of one path as text, the newest last; a deployer may set another key than the version.
        self.version_key = ""
        #: The context's own file, which ContextConfig reads: a descriptor or META-INF/context.xml.
        self.config_file: Path | None = None
        #: Names of the parts that an element gave; defaults do not replace them.
        self.given_parts: set[str] = set()
        #: Absolute paths of descriptors, and of files that name packages or variables, existing or not: a change of
        #: one reloads the application.
        self.default_web_xml_watched: list[Path] = []
        #: The reason why the application does not run, in one sentence; the first cause counts. The next start clears
        #: it.
        self.failure = ""
        #: Another process of the node may serve its requests at the same time (PEP 3333, ``wsgi.multiprocess``).
        self.multiprocess = False
        #: A deployer says so: the next start asks healthPath, and without a good answer the application does not start.
        self.asks_health = False
        #: While True, requests wait because the application is being reloaded.
        self.paused = False
        self._said_that_sessions_stay = False
        #: Cleared by ContextConfig when the descriptor cannot be used.
        self.configured = False
        self.in_progress = InProgress()
        self.listener_table = ApplicationListeners(self)
        self.filter_chains = ApplicationFilters(self)
        self.application_context = ApplicationContext(self)
        self.pipeline.basic = StandardContextValve()

    # -- identity and place ---------------------------------------------------------------------------------------

    def settle_name(self) -> None:
        """Derive name and path from path and version in the XML or of the deployer, otherwise from the docBase's
        name.
        """
        path_given = "path" in self.given
        if path_given or not self.doc_base:
            wanted = ContextName.of_path(self.path, self.web_app_version)
            if path_given and self.path != wanted.path:
                log.warning("A context path must either be an empty string or start with a '/' and do not end with a "
                            "'/'. The path [%s] does not meet these criteria and has been changed to [%s]",
                            self.path, wanted.path)  # fmt: skip
        else:
            wanted = ContextName.of_file(self.doc_base)
        self.path = wanted.path
        self.web_app_version = wanted.version
        self.version_key = self.version_key or wanted.version
        self.name = wanted.name

    @property
    def base_name(self) -> str:
        """The name of its files: ``foo#bar##2``."""
        return ContextName(self.path, self.web_app_version).base_name

    @property
    def host(self) -> StandardHost:
        """The host that the application is deployed on."""
        return self.parent  # type: ignore[return-value]  # the parent of a context is a host, set before it starts

    @property
    def host_path(self) -> str:
        """``Catalina/localhost``: names of the engine and the host."""
        names = [container.name for container in (self.parent and self.parent.parent, self.parent) if container]
        return "/".join(names)

    @property
    def config_directory(self) -> Path:
        return self.document_root / "WEB-INF"

    @property
    def work_path(self) -> Path:
        """The absolute path of the work directory, which exists while the application runs."""
        host = self.host
        if self.work_dir is not None:
            return host.catalina_base / self.work_dir
        return host.work_path / self.base_name

    @property
    def temporary_path(self) -> Path:
        """The directory in which the application may write: its work directory, and for one with a user of its own the
        private directory of each process.
        """
        return Path(tempfile.gettempdir()) if self.user is not None and self.runs_here else self.work_path

    @property
    def listeners(self) -> list[object]:
        """The application's listeners, made when it starts; session managers look for theirs."""
        return self.listener_table.instances

    # -- for applications ----------------------------------------------------------------------------------------

    def lookup(self, name: str) -> object:
        """See :meth:`ApplicationContext.lookup`."""
        return self.naming.lookup(name)

    def make_data_source(self, label: str, properties: Mapping[str, str], place: Place | None) -> Engine:
        """Make a DataSource without a name for a component: an SQLAlchemy engine, which the component must dispose of.

        Args:
            label: its name in errors.
            properties: ``url``, ``username``, ``password`` and attributes of the pool.

        Raises:
            NamingError: the engine cannot be made.
        """
        return make_engine(ResourceSpec(label, "", properties, place=place), DBCP2)

    def find_other(self, path: str) -> ApplicationContext | None:
        """See :meth:`ApplicationContext.context`."""
        engine = self.host.parent
        service = getattr(engine, "service", None)
        if not path.startswith("/") or service is None:
            return None
        found = service.mapper.map(self.host.name, path).context
        if found is None or (found is not self and not self.cross_context):
            return None
        if not found.runs_here:
            log.warning("[%s] cannot reach [%s]: that application runs in other workers", self.name, found.name)
            return None
        return found.application_context  # type: ignore[no-any-return]  # service is typed loosely above

    def reload(self, by_command: bool = False) -> bool:
        """Stop and start; requests wait meanwhile. They get 404 when the application does not start again.

        An application that had not started is started. Packages that it newly requires are installed while it serves.

        Args:
            by_command: an operator asks for it.

        Returns:
            False when the whole node is restarted instead.

        Raises:
            LifecycleError: it is neither running nor failed.
            DeploymentError: what it requires cannot be installed; it goes on as it is.
        """
        if not self.state.available and self.state is not LifecycleState.FAILED:
            raise LifecycleError(f"{self}: reload() is not possible in state {self.state.label}")
        if self.state.available:
            self.fire_lifecycle_event("before_reload")
        role = self._role
        if role is not None and role.reload(self, by_command):
            return True
        if restart_instead(self.server, self.name, self.loader.loaded_once(), limited=not by_command):
            return False
        self.restart()
        return True

    def restart(self) -> None:
        """Stop and start, here and where the application's code is; a failure is logged."""
        log.info("Reloading Context with name [%s] has started", self.name)
        self.paused = self.state.available
        try:
            self.stop()
            self.start()
        except LifecycleError as exc:
            log.error("Error reloading context [%s]: %s", self.name, exc)
            self.fire_container_event("unavailable")
        finally:
            self.paused = False
        if not self.state.available:
            self._keep_or_stop()
        log.info("Reloading Context with name [%s] is completed", self.name)

    def _keep_or_stop(self) -> None:
        """Go on with a pool's old processes if there are any, else stop where the code is.

        Raises:
            DeploymentError: the application runs as before, and this is why.
        """
        if self.elsewhere is None or not self.elsewhere.keeps(self):
            self._stop_elsewhere()
            return
        why = self.failure
        self.paused = True  # the start of what has failed begins with a stop, which must not reach the pool
        try:
            self.start()
        finally:
            self.paused = False
        raise DeploymentError(f"{self.name or '/'} does not start anew, and runs as before: {why}")

    def pause(self) -> None:
        """New requests wait until :meth:`resume`, in every process of the node."""
        self.paused = True
        if self.elsewhere is not None:
            self.elsewhere.pause(self)

    def resume(self) -> None:
        """Requests go on. They get 404 when the application does not run."""
        self.paused = False
        if self.elsewhere is not None:
            self.elsewhere.resume(self.host, self.name)

    @property
    def adopts_framework_sessions(self) -> bool:
        """True when web frameworks without a session back end of their own shall keep sessions in the container."""
        return self.framework_sessions == "auto" and self.distributable

    def prefer_session_cookie(self, secure: bool, same_site: str | None, partitioned: bool) -> None:
        """Apply a web framework's settings to the session's cookie; settings of the operator win.

        Args:
            same_site: ``Lax``, ``Strict`` or ``None`` as text; without a value the framework has no wish.
        """
        if not self.distributable and not self._said_that_sessions_stay:
            self._said_that_sessions_stay = True
            log.info("[%s] A web framework keeps its sessions in the container. The application is not distributable: "
                     "they stay in this node", self.name or "/")  # fmt: skip
        said = self.cookie_processor.same_site_cookies != "unset"
        self.session_cookie.prefer(secure, None if said else same_site, partitioned)

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _init(self) -> None:
        if self.config_class:
            add_config_listener(self, self.config_class)

    def fire_lifecycle_event(self, kind: str, data: object = None) -> None:
        super().fire_lifecycle_event(kind, data)
        self.tell_state(kind)

    def start(self) -> None:
        available = self.state.available
        if not available:
            self.failure = ""
            self.start_time = int(time.time() * 1000)
            began = time.monotonic()
        try:
            super().start()
            if not available:
                self.startup_time = int((time.monotonic() - began) * 1000)
        except LifecycleError as exc:  # a listener may have refused the start
            self.note_failure(str(exc.__cause__ or exc))
            raise
        finally:
            self.asks_health = False

    def note_failure(self, why: str) -> None:
        """Note why the start fails. A reason that was noted earlier in this start is nearer to the cause, and stays."""
        why = " ".join(why.split()).removeprefix(f"{self}: ").removeprefix(f"[{self.name or '/'}]: ")
        self.failure = self.failure or why

    def _start(self) -> None:
        self.configured = False
        try:
            self._start_application()
        except BaseException as exc:
            self.note_failure(str(exc) if isinstance(exc, CatalinaError) else describe_failure(exc))
            log.error("Context [%s] startup failed due to previous errors", self.name)
            self._stop_application()
            if isinstance(exc, LifecycleError):  # the part gives its own reason, which nobody has logged yet
                log.error("Error during context [%s] start: %s", self.name, exc)
            elif not isinstance(exc, DeploymentError):  # foreign code
                log.error("Error during context [%s] start", self.name, exc_info=exc)
            if not isinstance(exc, Exception):  # an application that exits ends itself, not the node
                raise LifecycleError(f"Context [{self.name}] does not start: {exc!r}") from exc
            raise

    def warn_without_pool(self) -> None:
        """The application has no pool of its own: say which of its attributes have no effect therefore."""
        given = [name for name in POOL_ATTRIBUTES if name in self.given]
        if given:
            words = ", ".join(xml_name(name) for name in given)
            log.warning('%s: %s: expected isolation="process", or "auto" and packages of its own; there is no pool, '
                        "and they have no effect", self, words)  # fmt: skip

    def _start_application(self) -> None:
        if (self.isolation == "process" or self.user is not None) and self._role is None:
            wanted = 'isolation="process"' if self.user is None else f'user="{self.user}"'
            raise DeploymentError(
                f"{self}: {wanted} needs a keeper, which starts and ends its processes; this node has begun "
                "without: start it again, with -Dcatalina.keeper=true if need be"
            )
        given = [xml_name(name) for name in USER_ATTRIBUTES if name in self.given]
        if given and self.user is None:
            log.warning("%s: %s: expected a user; without one they have no effect", self, ", ".join(given))
        if self._role is None:
            self.warn_without_pool()
        self.multiprocess = self._role is not None and self._role.may_run_elsewhere(self)
        self.work_path.mkdir(parents=True, exist_ok=True)
        self.application_context = ApplicationContext(self)
        self.resources.context = self
        self.resources.start()
        self.loader.context = self
        if self.runs_here:
            self.loader.start()
        elif self.deploys_here:
            self.loader.unpack()
        self.fire_lifecycle_event("configure_start")
        if not self.configured:
            raise DeploymentError(f"{self}: the application could not be configured")
        apply_strict_compliance(self, self._server_properties, CONTEXT_DEFAULTS)
        self.settle_attributes()
        if self.use_naming:
            self.naming.start()
        self._merge_parameters()
        super()._start()
        manager = self._make_manager()
        if not self.runs_here:
            if not manager.state.available:  # while requests wait it runs on
                manager.start()
            if self.elsewhere is not None:
                self.elsewhere.start(self)
            return
        self.application_context.publish()
        self._must(self.listener_table.make(self.listener_names), "Listeners")
        self._must(self.listener_table.start(), "Listeners")
        manager.start()
        self._must(self.filter_chains.start(self.filter_definitions, self.filter_mappings), "Filters")
        self._must(self._load_on_startup(), "Servlets")
        self._make_servlet_map()
        if self.asks_health:
            self.fire_lifecycle_event("before_requests")

    @staticmethod
    def _must(good: bool, what: str) -> None:
        if not good:
            text = (
                f"One or more {what} failed to start. Full details will be found in the appropriate container log file"
            )
            log.error("%s", text)
            raise DeploymentError(text)

    @property
    def _role(self) -> NodeRole | None:
        return None if self.server is None else self.server.role

    @property
    def runs_here(self) -> bool:
        """The application's code is loaded in this process; in a keeper only its sessions are there."""
        role = self._role
        return role is None or role.runs(self)

    @property
    def runs_alone(self) -> bool:
        """No other application's code is loaded in this process."""
        role = self._role
        return role is not None and role.runs_one

    @property
    def deploys_here(self) -> bool:
        """This process unpacks the application's files; other processes of the node take what is there."""
        role = self._role
        return role is None or role.deploys

    @property
    def elsewhere(self) -> Elsewhere | None:
        """The processes that run the application's code; None when this one does."""
        role = self._role
        return None if role is None or role.runs(self) else role.elsewhere

    def _stop_elsewhere(self) -> None:
        """Stop where the code is, unless requests wait there for what comes next."""
        if self.elsewhere is not None and not self.paused:
            self.elsewhere.stop(self)

    def fail(self, why: str) -> None:
        """It does not run where its code is: stop it here, too."""
        self.stop()
        self.note_failure(why)
        self.state = LifecycleState.FAILED

    def tell_distributable(self, distributable: bool) -> None:
        """The process that has loaded the code knows better; the sessions here are the group's accordingly."""
        role = self._role
        if role is None or self.manager is None or self.distributable is distributable:
            return
        self.distributable = distributable
        manager = self._take_manager(role)
        if not manager.state.available:
            manager.start()

    @property
    def _server_properties(self) -> Mapping[str, str]:
        return {} if self.server is None else self.server.properties

    def _merge_parameters(self) -> None:
        """``<Parameter override="false">`` wins over web.xml's context-param (Tomcat: mergeParameters)."""
        for parameter in self.application_parameters:
            if not parameter.override or parameter.name not in self.parameters:
                self.parameters[parameter.name] = parameter.value or ""

    def _make_manager(self) -> Manager:
        role = self._role
        if role is not None:
            self.distributable = self.distributable or role.has_group_manager(self)
            return self._take_manager(role)
        cluster = self.cluster if self.distributable else None
        manager = self.manager
        if manager is self._made_manager and self._made_for_cluster is not (cluster is not None):
            manager = None  # the reload has changed whether the application is distributable
        if manager is None:
            manager = cluster.create_manager(self.name) if cluster is not None else StandardManager()
            self._made_manager, self._made_for_cluster = manager, cluster is not None
        manager.context = self
        if cluster is not None:
            cluster.register_manager(manager)
        return self._use_manager(manager)

    def _take_manager(self, role: NodeRole) -> Manager:
        """The manager of a process that is one of several of the node; over a reload it stays.

        One that has stopped with its application has left the group, where the keeper's has to join again.
        """
        manager = self.manager
        is_made = manager is not None and manager is self._made_manager
        is_as_before = self._made_for_cluster is self.distributable and self._made_where_it_runs is self.runs_here
        if manager is None or not is_made or not is_as_before:
            manager = role.manager_for(self, None if is_made else manager)
        elif role.deploys and self._made_for_cluster and not manager.state.available:
            manager = role.manager_for(self, manager)
        if manager is not self._made_manager or not is_as_before:
            self._made_manager, self._made_for_cluster = manager, self.distributable
            self._made_where_it_runs = self.runs_here
        return self._use_manager(manager)

    def _use_manager(self, manager: Manager) -> Manager:
        self.manager = manager
        apply_strict_compliance(manager, self._server_properties, MANAGER_DEFAULTS)
        self.session_cookie = SessionCookieConfig.of(self, self.session_config)
        if self.loader.space is not None:
            self.loader.space.session_manager = manager
        return manager

    def _load_on_startup(self) -> bool:
        """Load servlets, small numbers first, equal ones in file order; False when one fails and the application must
        not start.
        """
        wanted = [each for each in self.wrappers.values() if (each.definition.load_on_startup or 0) >= 0]
        wanted = [each for each in wanted if each.definition.load_on_startup is not None and each.definition.enabled]
        good = True
        for wrapper in sorted(wanted, key=lambda each: each.definition.load_on_startup or 0):
            try:
                wrapper.load()
            except (DeploymentError, UnavailableError) as exc:
                self.logger.error("Servlet [%s] in web application [%s] threw load() exception: %s",
                                  wrapper.name, self.name, exc)  # fmt: skip
                if self._servlets_must_start():
                    self.note_failure(f"servlet [{wrapper.name}]: {exc}")
                good = False
        return good or not self._servlets_must_start()

    def _servlets_must_start(self) -> bool:
        own = self.fail_ctx_if_servlet_start_fails
        return self.host.fail_ctx_if_servlet_start_fails if own is None else own

    def _stop(self) -> None:
        if self.unload_delay > 0 and not self.in_progress.wait_idle(self.unload_delay / 1000):
            log.info("Waiting for [%s] instance(s) to be deallocated for context [%s] has ended after [%s] ms",
                     self.in_progress.count, self.name, self.unload_delay)  # fmt: skip
        self._await_round()
        self._stop_application()

    def _await_round(self) -> None:
        """Wait until the loop has ended a round: the changes of requests that have left are posted at its end."""
        server = self.server
        if server is None or not server.reactor.runs:
            return
        reactor, ended = server.reactor, threading.Event()
        reactor.call_soon(lambda: reactor.at_round_end(ended.set))
        with reactor.blocking():
            if not ended.wait(ROUND_SECONDS):
                log.warning("Context [%s]: the loop has not ended a round within [%g] seconds", self.name,
                            ROUND_SECONDS)  # fmt: skip

    def _stop_application(self) -> None:
        """Stop the parts that have started, in Tomcat's order; each one is stopped even if another fails."""
        self._stop_ticks()
        for child in self.children:
            self._stop_part(child)
        steps: list[tuple[str, Callable[[], object]]] = [
            ("code in other processes", self._stop_elsewhere),
            ("filters", self.filter_chains.stop),
            ("manager", self._stop_manager),
            ("listeners", self.listener_table.stop),
            ("configuration", lambda: self.fire_lifecycle_event("configure_stop")),
            ("naming", lambda: self._stop_part(self.naming)),
            ("pipeline", lambda: self._stop_part(self.pipeline)),
            ("realm", lambda: self._stop_part(self._realm)),
            ("timers", self._cancel_timers),
            ("loader", lambda: self._stop_part(self.loader)),
            ("resources", lambda: self._stop_part(self.resources)),
        ]
        for what, step in steps:
            try:
                step()
            except BaseException:  # some of this is foreign code
                log.exception("Failed to stop the %s of context [%s]", what, self.name)

    def _cancel_timers(self) -> None:
        """Cancel timers that the application has left behind (clearReferencesStopTimerThreads); other threads are only
        reported.
        """
        if self.clear_references_stop_timer_threads and self.loader.state.available:
            for thread in self.loader.threads_left():
                if isinstance(thread, threading.Timer):
                    thread.cancel()

    def _stop_manager(self) -> None:
        manager = self.manager
        if manager is None or self._is_between_versions:  # workers go on changing sessions
            return
        if self.distributable and self.cluster is not None and self._role is None:
            self.cluster.remove_manager(manager)
        if manager.state.available:
            manager.stop()

    @property
    def _is_between_versions(self) -> bool:
        """The application is reloaded or exchanged, and its code runs in other processes."""
        elsewhere = self.elsewhere
        return elsewhere is not None and (self.paused or elsewhere.is_paused(self))

    def _destroy(self) -> None:
        if self.elsewhere is not None:
            self.elsewhere.remove(self)
        super()._destroy()
        for part in (self.loader, self.resources):
            part.destroy()

    def tick(self) -> None:
        """One background tick. For an application that did not start, only check if its code has changed."""
        if self.state is LifecycleState.FAILED:
            self._guarded("loader", self.loader.background_process)
        super().tick()

    def background_process(self) -> None:
        """Do the reload check, the expiry of sessions and the cleanup of the resources' cache, then the work of every
        container.
        """
        self._guarded("loader", self.loader.background_process)
        manager = self.manager
        if manager is not None:
            self._guarded("manager", manager.background_process)
        self._guarded("resources", self.resources.background_process)
        super().background_process()
