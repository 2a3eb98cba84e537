"""In which order the web-fragment.xml of libraries count (Servlet 6.0, section 8.2.2; Tomcat: WebXml.java)."""

from __future__ import annotations

from collections.abc import Sequence

from catalina.descriptor.web_xml import OTHERS, WebXml
from catalina.errors import ConfigurationError

__all__ = ["order_fragments"]


def order_fragments(application: WebXml, fragments: Sequence[WebXml]) -> list[WebXml]:
    """The fragments that count, the most important first.

    Args:
        application: its ``<absolute-ordering>`` names those that count, in order; what it does not name does not
            count, unless there is an ``<others/>``.
        fragments: in the order of their archives' names, which decides where nothing else does.

    Raises:
        ConfigurationError: two have one name, or each wants to be before the other.
    """
    names = [fragment.name for fragment in fragments if fragment.name]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None and application.absolute_ordering is None:
        raise ConfigurationError(f"More than one web fragment has the name [{twice}]")
    if application.absolute_ordering is not None:
        return _absolute(application.absolute_ordering, fragments)
    return _relative(fragments)


def _absolute(ordering: Sequence[str], fragments: Sequence[WebXml]) -> list[WebXml]:
    by_name = {fragment.name: fragment for fragment in fragments if fragment.name}
    rest = [fragment for fragment in fragments if fragment.name not in ordering]
    ordered: list[WebXml] = []
    for name in ordering:
        if name == OTHERS:
            ordered += rest
        elif name in by_name:
            ordered.append(by_name[name])
    return ordered


def _relative(fragments: Sequence[WebXml]) -> list[WebXml]:
    """Those before all others, those that do not care, those after all others; in each group by name."""
    first = [each for each in fragments if OTHERS in each.before]
    last = [each for each in fragments if OTHERS in each.after and OTHERS not in each.before]
    middle = [each for each in fragments if each not in first and each not in last]
    return [*_by_name(first), *_by_name(middle), *_by_name(last)]


def _by_name(fragments: list[WebXml]) -> list[WebXml]:
    """Each behind those it wants to be after and those that want to be before it."""
    waiting = list(fragments)
    ordered: list[WebXml] = []
    while waiting:
        free = next((each for each in waiting if not any(_precedes(other, each) for other in waiting)), None)
        if free is None:
            names = ", ".join(each.name for each in waiting)
            raise ConfigurationError(f"Fragment relative ordering: circular reference among [{names}]")
        waiting.remove(free)
        ordered.append(free)
    return ordered


def _precedes(other: WebXml, fragment: WebXml) -> bool:
    if other is fragment:
        return False
    return (bool(fragment.name) and fragment.name in other.before) or (
        bool(other.name) and other.name in fragment.after
    )
