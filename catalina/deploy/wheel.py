"""Reads a wheel's description (PEP 427, PEP 491): name, version, tags, requirements, entry points."""

from __future__ import annotations

import configparser
import os
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from catalina.errors import DeploymentError

__all__ = ["DISTRIBUTABLE_GROUP", "GROUP", "EntryPoint", "Wheel", "read_wheel"]

#: Entry points in this group name a WSGI callable; the entry's name is the context path's base name.
GROUP = "catalina.webapp"
#: The group for applications whose sessions are replicated.
DISTRIBUTABLE_GROUP = "catalina.webapp.distributable"

_MAX_METADATA = 2**20  # bytes; enough for a long description


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A line of entry_points.txt in one of our groups."""

    name: str
    target: str
    distributable: bool


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel's own description; ``names`` are the archive's entries."""

    file: str
    name: str
    version: Version
    tags: frozenset[str]
    requirements: tuple[Requirement, ...]
    requires_python: str
    entry_points: tuple[EntryPoint, ...]
    names: tuple[str, ...]
    dist_info: str

    @property
    def data_directory(self) -> str:
        """Name of the directory whose parts are installed elsewhere, ``shop-1.0.data/``."""
        return self.dist_info.removesuffix(".dist-info/") + ".data/"


def read_wheel(file: str, archive: zipfile.ZipFile) -> Wheel:
    """Read the description.

    Raises:
        DeploymentError: the file's name or its metadata is not that of a wheel, or they contradict each other.
    """
    names = tuple(archive.namelist())
    name, version, tags = _parts_of_name(file)
    dist_info = _dist_info(file, names, name, version)
    metadata = _headers(file, archive, dist_info + "METADATA")
    if "Wheel-Version" not in _headers(file, archive, dist_info + "WHEEL"):
        raise DeploymentError(f"{file}: {dist_info}WHEEL has no Wheel-Version")
    return Wheel(
        file=file,
        name=name,
        version=version,
        tags=tags,
        requirements=tuple(_requirement(file, text) for text in metadata.get_all("Requires-Dist", [])),
        requires_python=metadata.get("Requires-Python", ""),
        entry_points=_entry_points(file, archive, dist_info + "entry_points.txt"),
        names=names,
        dist_info=dist_info,
    )


def _parts_of_name(file: str) -> tuple[str, Version, frozenset[str]]:
    try:
        name, version, _, tags = parse_wheel_filename(os.path.basename(file))
    except (InvalidWheelFilename, InvalidVersion) as exc:
        raise DeploymentError(f"{file}: not a wheel's file name (name-version-python-abi-platform.whl): {exc}") from exc
    return name, version, frozenset(str(tag) for tag in tags)


def _dist_info(file: str, names: tuple[str, ...], name: str, version: Version) -> str:
    """The ``.dist-info/`` directory; its spelling may differ from the file name's."""
    found = {entry.partition("/")[0] + "/" for entry in names if entry.partition("/")[0].endswith(".dist-info")}
    for directory in sorted(found):
        its_name, _, its_version = directory.removesuffix(".dist-info/").rpartition("-")
        if canonicalize_name(its_name) == name and _same_version(its_version, version):
            return directory
    raise DeploymentError(
        f"{file}: expected a directory {name}-{version}.dist-info in the archive, found {sorted(found)}"
    )


def _same_version(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:
        return False


def _read(file: str, archive: zipfile.ZipFile, name: str) -> str | None:
    try:
        info = archive.getinfo(name)
    except KeyError:
        return None
    if info.file_size > _MAX_METADATA:
        raise DeploymentError(f"{file}: {name} has {info.file_size} bytes, limit {_MAX_METADATA}")
    return archive.read(info).decode("utf-8", "replace")


def _headers(file: str, archive: zipfile.ZipFile, name: str) -> Message:
    text = _read(file, archive, name)
    if text is None:
        raise DeploymentError(f"{file}: has no {name}")
    return HeaderParser().parsestr(text)


def _requirement(file: str, text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as exc:
        raise DeploymentError(f"{file}: Requires-Dist {text!r} cannot be read: {exc}") from exc


def _entry_points(file: str, archive: zipfile.ZipFile, name: str) -> tuple[EntryPoint, ...]:
    text = _read(file, archive, name)
    if text is None:
        return ()
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep the case
    try:
        parser.read_string(text)
    except configparser.Error as exc:
        raise DeploymentError(f"{file}: {name} cannot be read: {exc}") from exc
    return tuple(
        EntryPoint(entry.strip(), target.split("[")[0].strip(), group == DISTRIBUTABLE_GROUP)
        for group in (GROUP, DISTRIBUTABLE_GROUP)
        if parser.has_section(group)
        for entry, target in parser.items(group)
    )
