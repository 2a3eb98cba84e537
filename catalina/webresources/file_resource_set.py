"""One file under a path of its own (Tomcat: webresources/FileResourceSet.java)."""

from __future__ import annotations

from pathlib import Path

from catalina.webresources.resource import FileResource, Resource
from catalina.webresources.resource_set import ResourceSet

__all__ = ["FileResourceSet"]


class FileResourceSet(ResourceSet):
    """The file ``base`` appears at ``webAppMount``."""

    @property
    def _file(self) -> Path:
        base = Path(self.base)
        return base if base.is_absolute() or self.root is None else self.root.catalina_base / base

    def code(self) -> str | None:
        is_wheel = self.mount.startswith("/WEB-INF/lib/") and self.mount.lower().endswith(".whl")
        return str(self._file) if is_wheel and not self.static_only else None

    def get(self, path: str) -> Resource | None:
        if path != self.mount:
            return None
        found = FileResource.of(path, self._file)
        return found if found.is_file else None

    def names(self, path: str) -> set[str]:
        return self.mounts_below(path) if self._file.is_file() else set()
