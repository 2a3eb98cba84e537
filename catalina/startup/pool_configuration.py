"""The configuration of a pool's process that has a user of its own: what concerns its one application.

The process must not have the passwords, keys and users of the server. So it reads no file of ``conf``: the keeper
writes a small server.xml for it, with one Host and one application, the numbers of the connectors, no valves (those of
Engine and Host work in the node's workers, before they pass a request on), and no realm but one that asks the keeper.
Values for ``${...}`` are filled in here. Beside it are the application's own files below ``conf``: its descriptor, the
defaults of all applications, its variables, and those global resources to which its operator has linked it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from catalina.attributes import Component
from catalina.connector.connector import Connector
from catalina.core.standard_engine import StandardEngine
from catalina.digester.xml_tree import XmlElement, read_xml
from catalina.errors import DeploymentError
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.mbeans.values import as_text
from catalina.startup.application_variables import variable_files
from catalina.workers.application_entry import own_descriptor

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_server import StandardServer

__all__ = ["PoolConfiguration", "application_properties"]

SERVER = "conf/server.xml"
#: Attributes of a connector that decide about it and not about requests.
_NOT_OF_REQUESTS = frozenset({"port", "port_offset", "protocol", "protocol_handler_class_name", "worker_ports"})
_OF_HOST = frozenset({"error_report_valve_class", "context_class", "config_class"})
#: Beginnings of names of properties that parts of the container ask for, and words in names of secrets.
_PROPERTIES = ("org.apache.", "catalina.worker.", "user.", "file.encoding")
_LOADERS = ("common.loader", "server.loader", "shared.loader")
_SECRET = ("password", "passwd", "secret", "token", "key")

Substitute = Callable[[str], str]


def application_properties(server: StandardServer, substitute: Substitute) -> dict[str, str]:
    """The properties of the server that a process with a user of its own gets: none that could be a secret."""
    return {
        name: substitute(value) if name in _LOADERS else value
        for name, value in server.properties.items()
        if name in _LOADERS or (name.startswith(_PROPERTIES) and not any(word in name.lower() for word in _SECRET))
    }


class PoolConfiguration:
    """Makes the files.

    Args:
        root: the ``<Server>`` of server.xml, as it was loaded.
    """

    def __init__(self, server: StandardServer, root: XmlElement, substitute: Substitute) -> None:
        self._server = server
        self._root = root
        self._substitute = substitute

    def files(self, context: StandardContext) -> dict[str, str]:
        """The texts of the files, by their names below the process's own base.

        Raises:
            DeploymentError: a file cannot be read.
        """
        try:
            return dict(self._files(context))
        except OSError as error:
            raise DeploymentError(f"{context}: {error.filename}: {error.strerror}") from error

    def _files(self, context: StandardContext) -> Iterator[tuple[str, str]]:
        declared = self._declared(context)
        described = [] if declared is None else [declared]
        host = context.host
        directory = f"conf/{context.host_path}"
        for file, name in (
            (host.catalina_base / (context.default_context_xml or "conf/context.xml"), "conf/context.xml"),
            (host.config_base_path / "context.xml.default", f"{directory}/context.xml.default"),
            (context.config_file, own_descriptor(context.host_path, context.base_name)),
        ):
            if file is not None and file.is_file():
                tree = read_xml(file, str(file))
                described.append(tree)
                yield name, self._text(tree)
        for name in (context.default_web_xml or "conf/web.xml", f"{directory}/web.xml.default"):
            file = host.config_base_path / "web.xml.default" if "default" in name else host.catalina_base / name
            if not Path(name).is_absolute() and file.is_file():
                yield name, file.read_text(encoding="utf-8")
        for file in variable_files(context)[1:]:
            if file.is_file():
                yield f"{directory}/{file.name}", file.read_text(encoding="utf-8")
        yield SERVER, self._server_xml(context, declared, described)

    # -- server.xml ----------------------------------------------------------------------------------------------

    def _server_xml(self, context: StandardContext, declared: XmlElement | None, described: list[XmlElement]) -> str:
        lines = ['<Server port="-1">']
        lines += self._resources(described)
        for number, service in enumerate(self._server.services):
            lines.append(f"<Service name={quoteattr(service.name)}>")
            lines += map(_connector, service.connectors)
            if service.engine is context.host.parent:
                lines += self._engine(context, declared)
            else:
                lines.append(f'<Engine name="none-{number}" defaultHost="none"><Host name="none"/></Engine>')
            lines.append("</Service>")
        return "\n".join([*lines, "</Server>"])

    def _resources(self, described: list[XmlElement]) -> Iterator[str]:
        links = [each for tree in described for each in tree.walk() if each.tag == "ResourceLink"]
        wanted = {self._substitute(each.get("global") or "") for each in links}
        found = [each for tree in self._root.children if tree.tag == "GlobalNamingResources" for each in tree.children]
        texts = [self._text(each) for each in found if self._substitute(each.get("name") or "") in wanted]
        if texts:
            yield f"<GlobalNamingResources>{''.join(texts)}</GlobalNamingResources>"

    def _engine(self, context: StandardContext, declared: XmlElement | None) -> Iterator[str]:
        host = context.host
        engine = host.parent
        route = engine.jvm_route if isinstance(engine, StandardEngine) else ""
        name = "" if engine is None else engine.name
        yield (
            f"<Engine name={quoteattr(name)} defaultHost={quoteattr(host.name)} jvmRoute={quoteattr(route or '')} "
            f'backgroundProcessorDelay="{0 if engine is None else engine.background_processor_delay}">'
        )
        yield from _cluster(None if engine is None else engine.own_cluster)
        yield (
            f'<Host name={quoteattr(host.name)} appBase={quoteattr(str(host.app_base_path))} createDirs="false"'
            f" workDir={quoteattr(str(host.work_path))}{_attributes(host, host.given & _OF_HOST)}>"
        )
        yield from _cluster(host.own_cluster)
        if declared is not None:
            yield self._text(declared)
        yield "</Host></Engine>"

    def _declared(self, context: StandardContext) -> XmlElement | None:
        """The application's own element in server.xml; None for one that was deployed."""
        host, engine = context.host, context.host.parent
        if engine is None:
            return None
        for service in self._root.children:
            for each in service.children:
                if each.tag == "Engine" and self._named(each, "name", engine.name):
                    for inner in each.children:
                        if inner.tag == "Host" and self._named(inner, "name", host.name):
                            return next((found for found in inner.children if self._is_of(found, context)), None)
        return None

    def _is_of(self, element: XmlElement, context: StandardContext) -> bool:
        version = self._substitute(element.get("webappVersion") or "")
        return (
            element.tag == "Context"
            and self._named(element, "path", context.path)
            and version == context.web_app_version
            and context.config_file is None
        )

    def _named(self, element: XmlElement, attribute: str, name: str) -> bool:
        return self._substitute(element.get(attribute) or "") == name

    def _text(self, element: XmlElement) -> str:
        texts = {name: self._substitute(attribute.value) for name, attribute in element.attributes.items()}
        if element.tag == "Context" and "workDir" in texts:
            texts["workDir"] = str(self._server.catalina_base / texts["workDir"])
        values = "".join(f" {name}={quoteattr(text)}" for name, text in texts.items())
        inner = escape(self._substitute(element.text.strip())) + "".join(map(self._text, element.children))
        return f"<{element.tag}{values}>{inner}</{element.tag}>"


def _attributes(component: Component, names: Collection[str]) -> str:
    """Those of these attributes whose values a text can say, and that are no secrets."""
    values = {each.xml: getattr(component, each.name) for each in component.attributes().values() if each.name in names}
    return "".join(
        f" {name}={quoteattr(as_text(value))}"
        for name, value in values.items()
        if isinstance(value, bool | int | str | tuple) and not any(word in name.lower() for word in _SECRET)
    )


def _connector(connector: Connector) -> str:
    """A connector that listens nowhere, and that treats requests as the node's does."""
    threads = f' maxThreads="{connector.protocol_handler.max_threads}"'
    own = _attributes(connector, connector.given - _NOT_OF_REQUESTS)
    return f'<Connector port="{max(connector.port, 0)}" bindOnInit="false"{threads}{own}/>'


def _cluster(cluster: object) -> Iterator[str]:
    """The sending options and the manager; the keeper is the member of the group."""
    if isinstance(cluster, SimpleTcpCluster):
        template = cluster.manager_template
        manager = f'<Manager className="{_class_name(template)}"{_attributes(template, template.given)}/>'
        yield (
            f'<Cluster className="org.apache.catalina.ha.tcp.SimpleTcpCluster" '
            f'channelSendOptions="{cluster.channel_send_options}">{manager}</Cluster>'
        )


def _class_name(component: Component) -> str:
    kind = type(component)
    return component.written_class_name or f"org.apache.{kind.__module__.rpartition('.')[0]}.{kind.__name__}"
