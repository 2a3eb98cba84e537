"""Configures an application from files: context.xml and web.xml, its own and the defaults below them.

Tomcat: startup/ContextConfig.java. Context files are read in this order: conf/context.xml, the host's
context.xml.default, the application's own. Descriptors count in this order, the strongest first: WEB-INF/web.xml,
web-fragment.xml of its libraries, WEB-INF/tomcat-web.xml, the host's web.xml.default, conf/web.xml.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.attributes import Component
from catalina.core.node_restart import refuse_state_of_another
from catalina.deploy.archive import is_archive_name, read_archive
from catalina.descriptor.elements import ServletDef
from catalina.descriptor.web_xml import WebXml, merge
from catalina.descriptor.web_xml_reader import read_web_xml
from catalina.descriptor.web_xml_writer import to_xml
from catalina.digester.digester import Digester
from catalina.digester.findings import Finding, UnusableConfiguration
from catalina.errors import CatalinaError, ConfigurationError, DeploymentError
from catalina.lifecycle import LifecycleEvent
from catalina.loader.application_environ import ApplicationEnviron
from catalina.startup.application_logging import ApplicationLogging
from catalina.startup.application_packages import install_packages, provide_packages, watched_files
from catalina.startup.application_root import ApplicationRoot
from catalina.startup.application_variables import application_variables, variable_files
from catalina.startup.bare_application import BareApplication, stray_source
from catalina.startup.context_maker import default_files
from catalina.startup.health_gate import HealthGate
from catalina.startup.privileged_application import guard_privileged
from catalina.startup.property_sources import substitution_for
from catalina.startup.web_fragments import merge_fragments
from catalina.startup.web_xml_application import add_authenticator, apply_web_xml
from catalina.util.context_name import ContextName

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.digester.substitution import Substitution

__all__ = ["ContextConfig"]

log = logging.getLogger("org.apache.catalina.startup.ContextConfig")

WEB_XML = Path("WEB-INF", "web.xml")
#: Servlets of Tomcat that compile or run something other than Python.
JAVA_SERVLETS = (
    "org.apache.jasper.servlet.JspServlet",
    "org.apache.catalina.servlets.CGIServlet",
    "org.apache.catalina.ssi.SSIServlet",
)
#: Attributes that the application's own file may repeat but not change, because deployment has decided them.
DECIDED = ("path", "doc_base", "name", "web_app_version", "version_key")


#: The number of context files whose remarks are remembered.
MAX_REMEMBERED_FILES = 1000


class _Defaults:
    """conf/web.xml and similar files, read once as long as they do not change: a thousand types for each application
    add up.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Path, int, int, bool], WebXml] = {}
        self._lock = threading.Lock()

    def read(self, file: Path, substitute: Substitution, decoded: bool) -> WebXml:
        status = file.stat()
        key = (file, status.st_mtime_ns, status.st_size, decoded)
        with self._lock:
            known = self._known.get(key)
            if known is None:
                for old in [each for each in self._known if each[0] == file]:
                    del self._known[old]
                known = self._known[key] = read_web_xml(
                    file, str(file), substitute=substitute, decoded_patterns=decoded
                )
                for definition in known.servlets.values():
                    definition.overridable = True
                    _leave_out_java(definition)
                for warning in known.warnings:
                    log.warning("%s", warning)
        return known


class _Remarks:
    """Logs the findings in a file again when the file has changed, but not for each application that reads it."""

    def __init__(self) -> None:
        self._said: dict[Path, tuple[Finding, ...]] = {}
        self._lock = threading.Lock()

    def are_new(self, file: Path, findings: Sequence[Finding]) -> bool:
        with self._lock:
            known = self._said.get(file)
            if len(self._said) >= MAX_REMEMBERED_FILES:
                self._said.clear()
            self._said[file] = tuple(findings)
        return known != tuple(findings)


def _leave_out_java(definition: ServletDef) -> None:
    """Leave out JSP, CGI and SSI of an unchanged conf/web.xml; their URLs give 404, so that no source is ever shown."""
    if definition.servlet_class.startswith(JAVA_SERVLETS):
        if definition.enabled:
            log.info("%s: servlet [%s] is %s, which only Java has; what is mapped to it is not found",
                     definition.place, definition.name, definition.servlet_class)  # fmt: skip
        definition.enabled = False


_defaults = _Defaults()
_remarks = _Remarks()


class ContextConfig(Component):
    """The listener of one context."""

    default_web_xml = "conf/web.xml"

    def __init__(self) -> None:
        super().__init__()
        self._good = True
        #: True when the last start was refused because of source code without an application.
        self.has_refused_source = False
        self._bare: BareApplication | None = None
        self._logging = ApplicationLogging()

    def __call__(self, event: LifecycleEvent) -> None:
        context: StandardContext = event.source  # type: ignore[assignment]  # it listens to a context
        match event.type:
            case "after_init":
                self._read_context_files(context)
            case "before_start":
                self._find_document_root(context)
                self._provide_packages(context)
            case "before_reload":
                install_packages(context)
            case "configure_start":
                self._logging.start(context)
                self._configure(context)
            case "before_requests":
                if why := HealthGate(context).why_not():
                    raise DeploymentError(f"{context}: {why}")
            case "configure_stop":
                context.forget_descriptor()
            case "after_stop":
                self._logging.stop()

    # -- context.xml ---------------------------------------------------------------------------------------------

    def _read_context_files(self, context: StandardContext) -> None:
        """Read the defaults first. Attributes that the context already has, from server.xml or its deployer, stay."""
        given = {name: getattr(context, name) for name in (*context.given, *DECIDED)}
        parts = {name: getattr(context, name) for name in context.given_parts}
        for file in reversed(default_files(context.host, context)):
            self._read_context_file(context, file)
        for name, value in (given | parts).items():
            setattr(context, name, value)
        if context.config_file is not None:
            decided = {name: getattr(context, name) for name in DECIDED}
            self._read_context_file(context, context.config_file)
            for name, value in decided.items():
                setattr(context, name, value)

    def _read_context_file(self, context: StandardContext, file: Path) -> None:
        digester = Digester(self._substitution(context))
        try:
            digester.parse_into(file, context, str(file))
        except ConfigurationError as exc:
            why = "" if isinstance(exc, UnusableConfiguration) else f": {exc}"
            log.error("The context file [%s] of application [%s] cannot be used%s", file, context.name, why)
            context.note_failure(f"the context file [{file}] cannot be used: {exc}")
            self._good = False
        if _remarks.are_new(file, digester.findings):
            for finding in digester.findings:
                log.log(finding.level, "%s", finding)

    @staticmethod
    def _substitution(context: StandardContext) -> Substitution:
        server = context.server
        return substitution_for(server.properties if server is not None else {})

    # -- docBase -------------------------------------------------------------------------------------------------

    def _find_document_root(self, context: StandardContext) -> None:
        """The absolute docBase, and True if its files may be served at all (Tomcat: fixDocBase)."""
        self.has_refused_source = False
        host = context.host
        doc_base = context.doc_base or ContextName(context.path, context.web_app_version).base_name
        root = host.app_base_path / doc_base
        if is_archive_name(root.name) and root.is_file():
            root = self._unpack(context, root)
        context.document_root = root
        if not root.exists():
            self._good = False
            log.error("The document base [%s] of application [%s] does not exist", root, context.name)
            raise DeploymentError(f"{context}: the document base [{root}] does not exist")
        if self._shows_configuration(context, root):
            self._good = False
            log.error("The document base [%s] of application [%s] holds the server's own conf directory, which would "
                      "be served to everybody; the application is not started", root, context.name)  # fmt: skip
            raise DeploymentError(f"{context}: the document base [{root}] holds the server's own conf directory")
        self._bare = BareApplication.find(root)
        if self._bare is not None and self._names_servlets(context):
            self._bare = None
        outside = self._bare is None and self._is_described_outside(context)
        if self._bare is None and not outside and root.is_dir() and not (root / "WEB-INF").is_dir():
            self._refuse_stray_source(context)
        context.resources.serves_files = self._bare is None and not outside

    def _provide_packages(self, context: StandardContext) -> None:
        """Raises DeploymentError when what the application requires is not here and cannot be installed."""
        try:
            provide_packages(context)
        except DeploymentError as exc:
            self._good = False
            log.error("%s", exc)
            raise

    def _is_described_outside(self, context: StandardContext) -> bool:
        """True when a descriptor outside the directory (altDDName) gives all its URLs to one servlet.

        Such a directory is a project that is served in place: none of its files is static content.
        """
        if not context.alt_dd_name:
            return False
        try:
            return "/*" in self._own_descriptor(context).servlet_mappings
        except ConfigurationError:
            return True

    def _names_servlets(self, context: StandardContext) -> bool:
        """True when the application's descriptor names servlets, or cannot be read, which is reported later."""
        try:
            return bool(self._own_descriptor(context).servlets)
        except ConfigurationError:
            return True

    def _refuse_stray_source(self, context: StandardContext) -> None:
        """Refuse a directory with source code but no application: it is a program in an unknown layout, and no web
        site.

        Raises:
            DeploymentError: there is source code.
        """
        root = context.document_root
        source = stray_source(root)
        if source is None:
            return
        self.has_refused_source = True
        log.warning(
            "The directory [%s] is not deployed as [%s]: it has Python source [%s], but no application. Expected "
            "wsgi.py or app.py in it, with application or app, or WEB-INF/web.xml. If it is a static site, make "
            "an empty directory WEB-INF in it; its source is not served then.", root, context.name or "/", source,
        )  # fmt: skip
        raise DeploymentError(f"{context}: [{root}] has Python source [{source}], but no application")

    @staticmethod
    def _shows_configuration(context: StandardContext, root: Path) -> bool:
        """True when the document root is, contains or lies in conf of CATALINA_BASE, which has passwords."""
        configuration = os.path.realpath(context.host.catalina_base / "conf")
        real = os.path.realpath(root)
        return Path(configuration).is_relative_to(real) or Path(real).is_relative_to(configuration)

    @staticmethod
    def _unpack(context: StandardContext, archive: Path) -> Path:
        """Unpack the archive that is the docBase of a ``<Context>`` in server.xml, so that it runs from a directory
        like a deployed one.

        Raises:
            DeploymentError: the archive is refused; the text says why.
        """
        unpack = context.host.unpack_wars and context.unpack_war
        root = ApplicationRoot(context.host, read_archive(str(archive)), context.base_name)
        if not context.deploys_here:
            return Path(root.place(unpack))
        try:
            root.prepare(unpack)
            root.check_requirements(context)
            return Path(root.move_in(unpack))
        finally:
            root.close()

    # -- web.xml -------------------------------------------------------------------------------------------------

    def _configure(self, context: StandardContext) -> None:
        try:
            apply_web_xml(self._web_xml(context), context)
            guard_privileged(context)
            add_authenticator(context)
        except CatalinaError as exc:
            log.error("%s", exc)
            context.note_failure(str(exc))
            self._good = False
        if not self._good:
            log.error("Marking this application unavailable due to previous error(s)")
        context.configured = self._good
        self._good = True  # the next start reads everything anew

    @staticmethod
    def _own_file(context: StandardContext) -> Path:
        return Path(context.alt_dd_name) if context.alt_dd_name else context.document_root / WEB_XML

    def _own_descriptor(self, context: StandardContext) -> WebXml:
        """The application's own web.xml, or an empty one. Raises ConfigurationError."""
        file = self._own_file(context)
        if file.is_file():
            return read_web_xml(
                file,
                str(file),
                substitute=self._substitution(context),
                decoded_patterns=context.url_patterns_provided_in_decoded_form,
                block_external=context.xml_block_external,
            )
        if context.alt_dd_name:
            raise ConfigurationError(f"altDDName [{file}] does not exist")
        return WebXml()

    def _web_xml(self, context: StandardContext) -> WebXml:
        context.default_web_xml_watched = [self._own_file(context), *watched_files(context)]
        own = self._own_descriptor(context)
        for warning in own.warnings:
            log.warning("%s", warning)
        self._give_variables(context, own)
        if self._bare is None:
            merged = self._with_defaults(context, self._with_own_defaults(context, own))
        else:
            merged = self._bare_web_xml(context, self._bare, own)
        if context.log_effective_web_xml:
            log.info("web.xml of application [%s]:\n%s", context.name, to_xml(merged), extra={"keeps_lines": True})
        return merged

    @staticmethod
    def _give_variables(context: StandardContext, own: WebXml) -> None:
        """Give the application its environment variables, before any of its code runs."""
        context.default_web_xml_watched += variable_files(context)
        space = context.loader.space
        if space is not None:
            variables = application_variables(context, own.env_entries)
            ApplicationEnviron.give(space, variables, context.runs_alone)

    def _with_own_defaults(self, context: StandardContext, own: WebXml) -> WebXml:
        """Merge the descriptors of the application's libraries, then its WEB-INF/tomcat-web.xml."""
        substitute = self._substitution(context)
        merged = merge_fragments(context, own, substitute)
        file = context.document_root / "WEB-INF" / "tomcat-web.xml"
        context.default_web_xml_watched.append(file)
        if file.is_file():
            merged = merge(merged, read_web_xml(file, str(file), substitute=substitute, block_external=True))
        return merged

    def _with_defaults(self, context: StandardContext, own: WebXml) -> WebXml:
        base = context.host.catalina_base
        merged = own
        default = base / (context.default_web_xml or self.default_web_xml)
        for file in (context.host.config_base_path / "web.xml.default", default):
            context.default_web_xml_watched.append(file)
            if file.is_file():
                decoded = context.url_patterns_provided_in_decoded_form
                merged = merge(merged, _defaults.read(file, self._substitution(context), decoded))
        return merged

    def _bare_web_xml(self, context: StandardContext, bare: BareApplication, own: WebXml) -> WebXml:
        """A descriptor with the defaults' types and session settings, but one servlet for all URLs."""
        if context.runs_here:
            with context.loader.bound():
                own = bare.web_xml(context.loader, own)
            refuse_state_of_another(context.server, context.name, context.loader.state_of_another())
        own = self._with_own_defaults(context, own)
        defaults = self._with_defaults(context, WebXml())
        defaults.servlets, defaults.servlet_mappings, defaults.welcome_files = {}, {}, []
        defaults.filters, defaults.filter_mappings = {}, []
        context.default_web_xml_watched.append(bare.file)
        return merge(own, defaults)
