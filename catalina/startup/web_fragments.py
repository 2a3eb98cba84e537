"""Merges ``META-INF/web-fragment.xml`` of the archives in WEB-INF/lib (Servlet 6.0, section 8.2; Tomcat:
ContextConfig).

A library can bring its own servlets, filters and listeners. They override the server's defaults, and the application's
web.xml overrides them; ``metadata-complete="true"`` in it leaves them out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from catalina.descriptor.fragment_order import order_fragments
from catalina.descriptor.web_xml import WebXml, merge
from catalina.descriptor.web_xml_reader import read_web_xml
from catalina.util.path_names import checked_name
from catalina.webresources.standard_root import LIBRARIES

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext

__all__ = ["merge_fragments"]

log = logging.getLogger("org.apache.catalina.startup.ContextConfig")

ENTRY = "META-INF/web-fragment.xml"
#: The limit for a fragment. A real one has kilobytes, but an archive may claim anything.
MAX_BYTES = 2**20


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
