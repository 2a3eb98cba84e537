"""Reads the packages that an application declares: requirements.txt, pyproject.toml, or a wheel's own metadata.

Files are read inertly. pip's own parser would follow a file anywhere, and some of its lines run code (an editable
install, a repository, a source archive), so the lines are taken apart here and pip gets them in one plain form. Source:
pip's "Requirements File Format", PEP 508, PEP 621.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import platform
import re
import sys
import sysconfig
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from catalina.errors import DeploymentError

__all__ = ["DECLARING", "DeclaredRequirements", "declared_requirements", "note_requirements"]

REQUIREMENTS = "requirements.txt"
PYPROJECT = "pyproject.toml"
#: The requirements of the wheel that a directory was made from; deployment writes this file.
OF_WHEEL = os.path.join("META-INF", REQUIREMENTS)

#: Files in an application's directory whose change may mean other packages.
DECLARING = (REQUIREMENTS, PYPROJECT)

#: Limits of one application's files together.
MAX_BYTES = 2**20
MAX_LINES = 20_000
MAX_FILES = 20
#: Characters of one requirement without its hashes.
MAX_REQUIREMENT = 4096

#: Options that pip gets as they stand.
_FLAGS = frozenset({"--no-index", "--pre", "--prefer-binary", "--require-hashes"})
_INDEXES = {"-i": "--index-url", "--pypi-url": "--index-url", "--index-url": "--index-url"}
_INDEXES["--extra-index-url"] = "--extra-index-url"
_LINKS = ("-f", "--find-links")
_NESTED = ("-r", "--requirement")
_CONSTRAINTS = ("-c", "--constraint")
_EDITABLE = ("-e", "--editable")
_FORMATS = ("--no-binary", "--only-binary")
_WITH_VALUE = (*_INDEXES, *_LINKS, *_NESTED, *_CONSTRAINTS, *_EDITABLE, *_FORMATS)

_COMMENT = re.compile(r"(^|\s)#.*$")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(slots=True)
class DeclaredRequirements:
    """The packages that pip would install for an application.

    Args:
        root: the application's directory. Relative paths in ``lines`` are relative to it.
        source: the file that declares them, relative to ``root``, for messages.
        lines: options and requirements, for a requirements file.
        constraints: requirements that only limit versions, for a constraints file.
        requirements: those that count on this interpreter, to compare with what is there.
        builds: lines for which pip would have to run code of the package, with their place.
        links: local directories of archives to install from.
        python: the version that pip installs for, ``3.13``; empty for that of the server.
        program: the interpreter of that version.
    """

    root: str
    source: str
    lines: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    requirements: list[Requirement] = field(default_factory=list)
    builds: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    python: str = ""
    program: str = ""

    @property
    def label(self) -> str:
        """The name of the declaration, for messages."""
        return "the wheel's metadata" if self.is_of_wheel else self.source

    @property
    def is_of_wheel(self) -> bool:
        """True when a wheel's metadata declares them, which its packages cannot do without."""
        return self.source == OF_WHEEL

    @property
    def has_unnamed(self) -> bool:
        """True when a line does not say which package it brings, so that nothing can be compared."""
        return bool(self.builds)

    def key(self, builds: bool) -> str:
        """The name of an installation: equal when pip would install the same for the same interpreter.

        Args:
            builds: source archives count, too.
        """
        own = (sys.implementation.cache_tag, sysconfig.get_config_var("SOABI"), sysconfig.get_platform())
        interpreter = (self.python, sysconfig.get_platform()) if self.python else own
        parts = [repr(each) for each in (1, interpreter, builds, self.lines, self.constraints)]
        parts += sorted(f"{name} {size}" for directory in self.links for name, size in _files_in(self.root, directory))
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def declared_requirements(root: str) -> DeclaredRequirements | None:
    """The requirements of the application in a directory; None when it declares none.

    ``requirements.txt`` wins over ``[project].dependencies`` of ``pyproject.toml``, as it usually has exact versions.

    Raises:
        DeploymentError: a file cannot be read, or asks for something that is not supported; the text names file and
            line, relative to ``root``.
    """
    for source in (REQUIREMENTS, OF_WHEEL):
        if os.path.isfile(os.path.join(root, source)):
            found = DeclaredRequirements(root, source)
            _RequirementsReader(found).read(source)
            break
    else:
        if not os.path.isfile(os.path.join(root, PYPROJECT)):
            return None
        found = DeclaredRequirements(root, PYPROJECT)
        _add_project(found, PYPROJECT)
    library = os.path.join("WEB-INF", "lib")
    if any(name.lower().endswith(".whl") for name, _ in _files_in(root, library)):
        found.links.append(library)
    return found if found.requirements or found.builds else None


def note_requirements(root: str, requirements: Sequence[Requirement]) -> None:
    """Write a wheel's requirements into the directory that was made from it, where the next start finds them."""
    file = os.path.join(root, OF_WHEEL)
    text = "".join(f"{requirement}\n" for requirement in requirements)
    if not text or os.path.isfile(file):
        return
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w", encoding="utf-8") as sink:
        sink.write(text)


class _RequirementsReader:
    """Reads one requirements file and those that it names."""

    def __init__(self, found: DeclaredRequirements) -> None:
        self._found = found
        self._root = os.path.realpath(found.root)
        self._files: set[str] = set()
        self._bytes = self._lines = 0

    def read(self, source: str, constraints: bool = False) -> None:
        """Read a file, given relative to the application's directory."""
        if source in self._files:
            return
        self._files.add(source)
        if len(self._files) > MAX_FILES:
            raise DeploymentError(f"{source}: more than {MAX_FILES} requirements files")
        text = _text_of(self._found.root, source, MAX_BYTES - self._bytes)
        self._bytes += len(text)
        for number, line in _logical_lines(text):
            self._lines += 1
            if self._lines > MAX_LINES:
                raise DeploymentError(f"{source}:{number}: more than {MAX_LINES} lines")
            try:
                self._take(source, line, constraints)
            except _LineError as error:
                raise DeploymentError(f"{source}:{number}: {error}") from None

    def _take(self, source: str, line: str, constraints: bool) -> None:
        if not line.startswith("-"):
            self._requirement(source, line, constraints)
            return
        option, value = _split_option(line)
        found = self._found
        if option in _FLAGS:
            found.lines.append(option)
        elif option in _INDEXES:
            found.lines.append(f"{_INDEXES[option]} {value}")
        elif option in _LINKS:
            self._links(source, value)
        elif option in _NESTED:
            self.read(self._inside(source, value), constraints)
        elif option in _CONSTRAINTS:
            self.read(self._inside(source, value), True)
        elif option in _EDITABLE:
            self._editable(value)
        elif option in _FORMATS:
            if option == "--no-binary":
                found.builds.append(f"{source}: {line}")
            found.lines.append(f"{option} {value}")
        else:
            raise _LineError(
                f"option {option} is not for an application; pip's configuration of the server (pip.conf, PIP_*) is "
                "its place"
            )

    def _links(self, source: str, value: str) -> None:
        if _is_url(value):
            self._found.lines.append(f"--find-links {value}")
            return
        directory = self._inside(source, value)
        self._found.links.append(directory)
        self._found.lines.append(f"--find-links {directory}")

    def _editable(self, value: str) -> None:
        """``-e .`` is the application itself, which runs from its directory: only its own requirements count."""
        if _is_url(value) or self._inside("", value.partition("[")[0]) != ".":
            raise _LineError(f"an editable install ({value}) is for a developer's own environment")
        _add_project(self._found, PYPROJECT)

    def _requirement(self, source: str, line: str, constraints: bool) -> None:
        text, hashes = _split_hashes(line)
        found = self._found
        if text.partition("[")[0] in (".", "./"):
            self._editable(".")
            return
        requirement: Requirement | None
        try:
            requirement = Requirement(text)
        except InvalidRequirement as exc:
            text, requirement = self._archive(text, str(exc).partition("\n")[0])
        canonical = " ".join([text, *hashes])
        if constraints:
            found.constraints.append(canonical)
            return
        found.lines.append(canonical)
        if requirement is None or (requirement.url and not _is_wheel(requirement.url)):
            found.builds.append(f"{source}: {text}")
        elif requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found.requirements.append(requirement)

    def _archive(self, text: str, why: str) -> tuple[str, Requirement | None]:
        """A line that is a path or an address instead of a name: pip's form of it, and the package if it is a wheel."""
        if not _is_url(text) and not text.startswith(".") and os.sep not in text and not text.endswith(".whl"):
            raise _LineError(f"expected a requirement, got {text[:80]!r}: {why}")
        if not _is_url(text):
            text = os.path.join(".", self._inside("", text))
        if not _is_wheel(text):
            return text, None
        try:
            name, version, _, _ = parse_wheel_filename(unquote(os.path.basename(urlsplit(text).path)))
        except InvalidWheelFilename as exc:
            raise _LineError(str(exc)) from None
        return text, Requirement(f"{name}=={version}")

    def _inside(self, source: str, value: str) -> str:
        """A path relative to the application's directory, which it must not leave.

        Args:
            source: the file beside which it counts, as pip has it for other files; empty for paths of packages.
        """
        path = os.path.join(self._root, os.path.dirname(source), value.removeprefix("file:"))
        real = os.path.realpath(path)
        if real != self._root and not real.startswith(os.path.join(self._root, "")):
            raise _LineError(f"{value!r} leads out of the application's directory")
        return os.path.relpath(real, self._root)


class _LineError(Exception):
    """A line cannot be used; the text says why."""


def _split_option(line: str) -> tuple[str, str]:
    """The option of a line and its value; the value of a flag is empty."""
    if line.split()[0] in _FLAGS and len(line.split()) == 1:
        return line.split()[0], ""
    option, equals, value = line.partition("=") if line.startswith("--") and "=" in line.split()[0] else ("", "", "")
    if not equals:
        option, _, value = line.partition(" ")
    if len(option) > 2 and not option.startswith("--") and not value:
        option, value = option[:2], option[2:]  # -rbase.txt
    value = value.strip().strip("'\"")
    if option in _WITH_VALUE and (not value or any(char.isspace() for char in value)):
        raise _LineError(f"expected one value behind {option}, got {value!r}")
    return option, value


def _split_hashes(line: str) -> tuple[str, list[str]]:
    """A requirement, and its ``--hash`` options in one form."""
    text, dash, rest = line.partition(" --")
    if len(text) > MAX_REQUIREMENT:
        raise _LineError(f"a requirement of {len(text)} characters, limit {MAX_REQUIREMENT}")
    hashes = []
    for option in rest.split(" --") if dash else ():
        name, _, value = option.strip().replace(" ", "=", 1).partition("=")
        if name != "hash" or not re.fullmatch(r"[a-z0-9]+:[0-9a-fA-F]+", value):
            raise _LineError(f"option --{option.strip()[:80]} is not supported behind a requirement, only --hash is")
        hashes.append(f"--hash={value}")
    return text.strip(), hashes


def _is_url(text: str) -> bool:
    return "://" in text and not text.startswith("file:")


def _is_wheel(url: str) -> bool:
    return not url.startswith(("git+", "hg+", "svn+", "bzr+")) and urlsplit(url).path.lower().endswith(".whl")


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, joined where they end with a backslash, with the number of their first one."""
    words: list[str] = []
    first = 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        first = first or number
        if line.rstrip().endswith("\\"):
            words += line.rstrip()[:-1].split()
            continue
        words += _COMMENT.sub("", line).split()
        if words:
            yield first, " ".join(words)
        words, first = [], 0


def _text_of(root: str, file: str, limit: int) -> str:
    """The text of a file in ``root``, by its byte order mark, UTF-8 without one. Raises DeploymentError."""
    try:
        with open(os.path.join(root, file), "rb") as opened:
            data = opened.read(limit + 1)
    except OSError as exc:
        raise DeploymentError(f"{file}: cannot be read: {exc.strerror}") from None
    if len(data) > limit:
        raise DeploymentError(f"{file}: more than {MAX_BYTES} bytes")
    try:
        for mark, encoding in _BOMS:
            if data.startswith(mark):
                return data.removeprefix(mark).decode(encoding)
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise DeploymentError(f"{file}: expected UTF-8, got byte {data[exc.start]:#04x} at {exc.start}") from None


def _add_project(found: DeclaredRequirements, source: str) -> None:
    """Add ``[project].dependencies`` of a pyproject.toml, if it is there, and check its ``requires-python``."""
    if not os.path.isfile(os.path.join(found.root, source)):
        return
    try:
        project = tomllib.loads(_text_of(found.root, source, MAX_BYTES)).get("project", {})
    except (ValueError, RecursionError) as exc:
        raise DeploymentError(f"{source}: {exc}") from None
    declared = project.get("dependencies", []) if isinstance(project, dict) else None
    if not isinstance(declared, list) or not all(isinstance(each, str) for each in declared):
        raise DeploymentError(f"{source}: expected [project].dependencies to be a list of texts")
    try:
        python = SpecifierSet(str(project.get("requires-python", "")))
        wanted = [Requirement(each) for each in declared]
    except (InvalidSpecifier, InvalidRequirement) as exc:
        raise DeploymentError(f"{source}: [project]: {str(exc).partition(chr(10))[0]}") from None
    if not python.contains(platform.python_version(), prereleases=True):
        raise DeploymentError(f"{source}: requires Python {python}, and the server runs {platform.python_version()}")
    for requirement in wanted:
        found.lines.append(str(requirement))
        if requirement.url and not _is_wheel(requirement.url):
            found.builds.append(f"{source}: {requirement}")
        elif requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            found.requirements.append(requirement)


def _files_in(root: str, directory: str) -> list[tuple[str, int]]:
    """The names and sizes of a directory's files; none when there is no such directory."""
    try:
        with os.scandir(os.path.join(root, directory)) as listing:
            return [(entry.name, entry.stat().st_size) for entry in listing if entry.is_file()]
    except OSError:
        return []
