"""Context path, version and file name of an application (Tomcat: util/ContextName.java)."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["ContextName"]

ROOT = "ROOT"


@dataclass(frozen=True, slots=True)
class ContextName:
    """``foo#bar##2.war`` is the application ``/foo/bar`` in version ``2``.

    Args:
        path: empty for the root application, else with a leading slash.
        version: empty when the name has none.
    """

    path: str
    version: str = ""

    @classmethod
    def of_file(cls, file_name: str) -> ContextName:
        """From the name of a directory, archive or descriptor; ``.war`` and ``.xml`` are cut off."""
        stem = re.sub(r"(?i)\.(war|xml)$", "", file_name.rstrip("/").rpartition("/")[2])
        base, _, version = stem.partition("##")
        return cls("" if base in ("", ROOT) else "/" + base.replace("#", "/"), version)

    @classmethod
    def of_path(cls, path: str, version: str = "") -> ContextName:
        """From a context path, with or without the leading slash; ``/`` and ``ROOT`` are the root application."""
        inner = path.strip("/")
        return cls("" if inner in ("", ROOT) else "/" + inner, version)

    @property
    def name(self) -> str:
        """``/foo/bar##2``: unique in a host."""
        return f"{self.path}##{self.version}" if self.version else self.path

    @property
    def base_name(self) -> str:
        """``foo#bar##2``: what its files are called."""
        base = self.path[1:].replace("/", "#") or ROOT
        return f"{base}##{self.version}" if self.version else base

    @property
    def display_name(self) -> str:
        """``/foo/bar##2``, and ``/`` for the root application."""
        return self.name if self.path else f"/{self.name}"
