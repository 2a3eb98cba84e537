"""One file or directory of an application, or the lack of one (Tomcat: WebResource.java)."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from werkzeug.http import http_date

__all__ = ["ArchiveResource", "FileResource", "Resource"]


@dataclass(slots=True)
class Resource:
    """A file or directory at a path of the application. This class itself stands for a missing one.

    Args:
        path: inside the application, with leading slash.
        size: bytes of a file.
        mtime_ms: last change, milliseconds since 1970.
        file: its path in the file system; None inside an archive.
    """

    path: str
    size: int = 0
    mtime_ms: int = 0
    exists: bool = False
    is_file: bool = False
    is_directory: bool = False
    file: Path | None = None
    #: The content of a small file, kept by the cache.
    content: bytes | None = field(default=None, repr=False)
    _strong: str | None = field(default=None, repr=False)
    _weak: str | None = field(default=None, repr=False)
    _date: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rstrip("/").rpartition("/")[2]

    @property
    def etag(self) -> str:
        """Weak, as Tomcat makes it: size (-1 for a directory) and time of change."""
        if self._weak is None:
            self._weak = f'W/"{-1 if self.is_directory else self.size}-{self.mtime_ms}"'
        return self._weak

    @property
    def last_modified(self) -> str:
        """The time of the last change as HTTP writes it."""
        if self._date is None:
            self._date = http_date(self.mtime_ms // 1000)
        return self._date

    @property
    def strong_etag(self) -> str:
        """A hash of the content, the weak tag of a directory (Tomcat: AbstractResource.getStrongETag, SHA-256 in hex).

        Raises OSError: the file cannot be read.
        """
        if not self.is_file:
            return self.etag
        if self._strong is None:
            digest = hashlib.sha256(usedforsecurity=False)
            with self.open() as stream:
                while data := stream.read(65536):
                    digest.update(data)
            self._strong = f'"{digest.hexdigest()}"'
        return self._strong

    def open(self) -> BinaryIO:
        """The content from its first byte. Raises OSError when there is none (any more)."""
        raise FileNotFoundError(self.path)

    def read(self) -> bytes:
        """The whole content. Raises OSError."""
        if self.content is not None:
            return self.content
        with self.open() as stream:
            return stream.read()

    @property
    def can_read(self) -> bool:
        """True when the process may read it."""
        return self.exists


@dataclass(slots=True)
class FileResource(Resource):
    """A file or directory of the file system."""

    @classmethod
    def of(cls, path: str, file: Path) -> Resource:
        """The resource for ``file``. Links in its path have been checked already."""
        try:
            status = file.stat()
        except (OSError, ValueError):
            return Resource(path)
        is_directory = stat.S_ISDIR(status.st_mode)
        is_file = stat.S_ISREG(status.st_mode)
        if not is_directory and not is_file:
            return Resource(path)  # a socket or a device, which nobody shall read
        return cls(path, status.st_size, status.st_mtime_ns // 1_000_000, True, is_file, is_directory, file)

    def open(self) -> BinaryIO:
        return open(self.file or self.path, "rb")

    @property
    def can_read(self) -> bool:
        return self.content is not None or (self.file is not None and os.access(self.file, os.R_OK))


@dataclass(slots=True)
class ArchiveResource(Resource):
    """An entry of an archive."""

    archive: Path = Path()
    entry: str = ""

    def open(self) -> BinaryIO:
        try:
            with ZipFile(self.archive) as archive:
                return io.BytesIO(archive.read(self.entry))
        except (BadZipFile, KeyError) as exc:
            raise OSError(f"{self.archive}: cannot read {self.entry!r}: {exc}") from exc
