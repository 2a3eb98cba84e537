"""PUT and DELETE of an application's files, where ``readonly`` is off (Tomcat: DefaultServlet.doPut, doDelete)."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalina.servlets.ranges import parse_content_range

if TYPE_CHECKING:
    from catalina.webresources.standard_root import StandardRoot

__all__ = ["FileChanges"]

BLOCK = 64 * 1024


class FileChanges:
    """Writes into the application's own directory; a file appears whole or not at all."""

    def __init__(self, resources: StandardRoot, allow_partial: bool) -> None:
        self._resources = resources
        self._allow_partial = allow_partial

    def put(self, path: str, environ: dict[str, Any]) -> int:
        """Create or replace a file; the status to answer.

        Raises:
            ValueError: Content-Range makes no sense, or is not allowed.
            OSError: the body cannot be written.
        """
        resource = self._resources.get_resource(path)
        target = self._resources.writable_file(path)
        if resource.is_directory or target is None or not target.parent.is_dir() or path.endswith("/"):
            return 409
        content_range = environ.get("HTTP_CONTENT_RANGE")
        if content_range is not None and not self._allow_partial:
            raise ValueError("partial PUT is not allowed")
        part = parse_content_range(content_range) if content_range is not None else None
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".catalina-put-")
        try:
            with os.fdopen(descriptor, "wb") as sink:
                if part is not None and resource.is_file:
                    with resource.open() as old:
                        shutil.copyfileobj(old, sink)
                sink.seek(part.start if part is not None else 0)
                written = _copy(environ["wsgi.input"], sink)
            if part is not None and written != part.length:
                raise ValueError(f"Content-Range promises {part.length} bytes, the body has {written}")
            self._put_in_place(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self._resources.forget(path)
        return 204 if resource.exists else 201

    @staticmethod
    def _put_in_place(name: str, target: Path) -> None:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        os.chmod(name, mode)
        os.replace(name, target)

    def delete(self, path: str, _: dict[str, Any]) -> int:
        """Delete a file or an empty directory; the status to answer."""
        resource = self._resources.get_resource(path)
        if not resource.exists:
            return 404
        target = self._resources.writable_file(path)
        if target is None or path == "/":
            return 405
        try:
            if resource.is_directory:
                target.rmdir()
            else:
                target.unlink()
        except OSError:
            return 405
        self._resources.forget(path)
        return 204


def _copy(source: Any, sink: Any) -> int:
    written = 0
    while data := source.read(BLOCK):
        sink.write(data)
        written += len(data)
    return written


def _umask() -> int:
    """The process's umask, read without changing it for other threads."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o022
