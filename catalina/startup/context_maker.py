"""Make the Context that deployment adds to a host: its class and attributes from a descriptor, its name from a file.

Only the attributes of the root element are read here, because they decide how to deploy (docBase, copyXML, unpackWAR);
ContextConfig reads the whole file into the context when it is initialised, and says what it does not understand.
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

__all__ = ["context_of_class", "make_context", "name_context"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")


def make_context(host: StandardHost, descriptor: str | None) -> StandardContext:
    """A context for ``host`` with the attributes of a descriptor, or plain.

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
            continue  # ContextConfig reads the file again and warns with the place
    context.config_file = Path(descriptor)
    return context


def context_of_class(class_name: str, where: str = "") -> StandardContext:
    """A plain context of a className; ``where`` is the file that names it. Raises DeploymentError."""
    found = find_class(class_name)
    if found is None or not issubclass(found, StandardContext):
        place = f"{where}: " if where else ""
        raise DeploymentError(f"{place}className {class_name!r} is not the class of a context")
    return found()


def name_context(
    context: StandardContext, host: StandardHost, name: ContextName, doc_base: str | None, archive: Archive | None
) -> None:
    """Give a context its name and place, and the listener that configures it; what a descriptor said of them is past.

    Args:
        doc_base: the directory it runs from; None leaves what there is in appBase under its base name.
        archive: what the directory was made from.
    """
    doc_base = _relative(host, doc_base) if doc_base is not None else name.base_name
    context.give(path=name.path, web_app_version=name.version, doc_base=doc_base)
    is_wheels = archive is not None and archive.wheel is not None and archive.name == name
    context.version_key = version_key(name.version, is_wheels)
    context.name = name.name
    if archive is not None and archive.target is not None and context.fail_ctx_if_servlet_start_fails is None:
        context.give(fail_ctx_if_servlet_start_fails=True)  # such a wheel is this one callable and nothing else
    if "config_class" not in context.given:
        context.give(config_class=host.config_class)


def _relative(host: StandardHost, directory: str) -> str:
    """Relative to appBase when it lies in it, as Tomcat shows it."""
    base = os.path.join(os.path.abspath(host.app_base_path), "")
    return directory.removeprefix(base)
