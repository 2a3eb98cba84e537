"""A directory (Tomcat: webresources/DirResourceSet.java, AbstractFileResourceSet.java)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from catalina.errors import DeploymentError
from catalina.webresources.resource import FileResource, Resource
from catalina.webresources.resource_set import ResourceSet

__all__ = ["CODE_MOUNTS", "DirResourceSet"]

#: The places of an application's code.
CODE_MOUNTS = ("/WEB-INF/classes", "/WEB-INF/lib")


class DirResourceSet(ResourceSet):
    """The files below a directory. A link is followed only with ``allowLinking``: it could lead anywhere."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._directory = ""

    def _start(self) -> None:
        base = Path(self.base)
        if not base.is_absolute() and self.root is not None:
            base = self.root.catalina_base / base
        base = base / self.internal_path.strip("/")
        if not base.is_dir():
            raise DeploymentError(f"{self}: the directory [{base}] does not exist")
        # The base itself may be behind a link.
        self._directory = os.path.realpath(base)

    def code(self) -> str | None:
        return self._directory if self.mount in CODE_MOUNTS and not self.static_only else None

    def get(self, path: str) -> Resource | None:
        file = self._file(path)
        if file is None:
            return None
        found = FileResource.of(path, Path(file))
        if found.is_file and path.endswith("/"):
            return None  # a/b.txt/ does not name a/b.txt
        return found if found.exists else None

    def names(self, path: str) -> set[str]:
        file = self._file(path)
        if file is None or not os.path.isdir(file):
            return self.mounts_below(path)
        return set(os.listdir(file)) | self.mounts_below(path)

    def file_to_write(self, path: str) -> Path | None:
        """The file for a path that may not exist yet; None when its directory is not one of ours, or behind a link."""
        inner = self.inner_path(path)
        if inner is None or "\0" in inner:
            return None
        file = Path(self._directory, inner.strip("/"))
        parent = os.path.realpath(file.parent)
        inside = parent == str(file.parent) or self._follows_links()
        return file if inside and not os.path.islink(file) else None  # a name too long for islink is not one

    def _file(self, path: str) -> str | None:
        """The file for a path inside the application, None when it is not below the mount or behind a link."""
        inner = self.inner_path(path)
        if inner is None or "\0" in inner:
            return None
        file = os.path.join(self._directory, inner[1:].rstrip("/")) if inner != "/" else self._directory
        try:
            real = os.path.realpath(file, strict=True)
        except (OSError, ValueError):
            return None
        if real == file or self._follows_links():
            return file
        return None

    def _follows_links(self) -> bool:
        if self.allow_linking is not None:
            return self.allow_linking
        return self.root is not None and self.root.follows_links
