"""What ``configtest`` looks at besides server.xml: the other files in conf that an operator edits.

A fault in one of them does not keep the server from starting, as in Tomcat: it costs an application, the logins or a
log. So each is a warning.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from catalina.core.standard_context import StandardContext
from catalina.descriptor.web_xml_reader import read_web_xml
from catalina.digester.digester import Digester
from catalina.digester.findings import UnusableConfiguration
from catalina.digester.property_file import read_properties
from catalina.digester.substitution import Substitution
from catalina.errors import ConfigurationError
from catalina.juli.class_loader_log_manager import ClassLoaderLogManager
from catalina.users.users_file import read_users_file

__all__ = ["check_files"]


def check_files(base: Path, substitution: Substitution, properties: Mapping[str, str]) -> Iterator[str]:
    """A line for each remark about the files of ``base/conf``; a file that is not there has none."""
    checks: dict[str, Callable[[Path], Iterator[str]]] = {
        "context.xml": lambda path: _context(path, substitution),
        "web.xml": lambda path: _web(path, substitution),
        "tomcat-users.xml": lambda path: _users(path, properties),
        "logging.properties": lambda path: _logging(path, properties),
    }
    for name, check in checks.items():
        path = base / "conf" / name
        if path.is_file():
            yield from check(path)


def _context(path: Path, substitution: Substitution) -> Iterator[str]:
    digester = Digester(substitution)
    with contextlib.suppress(UnusableConfiguration):  # its findings say why
        digester.parse_into(path, StandardContext())
    yield from (str(finding) for finding in digester.findings)


def _web(path: Path, substitution: Substitution) -> Iterator[str]:
    try:
        yield from (str(warning) for warning in read_web_xml(path, substitute=substitution).warnings)
    except ConfigurationError as error:
        yield str(error)


def _users(path: Path, properties: Mapping[str, str]) -> Iterator[str]:
    try:
        read_users_file(path, properties)
    except ConfigurationError as error:
        yield str(error)


def _logging(path: Path, properties: Mapping[str, str]) -> Iterator[str]:
    """Set up for a logger that nobody uses: no file is made before the first record."""
    manager = ClassLoaderLogManager(read_properties(path), properties)
    manager.configure(["catalina.configtest"], report=False)
    manager.close()
    yield from (f"{path.name}: {problem}" for problem in manager.problems)
