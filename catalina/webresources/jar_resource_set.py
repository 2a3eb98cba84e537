"""An archive: zip, wheel, war or jar (Tomcat: webresources/JarResourceSet.java)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

from catalina.errors import DeploymentError
from catalina.webresources.resource import ArchiveResource, Resource
from catalina.webresources.resource_set import ResourceSet

__all__ = ["JarResourceSet"]


class JarResourceSet(ResourceSet):
    """The entries of an archive below ``internalPath``; its directory is read once, at start."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._archive = Path()
        self._files: dict[str, ZipInfo] = {}
        self._directories: dict[str, set[str]] = {}

    def _start(self) -> None:
        base = Path(self.base)
        self._archive = base if base.is_absolute() or self.root is None else self.root.catalina_base / base
        try:
            with ZipFile(self._archive) as archive:
                entries = archive.infolist()
        except (OSError, BadZipFile) as exc:
            raise DeploymentError(f"{self}: cannot be read: {exc}") from exc
        inner = self.internal_path.strip("/")
        prefix = f"{inner}/" if inner else ""
        for entry in entries:
            if entry.filename.startswith(prefix):
                self._add(entry, entry.filename[len(prefix) :])

    def _add(self, entry: ZipInfo, name: str) -> None:
        if not entry.is_dir():
            self._files["/" + name] = entry
        parts = name.strip("/").split("/") if name.strip("/") else []
        for depth in range(len(parts)):
            directory = "/" + "/".join(parts[:depth])
            self._directories.setdefault(directory.rstrip("/") + "/", set()).add(parts[depth])
        if entry.is_dir() or not parts:
            self._directories.setdefault("/" + name.strip("/") + ("/" if parts else ""), set())

    def _stop(self) -> None:
        self._files = {}
        self._directories = {}

    def get(self, path: str) -> Resource | None:
        inner = self.inner_path(path)
        if inner is None:
            return None
        entry = self._files.get(inner)
        if entry is not None:
            seconds = time.mktime((*entry.date_time, 0, 0, -1))
            return ArchiveResource(
                path,
                entry.file_size,
                int(seconds * 1000),
                exists=True,
                is_file=True,
                archive=self._archive,
                entry=entry.filename,
            )
        if inner.rstrip("/") + "/" in self._directories:
            return ArchiveResource(path, exists=True, is_directory=True, archive=self._archive)
        return None

    def names(self, path: str) -> set[str]:
        inner = self.inner_path(path)
        if inner is None:
            return self.mounts_below(path)
        return self._directories.get(inner.rstrip("/") + "/", set()) | self.mounts_below(path)
