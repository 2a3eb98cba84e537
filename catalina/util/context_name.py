"""Context path, version and file name of an application (Tomcat: util/ContextName.java)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from catalina.errors import DeploymentError
from catalina.util.path_names import MAX_NAME_BYTES, checked_name

__all__ = ["ContextName"]

ROOT = "ROOT"


@dataclass(frozen=True, slots=True)
class ContextName:
    """``foo#bar##2.war`` is the application ``/foo/bar`` in version ``2``.

    Args:
        path: empty for the root application, otherwise with a leading slash.
        version: empty when the name has none.

    Raises:
        DeploymentError: the path has empty, ``.`` or ``..`` parts, or characters that our file names never have. So
            :attr:`base_name` can always be joined to a directory.
    """

    path: str
    version: str = ""

    def __post_init__(self) -> None:
        source = f"context [{self.path[:MAX_NAME_BYTES]!r}]" if self.path else "the root context"
        if self.path:
            head, *parts = self.path.split("/")
            if head or not parts:
                raise DeploymentError(f"{source}: refused: a context path begins with a slash")
            for part in parts:
                checked_name(part, "part", source)
        if self.version:
            checked_name(self.version, "version", source)
        checked_name(self.base_name, "file name", source)

    @classmethod
    def of_file(cls, file_name: str) -> ContextName:
        """The context for the name of a directory, archive or descriptor; ``.war`` and ``.xml`` are cut off.

        Raises:
            DeploymentError: the rest is empty, or no name of a context.
        """
        name = file_name.rstrip("/").rpartition("/")[2]
        stem = re.sub(r"(?i)\.(war|xml)$", "", name)
        base, marker, version = stem.partition("##")
        if not stem or (marker and not version):
            raise DeploymentError(f"{file_name!r}: refused: the name of the application or its version is empty")
        return cls("" if base in ("", ROOT) else "/" + base.replace("#", "/"), version)

    @classmethod
    def of_path(cls, path: str, version: str = "") -> ContextName:
        """The context for a path, with or without the leading slash; ``/`` and ``ROOT`` are the root application."""
        inner = path.strip("/")
        return cls("" if inner in ("", ROOT) else "/" + inner, version)

    @property
    def name(self) -> str:
        """``/foo/bar##2``, a name that is unique in a host."""
        return f"{self.path}##{self.version}" if self.version else self.path

    @property
    def base_name(self) -> str:
        """``foo#bar##2``, the name of its files."""
        base = self.path[1:].replace("/", "#") or ROOT
        return f"{base}##{self.version}" if self.version else base

    @property
    def display_name(self) -> str:
        """``/foo/bar##2``, or ``/`` for the root application."""
        return self.name if self.path else f"/{self.name}"
