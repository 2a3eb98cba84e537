"""PUT and DELETE of an application's files, if ``readonly`` is off (Tomcat: DefaultServlet.doPut, doDelete)."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from catalina.repeated_messages import RepeatedMessages
from catalina.servlets.ranges import ContentRange, parse_content_range

if TYPE_CHECKING:
    from catalina.webresources.resource import Resource
    from catalina.webresources.standard_root import StandardRoot

__all__ = ["FileChanges", "content_range"]

log = logging.getLogger("org.apache.catalina.servlets.DefaultServlet")
#: A client chooses the names and how often it tries.
_failures = RepeatedMessages(log)

BLOCK = 64 * 1024


class _NotStoredError(Exception):
    """The file system does not accept the file; ``__cause__`` is its OSError."""


def content_range(environ: dict[str, Any], allowed: bool) -> ContentRange | None:
    """The place of a PUT's body in the file; None when it is the whole file.

    Args:
        allowed: ``allowPartialPut``.

    Raises:
        ValueError: Content-Range makes no sense, or is not allowed.
    """
    field = environ.get("HTTP_CONTENT_RANGE")
    if field is None:
        return None
    if not allowed:
        raise ValueError("partial PUT is not allowed (allowPartialPut)")
    return parse_content_range(field)


class FileChanges:
    """Writes into the application's own directory; a file appears whole or not at all."""

    def __init__(self, resources: StandardRoot) -> None:
        self._resources = resources

    def put(self, path: str, environ: dict[str, Any], part: ContentRange | None = None) -> int:
        """Create or replace a file, or a part of it; the status to answer.

        Args:
            part: where the body belongs, see :func:`content_range`; the file has its ``size`` afterwards, as in Tomcat.

        Raises:
            ValueError: the body has another length than ``part``, or the file would not fit on the disk.
            OSError: the body cannot be read.
        """
        resource = self._resources.get_resource(path)
        target = self._resources.writable_file(path)
        if resource.is_directory or target is None or not os.path.isdir(target.parent) or path.endswith("/"):
            return 409
        if part is not None:
            free = shutil.disk_usage(target.parent).free
            if part.size > free:
                raise ValueError(f"Content-Range promises a file of {part.size} bytes, {free} are free")
        try:
            self._write(resource, target, environ["wsgi.input"], part)
        except _NotStoredError as exc:
            _failures.log(
                logging.WARNING,
                "files that cannot be written",
                "The file [%s] cannot be written: %s",
                target,
                exc.__cause__,
            )
            return 409
        self._resources.forget(path)
        return 204 if resource.exists else 201

    def _write(self, resource: Resource, target: Path, body: BinaryIO, part: ContentRange | None) -> None:
        try:
            descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".catalina-put-")
        except OSError as exc:
            raise _NotStoredError from exc
        try:
            with os.fdopen(descriptor, "wb") as sink:
                _fill(sink, resource, body, part)
            _put_in_place(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def delete(self, path: str) -> int:
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


def _fill(sink: BinaryIO, resource: Resource, body: BinaryIO, part: ContentRange | None) -> None:
    """Write the new content: the body, or the old content with the body in its place."""
    if part is not None:
        try:
            if resource.is_file:
                with resource.open() as old:
                    shutil.copyfileobj(old, sink)
            sink.truncate(part.size)
            sink.seek(part.start)
        except OSError as exc:
            raise _NotStoredError from exc
    written = _copy(body, sink, None if part is None else part.length)
    if part is not None and written != part.length:
        raise ValueError(f"Content-Range promises {part.length} bytes, the body has {written}")


def _put_in_place(name: str, target: Path) -> None:
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
        os.chmod(name, mode)
        os.replace(name, target)
    except OSError as exc:
        raise _NotStoredError from exc


def _copy(source: BinaryIO, sink: BinaryIO, most: int | None) -> int:
    """Copy to the end of ``source``, or until there is more than ``most``; returns the number of bytes read."""
    read = 0
    while data := source.read(BLOCK):
        read += len(data)
        if most is not None and read > most:
            return read
        try:
            sink.write(data)
            sink.flush()  # a full disk is noticed here, not when the file is closed
        except OSError as exc:
            raise _NotStoredError from exc
    return read


def _umask() -> int:
    """The process's umask, read without changing it for other threads."""
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o022
