"""``configtest``: prints the component tree of server.xml with everything that was not understood, and a summary.

Each line is an element: its tag, its class, its place, and its attributes with ``${...}`` replaced. Remarks follow
their element, marked by ``!!`` (stops the start), ``!`` (ignored) and ``-`` (no meaning here).

The other files in conf that an operator edits are checked, too. A context.xml or web.xml that cannot be used is an
error, because no application starts with it. Any other fault affects only an attribute or a log.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalina.core.standard_context import StandardContext
from catalina.descriptor.web_xml_reader import read_web_xml
from catalina.digester.digester import Digested, Digester
from catalina.digester.findings import Finding, UnusableConfiguration
from catalina.digester.property_file import read_properties
from catalina.digester.substitution import Substitution
from catalina.errors import ConfigurationError
from catalina.juli.class_loader_log_manager import ClassLoaderLogManager
from catalina.mbeans import secrets
from catalina.place import Place
from catalina.startup.property_sources import unusable_sources
from catalina.startup.start_check import check_start

if TYPE_CHECKING:
    from catalina.startup.catalina import Catalina

__all__ = ["ConfigTest", "check_files", "remarks", "render_tree", "summary", "unplaced"]

_MARKS = {logging.ERROR: "!!", logging.WARNING: "!", logging.INFO: "-"}


class ConfigTest:
    """One check of the configuration of a node, which is loaded but not started.

    The output has the tree first, then the remarks without an element, then a repetition of the serious ones, then the
    count.
    """

    def __init__(self, catalina: Catalina) -> None:
        self._catalina = catalina
        self.findings: list[Finding] = []

    @property
    def failed(self) -> bool:
        """True when the start would fail, or no application would run."""
        return any(finding.level >= logging.ERROR for finding in self.findings)

    def run(self, ignored: Sequence[str] = ()) -> Iterator[str]:
        """The lines of the output.

        Args:
            ignored: options of a Java process on the command line.
        """
        catalina = self._catalina
        if ignored:
            self._say(logging.INFO, "command line", f"Options of a Java process have no effect: {' '.join(ignored)}")
        try:
            digester = catalina.digester()
        except ConfigurationError as error:
            self._say(logging.ERROR, "", str(error))
            yield from remarks(self.findings)
            return
        for problem in unusable_sources(catalina.properties):
            self._say(logging.WARNING, "properties", problem)
        self.findings += catalina.remarks
        try:
            root = digester.parse(catalina.config_file)
            server = catalina.adopt(root)
        except UnusableConfiguration:
            self.findings += digester.findings
        except ConfigurationError as error:
            self._say(logging.ERROR, "", str(error))
        else:
            self.findings += digester.findings
            self.findings += check_start(root, server)
        tree = digester.tree
        if tree is not None:
            yield from render_tree(tree, digester.substitution)
        self.findings += check_files(catalina.base, digester.substitution, catalina.properties)
        yield from self._at_the_end(tree)
        yield f"{catalina.config_file}: {summary(self.findings)}"

    def _say(self, level: int, file: str, text: str) -> None:
        self.findings.append(Finding(level, Place(file, 0), "", text))

    def _at_the_end(self, tree: Digested | None) -> Iterator[str]:
        """Remarks without an element, and all remarks that are worth repeating, each once."""
        outside = {id(finding) for finding in (unplaced(tree, self.findings) if tree is not None else self.findings)}
        worth_it = [each for each in self.findings if id(each) in outside or each.level >= logging.WARNING]
        return remarks(worth_it)


def render_tree(root: Digested, substitution: Substitution) -> Iterator[str]:
    """One line per element and remark, indented by depth."""
    yield from _render(root, substitution, 0)


def _render(digested: Digested, substitution: Substitution, depth: int) -> Iterator[str]:
    element, indent = digested.element, "  " * depth
    made = type(digested.component).__name__ if digested.component is not None else "-"
    shown = [element.tag, *([made] if made != element.tag else []), f"({element.place})"]
    for name, attribute in element.attributes.items():
        if name != "className":
            value = substitution(attribute.value)
            hidden = secrets.looks_secret(name)
            shown.append(f"{name}={secrets.HIDDEN if hidden else repr(secrets.shown(name, value))}")
    text = substitution(element.text).strip()
    yield indent + " ".join([*shown, *([repr(text)] if text else [])])
    for finding in digested.findings:
        yield f"{indent}  {_MARKS[finding.level]} {finding.text} ({finding.place})"
    for child in digested.children:
        yield from _render(child, substitution, depth + 1)


def unplaced(root: Digested, findings: Iterable[Finding]) -> list[Finding]:
    """The findings without an element in the tree: they are about old forms, which have become new elements."""
    placed: set[int] = set()
    waiting = [root]
    while waiting:
        digested = waiting.pop()
        placed.update(id(finding) for finding in digested.findings)
        waiting += digested.children
    return [finding for finding in findings if id(finding) not in placed]


def remarks(findings: Iterable[Finding]) -> Iterator[str]:
    """The findings alone, with their places, for a file that gave no tree."""
    for finding in findings:
        yield f"{_MARKS[finding.level]} {finding}"


def summary(findings: Iterable[Finding]) -> str:
    """``0 errors, 1 warning, 5 remarks``."""
    counts = {level: sum(1 for finding in findings if finding.level == level) for level in _MARKS}
    words = {logging.ERROR: "error", logging.WARNING: "warning", logging.INFO: "remark"}
    return ", ".join(f"{counts[level]} {word}{'' if counts[level] == 1 else 's'}" for level, word in words.items())


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
