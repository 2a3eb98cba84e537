"""The sources that ``${name}`` in XML files is looked up in (Tomcat: Digester.generatePropertySources()).

Property ``org.apache.tomcat.util.digester.PROPERTY_SOURCE`` names classes, separated by commas, that are asked first
and in that order; the node's properties are always asked, last unless they are named earlier.
"""

from __future__ import annotations

from collections.abc import Mapping

from catalina.attributes import comma_list
from catalina.digester.class_names import find_class
from catalina.digester.substitution import PropertySource, Substitution
from catalina.errors import ConfigurationError
from catalina.tomcat.util.digester.system_property_source import SystemPropertySource

__all__ = ["substitution_for"]

PROPERTY_SOURCE = "org.apache.tomcat.util.digester.PROPERTY_SOURCE"


def substitution_for(properties: Mapping[str, str]) -> Substitution:
    """The substitution for a node's properties.

    Raises:
        ConfigurationError: PROPERTY_SOURCE names something that is not a property source.
    """
    own = SystemPropertySource(properties)
    sources = [_source(name, own) for name in comma_list(properties.get(PROPERTY_SOURCE, ""))]
    return Substitution(sources if own in sources else [*sources, own])


def _source(class_name: str, own: SystemPropertySource) -> PropertySource:
    found = find_class(class_name)
    if found is SystemPropertySource:
        return own
    source = found() if found is not None else None
    if source is None or not callable(getattr(source, "get_property", None)):
        raise ConfigurationError(f"{PROPERTY_SOURCE} names {class_name!r}, expected a class with get_property(name)")
    known: PropertySource = source
    return known
