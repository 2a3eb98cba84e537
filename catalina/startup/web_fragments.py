"""Merges ``META-INF/web-fragment.xml`` of the archives in WEB-INF/lib (Servlet 6.0, section 8.2; Tomcat:
ContextConfig).

A library can bring its own servlets, filters and listeners. They override the server's defaults, and the application's
web.xml overrides them; ``metadata-complete="true"`` in it leaves them out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from catalina.descriptor.web_xml import OTHERS, WebXml, merge
from catalina.descriptor.web_xml_reader import read_web_xml
from catalina.errors import ConfigurationError
from catalina.util.path_names import checked_name
from catalina.webresources.standard_root import LIBRARIES

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["merge_fragments", "order_fragments", "rounds"]

log = logging.getLogger("org.apache.catalina.startup.ContextConfig")

ENTRY = "META-INF/web-fragment.xml"
#: The limit for a fragment. A real one has kilobytes, but an archive may claim anything.
MAX_BYTES = 2**20
order_log = logging.getLogger("org.apache.tomcat.util.descriptor.web.WebXml")


def merge_fragments(context: StandardContext, own: WebXml, substitute: Callable[[str], str]) -> WebXml:
    """Merge the descriptors of the libraries into the application's, which overrides them.

    Raises:
        ConfigurationError: a fragment cannot be used; the text names it and the place.
        DeploymentError: an archive's name cannot be the name of one of our files.
    """
    if own.metadata_complete:
        return own
    fragments = [
        read_web_xml(file, label, substitute=substitute, block_external=True)
        for file, label in _extracted(context.document_root / "WEB-INF" / "lib", context.work_path)
    ]
    merged = own
    for fragment in order_fragments(own, fragments):
        for warning in fragment.warnings:
            log.warning("%s", warning)
        # An application is distributable when it and all its libraries are.
        distributable = merged.distributable and fragment.distributable
        merged = merge(merged, fragment)
        merged.distributable = distributable
    return merged


def _extracted(libraries: Path, work: Path) -> list[tuple[Path, str]]:
    """The fragments as files in the work directory, each with the name for errors."""
    found = []
    for archive in sorted(libraries.iterdir()) if libraries.is_dir() else []:
        if archive.suffix.lower() not in LIBRARIES:
            continue
        text = _fragment_of(archive)
        if text is not None:
            file = work / "web-fragments" / f"{checked_name(archive.name, 'archive', str(libraries))}.xml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text)
            found.append((file, f"{archive.name}!/{ENTRY}"))
    return found


def _fragment_of(archive: Path) -> bytes | None:
    try:
        with ZipFile(archive) as opened, opened.open(ENTRY) as entry:
            return entry.read(MAX_BYTES)
    except KeyError:
        return None
    except (OSError, BadZipFile) as exc:
        log.warning("The archive [%s] cannot be read, so no web-fragment.xml of it counts: %s", archive, exc)
        return None


def order_fragments(application: WebXml, fragments: Sequence[WebXml]) -> list[WebXml]:
    """The fragments that count, the most important first (Servlet 6.0, section 8.2.2; Tomcat: WebXml.java).

    Args:
        application: its ``<absolute-ordering>`` names the fragments that count, in order; others do not count, unless
            there is an ``<others/>``.
        fragments: in the order of their archives' names, which decides when nothing else does.

    Raises:
        ConfigurationError: two fragments have the same name, or each wants to be before the other.
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
        else:
            order_log.warning("Used a wrong fragment name [%s] at web.xml absolute-ordering tag", name)
    return ordered


def _relative(fragments: Sequence[WebXml]) -> list[WebXml]:
    """The rounds of :func:`rounds`, each in the order of the archives."""
    return [fragment for each in rounds(fragments) for fragment in each]


def rounds(fragments: Sequence[WebXml]) -> list[list[WebXml]]:
    """The fragments in rounds; the order inside a round means nothing (Tomcat: WebXml.orderWebFragments, stages 1 to
    5).

    Raises:
        ConfigurationError: a fragment wants, directly or through others, to be before itself, or both before and after
            all others.
    """
    wishes = _both_ways({fragment.name or f"#{number}": _Wishes(fragment) for number, fragment in enumerate(fragments)})
    for each in wishes.values():
        if OTHERS in each.before:
            _spread(each.after, wishes, "before", "after")
        if OTHERS in each.after:
            _spread(each.before, wishes, "after", "before")
    torn = next((name for name, each in wishes.items() if OTHERS in each.before and OTHERS in each.after), None)
    if torn is not None:
        raise ConfigurationError(f"Fragment relative ordering: [{torn}] is before all others and after all others")
    first = {name: each for name, each in wishes.items() if OTHERS in each.before}
    last = {name: each for name, each in wishes.items() if OTHERS in each.after}
    middle = {name: each for name, each in wishes.items() if name not in first and name not in last}
    return [found for group in (first, middle, last) for found in _group_rounds(group)]


class _Wishes:
    """The names that a fragment wants to be before and after; the sets grow."""

    def __init__(self, fragment: WebXml) -> None:
        self.fragment = fragment
        self.before, self.after = set(fragment.before), set(fragment.after)


def _both_ways(wishes: dict[str, _Wishes]) -> dict[str, _Wishes]:
    """Add the reverse of each wish to the other fragment; names of missing fragments are dropped."""
    known = wishes.keys() | {OTHERS}
    for name, each in wishes.items():
        each.before &= known
        each.after &= known
        for other in each.before - {OTHERS}:
            wishes[other].after.add(name)
        for other in each.after - {OTHERS}:
            wishes[other].before.add(name)
    return wishes


def _spread(names: set[str], wishes: dict[str, _Wishes], side: str, towards: str) -> None:
    """Pass wishes on: a fragment before one that is before all others is also before all others (and the same for
    after).
    """
    waiting = list(names - {OTHERS})
    while waiting:
        each = wishes[waiting.pop()]
        if OTHERS not in getattr(each, side):
            getattr(each, side).add(OTHERS)
            waiting += getattr(each, towards) - {OTHERS}


def _group_rounds(group: dict[str, _Wishes]) -> list[list[WebXml]]:
    """Each round has the fragments that wait for no other of the group."""
    waiting = {name: each.after & group.keys() for name, each in group.items()}
    found = []
    while waiting:
        free = [name for name, others in waiting.items() if not others]
        if not free:
            names = ", ".join(group[name].fragment.name for name in waiting)
            raise ConfigurationError(f"Fragment relative ordering: circular reference among [{names}]")
        found.append([group[name].fragment for name in free])
        waiting = {name: others.difference(free) for name, others in waiting.items() if name not in free}
    return found
