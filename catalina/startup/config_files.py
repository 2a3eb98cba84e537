"""Checks the files in conf that an operator edits besides server.xml, for ``configtest``.

A context.xml or web.xml that cannot be used is an error, because no application starts with it. Any other fault affects
only an attribute or a log.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from catalina.core.standard_context import StandardContext
from catalina.descriptor.web_xml_reader import read_web_xml
from catalina.digester.digester import Digester
from catalina.digester.findings import Finding, UnusableConfiguration
from catalina.digester.property_file import read_properties
from catalina.digester.substitution import Substitution
from catalina.errors import ConfigurationError
from catalina.juli.class_loader_log_manager import ClassLoaderLogManager
from catalina.place import Place

__all__ = ["check_files"]


def check_files(base: Path, substitution: Substitution, properties: Mapping[str, str]) -> Iterator[Finding]:
    """The remarks about the files of ``base/conf``; a file that is not there has none.

    tomcat-users.xml is checked where a realm or a resource of server.xml names it (start_check).
    """
    checks: dict[str, Callable[[Path], Iterator[Finding]]] = {
        "context.xml": lambda path: _context(path, substitution),
        "web.xml": lambda path: _web(path, substitution),
        "logging.properties": lambda path: _logging(path, properties),
    }
    for name, check in checks.items():
        path = base / "conf" / name
        if path.is_file():
            yield from check(path)


def _context(path: Path, substitution: Substitution) -> Iterator[Finding]:
    digester = Digester(substitution)
    with contextlib.suppress(UnusableConfiguration):  # its findings give the reason
        digester.parse_into(path, StandardContext())
    yield from digester.findings


def _web(path: Path, substitution: Substitution) -> Iterator[Finding]:
    try:
        for warning in read_web_xml(path, substitute=substitution).warnings:
            yield Finding(logging.WARNING, Place("", 0), "", warning)  # the text names the place itself
    except ConfigurationError as error:
        text = f"{error.text}; no application starts with this"
        yield Finding(logging.ERROR, error.place or Place(path.name, 0), "", text)


def _logging(path: Path, properties: Mapping[str, str]) -> Iterator[Finding]:
    """Configure a logger that nobody uses; no file is made before the first record."""
    manager = ClassLoaderLogManager(read_properties(path), properties)
    manager.configure(["catalina.configtest"], report=False)
    manager.close()
    for problem in manager.problems:
        yield Finding(logging.WARNING, Place(path.name, 0), "", problem)
