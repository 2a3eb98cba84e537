"""Makes the Context that deployment adds to a host, with class and attributes from a descriptor, and the name from a
file.

This module reads only what decides how to deploy: the attributes of the root element (docBase, copyXML, unpackWAR), and
the loader's venv, with which nothing is to be installed. ContextConfig reads the whole file when the context is
initialised, and reports what it does not understand.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.attributes import AttributeRefused
from catalina.core.standard_context import StandardContext
from catalina.deploy.archive import Archive
from catalina.deploy.context_version import version_key
from catalina.digester.class_names import find_class
from catalina.digester.xml_tree import read_xml
from catalina.errors import ConfigurationError, DeploymentError
from catalina.startup.property_sources import substitution_for
from catalina.util.context_name import ContextName

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost
    from catalina.workers.application_entry import ContextSource

__all__ = [
    "context_of_class",
    "default_files",
    "give_source",
    "make_context",
    "make_settings",
    "name_context",
    "relative_to_app_base",
]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")


def make_context(host: StandardHost, descriptor: str | None) -> StandardContext:
    """A context for ``host``, with the attributes of a descriptor if there is one.

    Raises:
        DeploymentError: the descriptor is not well-formed, not a ``<Context>``, or names an unknown class.
    """
    if descriptor is None:
        return context_of_class(host.context_class)
    try:
        root = read_xml(Path(descriptor), descriptor)
        if root.tag != "Context":
            raise ConfigurationError(f"expected <Context> as the root element, got <{root.tag}>", root.place)
        substitute = substitution_for(host.server.properties if host.server is not None else {})
    except ConfigurationError as error:
        raise DeploymentError(str(error)) from error
    context = context_of_class(substitute(root.get("className") or host.context_class), descriptor)
    for name, attribute in root.attributes.items():
        try:
            context.set_attribute(name, substitute(attribute.value))
        except AttributeRefused:
            continue  # ContextConfig reads the file again, and warns with the place
    for child in root.children:
        if child.tag == "Loader" and "venv" in child.attributes:
            context.loader.venv = substitute(child.attributes["venv"].value)
    context.config_file = Path(descriptor)
    return context


def default_files(host: StandardHost, context: StandardContext) -> tuple[Path, ...]:
    """The files that are there of those whose attributes stand below the application's own; the strongest first."""
    if context.override:
        return ()
    named = host.catalina_base / (context.default_context_xml or "conf/context.xml")
    return tuple(file for file in (host.config_base_path / "context.xml.default", named) if file.is_file())


def make_settings(host: StandardHost, descriptor: str | None) -> StandardContext:
    """As :func:`make_context`, with the attributes of the host's defaults below those of the descriptor.

    Raises:
        DeploymentError: as :func:`make_context`, for the descriptor; ContextConfig reports what is wrong with a
            file of defaults.
    """
    context = make_context(host, descriptor)
    for file in default_files(host, context):
        try:
            found = make_context(host, str(file))
        except DeploymentError as error:
            log.debug("%s", error)
            continue
        declared = {each.name for each in context.attributes().values()}
        context.give(**{name: getattr(found, name) for name in found.given & declared - context.given})
    return context


def context_of_class(class_name: str, where: str = "") -> StandardContext:
    """A context of a className without attributes; ``where`` is the file that names the class. Raises
    DeploymentError.
    """
    found = find_class(class_name)
    if found is None or not issubclass(found, StandardContext):
        place = f"{where}: " if where else ""
        raise DeploymentError(f"{place}className {class_name!r} is not the class of a context")
    return found()


def name_context(
    context: StandardContext, host: StandardHost, name: ContextName, doc_base: str | None, archive: Archive | None
) -> None:
    """Give a context its name and place, and the listener that configures it. They replace those in a descriptor.

    Args:
        doc_base: the directory that it runs from; None for the directory in appBase with its base name.
        archive: the archive from which the directory was made.
    """
    doc_base = relative_to_app_base(host, doc_base) if doc_base is not None else name.base_name
    context.give(path=name.path, web_app_version=name.version, doc_base=doc_base)
    is_wheels = archive is not None and archive.wheel is not None and archive.name == name
    context.version_key = version_key(name.version, is_wheels)
    context.name = name.name
    if archive is not None and archive.target is not None and context.fail_ctx_if_servlet_start_fails is None:
        context.give(fail_ctx_if_servlet_start_fails=True)  # such a wheel is only this one callable
    _give_config_class(context, host)


def give_source(context: StandardContext, host: StandardHost, source: ContextSource) -> None:
    """Give a context the name and place that another process of the node has given it by :func:`name_context`."""
    context.give(path=source.path, web_app_version=source.version, doc_base=source.doc_base)
    context.version_key = source.version_key
    context.name = ContextName(source.path, source.version).name
    if source.must_start:
        context.give(fail_ctx_if_servlet_start_fails=True)
    _give_config_class(context, host)


def _give_config_class(context: StandardContext, host: StandardHost) -> None:
    if "config_class" not in context.given:
        context.give(config_class=host.config_class)


def relative_to_app_base(host: StandardHost, directory: str) -> str:
    """A directory as a docBase: relative to appBase if it lies inside, as Tomcat shows it."""
    base = os.path.join(os.path.abspath(host.app_base_path), "")
    return directory.removeprefix(base)
