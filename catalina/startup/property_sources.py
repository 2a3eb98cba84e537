"""The sources in which ``${name}`` in XML files is looked up (Tomcat: Digester.generatePropertySources()).

Property ``org.apache.tomcat.util.digester.PROPERTY_SOURCE`` names classes, separated by commas, that are asked first,
in that order. The node's properties are always asked, last unless they are named earlier. A class that cannot be used
is left out, as in Tomcat, and :func:`unusable_sources` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from catalina.attributes import comma_list
from catalina.digester.class_names import find_class, why_not_found
from catalina.digester.substitution import PropertySource, Substitution
from catalina.errors import CatalinaError, ConfigurationError
from catalina.tomcat.util.digester.system_property_source import SystemPropertySource

__all__ = ["PROPERTY_SOURCE", "substitution_for", "unusable_sources"]

PROPERTY_SOURCE = "org.apache.tomcat.util.digester.PROPERTY_SOURCE"


def substitution_for(properties: Mapping[str, str]) -> Substitution:
    """The substitution with the node's properties and the usable ones of the named sources."""
    own = SystemPropertySource(properties)
    sources, _ = _sources(properties, own)
    return Substitution(sources if own in sources else [*sources, own])


def unusable_sources(properties: Mapping[str, str]) -> list[str]:
    """A line for each named source that cannot be used."""
    return _sources(properties, SystemPropertySource(properties))[1]


def _sources(properties: Mapping[str, str], own: SystemPropertySource) -> tuple[list[PropertySource], list[str]]:
    sources: list[PropertySource] = []
    problems = []
    for name in comma_list(properties.get(PROPERTY_SOURCE, "")):
        try:
            sources.append(_source(name, own))
        except CatalinaError as error:
            problems.append(f"Error loading property source [{name}]: {error}")
    return sources, problems


def _source(class_name: str, own: SystemPropertySource) -> PropertySource:
    found = find_class(class_name)
    if found is SystemPropertySource:
        return own
    if found is None:
        raise ConfigurationError(f"no class answers to this name{why_not_found(class_name)}")
    try:
        source = found()
    except Exception as error:  # the class is the operator's
        raise ConfigurationError(f"it cannot be made: {type(error).__name__}: {error}") from error
    if not callable(getattr(source, "get_property", None)):
        raise ConfigurationError("expected a class with get_property(name)")
    return cast(PropertySource, source)
