"""A virtual host: applications by context path (Tomcat: core/StandardHost.java)."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalina.attributes import Attribute, Element, Text
from catalina.core.config_listener import add_config_listener
from catalina.core.container_base import ContainerBase
from catalina.core.standard_context import StandardContext
from catalina.core.standard_host_valve import StandardHostValve
from catalina.deploy.brought_files import BroughtFiles
from catalina.digester.class_names import find_class
from catalina.errors import LifecycleError
from catalina.java_pattern import pattern
from catalina.mbeans.managed_bean import tomcat_class_name
from catalina.operations import Impact, operation, readable
from catalina.valves.valve_base import ValveBase

if TYPE_CHECKING:
    from catalina.core.cluster import Cluster

__all__ = ["HOST_NAME", "StandardHost", "set_cluster"]

log = logging.getLogger("org.apache.catalina.core.StandardHost")

#: The names that a host may be given while the server runs.
HOST_NAME = re.compile(r"(?:\*\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})")


def set_cluster(container: ContainerBase, cluster: Cluster) -> None:
    """Add the cluster of a ``<Cluster>`` element; a second one replaces the first, as in Tomcat."""
    container.cluster = cluster


class StandardHost(ContainerBase):
    """A virtual host: the directories of its applications, the applications by path, and the names of the host."""

    bean_operations = ("init", "start", "stop", "destroy")

    name = Attribute(str.lower, "", doc="The host's name, compared in lower case with the Host header.")
    app_base = Attribute(str, "webapps", doc="Directory of the applications, relative to CATALINA_BASE.")
    legacy_app_base = Attribute(
        str,
        "webapps-javaee",
        doc="Java applications that Tomcat would convert.",
        inert="Java applications do not run here",
    )
    xml_base = Attribute(
        str, None, doc="Directory of context descriptors, relative to CATALINA_BASE; conf/<engine>/<host> if not given."
    )
    work_dir = Attribute(str, None, doc="Scratch directory; work/<engine>/<host> if not given.")
    create_dirs = Attribute(bool, True, doc="Make appBase and xmlBase when they are missing.")
    auto_deploy = Attribute(bool, True, doc="Look for new, changed and removed applications while running.")
    deploy_on_startup = Attribute(bool, True, doc="Deploy what is in xmlBase and appBase at start.")
    deploy_ignore = Attribute(pattern, None, doc="Names in appBase that automatic deployment leaves alone.")
    deploy_xml = Attribute(bool, True, xml="deployXML", doc="Honour META-INF/context.xml of applications.")
    copy_xml = Attribute(bool, False, xml="copyXML", doc="Copy META-INF/context.xml to xmlBase on deployment.")
    unpack_wars = Attribute(bool, True, xml="unpackWARs", doc="Unpack archives of appBase into directories.")
    undeploy_old_versions = Attribute(bool, False, doc="Drop older ##versions that have no sessions left.")
    install_dependencies = Attribute(
        bool,
        True,
        doc="Let pip install what an application declares (requirements.txt, pyproject.toml, a wheel's metadata) and "
        "nothing here fulfils, into the work directory. Only wheels, so that no code runs before the application's.",
    )
    build_dependencies = Attribute(
        bool,
        False,
        doc="Let pip build source archives and repositories, too, which runs their code as the server's user.",
    )
    install_timeout = Attribute(int, 600, unit="seconds", doc="The time that pip may take for one application.")
    max_unpacked_size = Attribute(
        int, 4 * 2**30, unit="bytes", doc="The limit for an archive's unpacked size; raise it for larger applications."
    )
    max_unpacked_files = Attribute(int, 100_000, doc="Entries an archive may have.")
    max_unpack_ratio = Attribute(
        int, 200, doc="Unpacked size by archive size, counted from 16 MiB on; what is beyond is taken for a bomb."
    )
    fail_ctx_if_servlet_start_fails = Attribute(
        bool, False, doc="A load-on-startup servlet that fails makes its whole application fail to start."
    )
    error_report_valve_class = Attribute(
        str, "org.apache.catalina.valves.ErrorReportValve", doc="Valve that writes error pages; empty for none."
    )
    config_class = Attribute(
        str, "org.apache.catalina.startup.ContextConfig", doc="Listener that configures each application."
    )
    context_class = Attribute(
        str, "org.apache.catalina.core.StandardContext", doc="Class of the contexts that deployment makes."
    )
    host_config_class = Attribute(
        str, "org.apache.catalina.startup.HostConfig", doc="Listener that deploys applications into this host."
    )

    elements = {
        "Alias": Text(add=lambda host, text: host.add_alias(text)),
        "Cluster": Element(add=set_cluster),
        "Context": Element(
            add=lambda host, context: host.add_child(context),
            default="org.apache.catalina.core.StandardContext",
            role=StandardContext,
        ),
    }

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.aliases: list[str] = []
        self._brought: BroughtFiles | None = None
        self.pipeline.basic = StandardHostValve()

    # -- names ---------------------------------------------------------------------------------------------------

    @property
    @readable("aliases", doc="Other names of it.")
    def alias_names(self) -> list[str]:
        return list(self.aliases)

    @property
    @readable("valveNames", doc="Classes of its valves.")
    def valve_names(self) -> list[str]:
        return [tomcat_class_name(type(valve)) for valve in self.pipeline.valves]

    @operation(name="findAliases", impact=Impact.INFO)
    def find_aliases(self) -> list[str]:
        """Other names of the host."""
        return list(self.aliases)

    @operation(name="addAlias", lasting="alias", alias="The name; *.example.org stands for any label in front.")
    def add_alias_by_command(self, alias: str) -> None:
        """Let the host answer to another name, until the server ends; server.xml does not change.

        Raises:
            ValueError: it is no host name, or another host of the engine has it.
        """
        name = alias.strip().lower()
        if not HOST_NAME.fullmatch(name):
            raise ValueError(f"Invalid host name [{alias}] was specified")
        for other in () if self.parent is None else self.parent.children:
            if isinstance(other, StandardHost) and other is not self and name in (other.name, *other.aliases):
                raise ValueError(f"[{name}] is a name of the host [{other.name}]")
        self.add_alias(name)

    @operation(name="removeAlias", lasting="alias")
    def remove_alias_by_command(self, alias: str) -> None:
        """Let the host answer to a name no longer."""
        self.remove_alias(alias.strip())

    def add_alias(self, alias: str) -> None:
        """Add a name; ``*.example.org`` stands for any one label in front."""
        alias = alias.strip().lower()
        if alias and alias not in self.aliases:
            self.aliases.append(alias)
            self.fire_container_event("addAlias", alias)

    def remove_alias(self, alias: str) -> None:
        """Remove a name, to which the host then no longer answers; unknown ones are ignored."""
        alias = alias.lower()
        if alias in self.aliases:
            self.aliases.remove(alias)
            self.fire_container_event("removeAlias", alias)

    # -- directories ---------------------------------------------------------------------------------------------

    @property
    def catalina_base(self) -> Path:
        """CATALINA_BASE of the server, the current directory while there is none."""
        return self.server.catalina_base if self.server is not None else Path.cwd()

    @property
    def app_base_path(self) -> Path:
        """The absolute path of appBase."""
        return self.catalina_base / self.app_base

    @property
    def config_base_path(self) -> Path:
        """The absolute path of xmlBase: context descriptors, ``context.xml.default`` and ``web.xml.default``."""
        if self.xml_base is not None:
            return self.catalina_base / self.xml_base
        return self.catalina_base / "conf" / self._engine_and_host()

    @property
    def contexts(self) -> tuple[StandardContext, ...]:
        """Its applications."""
        return self.children  # type: ignore[return-value]  # the children of a host are contexts

    @property
    def config_directory(self) -> Path:
        return self.config_base_path

    @property
    def work_path(self) -> Path:
        """The absolute path of this host's work directory."""
        if self.work_dir is not None:
            return self.catalina_base / self.work_dir
        return self.catalina_base / "work" / self._engine_and_host()

    @property
    def brought(self) -> BroughtFiles:
        """The record of the files that deployment itself has put into appBase and xmlBase."""
        if self._brought is None:
            base, work = self.catalina_base, self.work_path
            own = [base / name for name in ("bin", "conf", "lib", "logs", "temp", "work")]
            keep = (base, *own, work, self.app_base_path, self.config_base_path)
            places = {"appBase": str(self.app_base_path), "xmlBase": str(self.config_base_path)}
            self._brought = BroughtFiles(str(work / ".brought.json"), places, map(str, keep))
        return self._brought

    def _engine_and_host(self) -> Path:
        return Path(self.parent.name if self.parent is not None else "_") / (self.name or "_")

    # -- children ------------------------------------------------------------------------------------------------

    def add_child(self, child: ContainerBase) -> None:
        if not isinstance(child, StandardContext):
            raise LifecycleError(f"{self}: Child of a Host must be a Context, not {child}")
        child.settle_name()
        super().add_child(child)

    def _start_child(self, child: ContainerBase) -> None:
        try:
            super()._start_child(child)
        except LifecycleError as exc:
            # The context has logged the reason. It stays, FAILED and unmapped; the others run.
            log.debug("Context [%s] is not available", child.name, exc_info=exc)

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _init(self) -> None:
        if self.place is not None:  # a host made in Python deploys only on demand
            add_config_listener(self, self.host_config_class)

    def app_base_problems(self) -> list[str]:
        """Faults in the choice of appBase: the server's own configuration lies below it."""
        if not self.app_base.strip():
            return [f"Using an empty string for appBase on host [{self.name}] will set it to CATALINA_BASE, which is a "
                    "bad idea"]  # fmt: skip
        if self.catalina_base.absolute().is_relative_to(os.path.abspath(self.app_base_path)):
            return [f"appBase on host [{self.name}] is a parent folder of CATALINA_BASE, which is a bad idea"]
        return []

    def _start(self) -> None:
        for problem in self.app_base_problems():
            log.warning("%s", problem)
        self._add_error_report_valve()
        super()._start()

    def _add_error_report_valve(self) -> None:
        name = self.error_report_valve_class
        if not name:
            return
        valve_class = find_class(name)
        if valve_class is None or not issubclass(valve_class, ValveBase):
            log.error("Error loading error report valve class [%s]: no such valve", name)
            return
        if not any(type(valve) is valve_class for valve in self.pipeline.valves):
            self.pipeline.add_valve(valve_class())
