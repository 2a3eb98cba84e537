"""Unpacks a zip that somebody else made, within limits.

Refused are absolute and ``..`` paths, names with control characters, links that leave the directory, special files,
encrypted entries, and archives that become too large (a bomb shows while it is unpacked, by the bytes that really come
out). Nothing is left of a refused archive.
"""

from __future__ import annotations

import calendar
import lzma
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from catalina.errors import CatalinaError, DeploymentError
from catalina.util.path_names import checked_name

__all__ = ["DEFAULT_LIMITS", "UnpackLimits", "open_archive", "unpack"]

_CHUNK = 1 << 16
#: Below this size the ratio is not checked: small archives of long runs of zeros are harmless.
_RATIO_COUNTS_FROM = 16 * 2**20
_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, struct.error, NotImplementedError, UnicodeError)


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """The limits of an unpacked archive.

    Args:
        max_bytes: the unpacked size of all files together.
        max_files: number of entries.
        max_ratio: unpacked size by archive size, counted once 16 MiB have come out.
    """

    max_bytes: int = 4 * 2**30
    max_files: int = 100_000
    max_ratio: int = 200


DEFAULT_LIMITS = UnpackLimits()


def _time_of(info: zipfile.ZipInfo) -> int:
    """An entry's time in seconds since 1970, taken for UTC; 0 for a date that does not exist."""
    try:
        return calendar.timegm((*info.date_time, 0, 0, 0))
    except ValueError:
        return 0


@contextmanager
def open_archive(file: str) -> Iterator[zipfile.ZipFile]:
    """Open an archive. Every fault becomes a DeploymentError with the archive's name and a one-line reason."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except _BROKEN as exc:
        raise DeploymentError(f"{file}: not a usable zip archive: {str(exc) or type(exc).__name__}") from exc
    except RuntimeError as exc:  # zipfile raises it for encrypted entries
        raise DeploymentError(f"{file}: {exc}") from exc
    except OSError as exc:
        raise DeploymentError(f"{file}: cannot be read: {exc.strerror or exc}") from exc
    except CatalinaError:
        raise
    except Exception as exc:  # an archive can make the readers of zips, headers and sources raise anything
        raise DeploymentError(f"{file}: refused: {type(exc).__name__}: {exc}") from exc


def unpack(
    file: str,
    target: str,
    limits: UnpackLimits = DEFAULT_LIMITS,
    rename: Callable[[str], str | None] = lambda name: name,
) -> None:
    """Unpack into the new directory ``target``. Files keep their times in the archive, taken for UTC on every node.

    Args:
        rename: returns the path of an entry below the target, or None to leave it out. The result is checked, too.

    Raises:
        DeploymentError: the archive is refused; ``target`` is removed.
    """
    os.makedirs(target)
    try:
        with open_archive(file) as archive:
            _Unpacking(file, archive, os.path.realpath(target), limits).run(rename)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


class _Unpacking:
    """One archive that is being unpacked into a directory."""

    def __init__(self, file: str, archive: zipfile.ZipFile, target: str, limits: UnpackLimits) -> None:
        self.file = file
        self.archive = archive
        self.target = target
        self.limits = limits
        self.archive_size = os.path.getsize(file)
        self.written = 0
        self.links: list[tuple[str, zipfile.ZipInfo]] = []

    def run(self, rename: Callable[[str], str | None]) -> None:
        entries = list({info.filename: info for info in self.archive.infolist()}.values())
        if len(entries) > self.limits.max_files:
            raise self._refused(f"{len(entries)} entries, limit {self.limits.max_files}")
        for info in entries:
            self._checked(info.filename)
            name = rename(info.filename)
            if name is not None:
                self._unpack_entry(info, self._checked(name))
        for place, info in self.links:
            self._make_link(place, info)
        for place, info in self.links:
            if not self._inside(os.path.realpath(place)):
                raise self._refused(f"link {info.filename!r} leaves the archive's directory")

    def _checked(self, name: str) -> str:
        """The checked path of an entry below the target."""
        parts = name.rstrip("/").split("/")
        if name.startswith("/") or (len(name) > 1 and name[1] == ":"):
            raise self._refused(f"absolute path {name!r}")
        for part in parts:
            checked_name(part, f"part of {name[:80]!r}", self.file, limit=255)
        return os.path.join(self.target, *parts)

    def _unpack_entry(self, info: zipfile.ZipInfo, place: str) -> None:
        mode = info.external_attr >> 16
        kind = stat.S_IFMT(mode)
        if info.is_dir():
            os.makedirs(place, exist_ok=True)
        elif kind == stat.S_IFLNK:
            self.links.append((place, info))
        elif kind not in (0, stat.S_IFREG):
            raise self._refused(f"{info.filename!r} is neither file, directory nor link")
        else:
            self._write_file(info, place, mode)

    def _write_file(self, info: zipfile.ZipInfo, place: str, mode: int) -> None:
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with self.archive.open(info) as source, open(place, "wb") as sink:
                self._copy(info, source, sink)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise self._refused(f"{info.filename!r} is both file and directory") from None
        if mode & stat.S_IXUSR:
            os.chmod(place, os.stat(place).st_mode | stat.S_IXUSR)
        when = _time_of(info)
        os.utime(place, (when, when))

    def _copy(self, info: zipfile.ZipInfo, source: IO[bytes], sink: IO[bytes]) -> None:
        allowed_by_ratio = max(_RATIO_COUNTS_FROM, self.limits.max_ratio * self.archive_size)
        while chunk := source.read(_CHUNK):
            self.written += len(chunk)
            if self.written > self.limits.max_bytes:
                raise self._refused(f"more than {self.limits.max_bytes} bytes unpacked, at {info.filename!r}")
            if self.written > allowed_by_ratio:
                raise self._refused(
                    f"unpacks to more than {self.limits.max_ratio} times its {self.archive_size} bytes, "
                    f"at {info.filename!r}"
                )
            sink.write(chunk)

    def _make_link(self, place: str, info: zipfile.ZipInfo) -> None:
        if info.file_size > 4096:
            raise self._refused(f"link {info.filename!r} with a target of {info.file_size} bytes")
        to = self.archive.read(info).decode("utf-8")
        beside = os.path.dirname(place)
        if not to or to.startswith("/") or not self._inside(os.path.normpath(os.path.join(beside, to))):
            raise self._refused(f"link {info.filename!r} to {to!r} leaves the archive's directory")
        checked_name(to.replace("/", ""), f"target of link {info.filename!r}", self.file, limit=4096)
        there = beside  # a link made before may stand on the way: nothing is made behind one
        while not os.path.lexists(there):
            there = os.path.dirname(there)
        if os.path.realpath(there) != there:
            raise self._refused(f"link {info.filename!r} stands behind another link")
        os.makedirs(beside, exist_ok=True)
        if os.path.lexists(place):
            raise self._refused(f"{info.filename!r} is both link and file")
        os.symlink(to, place)

    def _inside(self, path: str) -> bool:
        return path == self.target or path.startswith(self.target + os.sep)

    def _refused(self, why: str) -> DeploymentError:
        return DeploymentError(f"{self.file}: refused: {why}")
