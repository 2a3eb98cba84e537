"""The access log in rotating files (Tomcat: valves/AccessLogValve.java)."""

from __future__ import annotations

import codecs
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalina.attributes import Attribute
from catalina.errors import LifecycleError
from catalina.operations import operation
from catalina.simple_date_format import date_formatter
from catalina.valves.abstract_access_log_valve import AbstractAccessLogValve
from catalina.valves.log_file import LogFile

__all__ = ["AccessLogValve"]

log = logging.getLogger("org.apache.catalina.valves.AccessLogValve")

SECONDS_A_DAY = 24 * 60 * 60


class AccessLogValve(AbstractAccessLogValve):
    """Writes the access log to ``directory/prefix + date + suffix``.

    Lines are written to disk on the container's background tick (10 s by default) or when 600 of them wait; with
    ``buffered="false"`` each is written at once.
    """

    directory = Attribute(str, "logs", doc="Directory of the files; a relative one is below CATALINA_BASE.")
    prefix = Attribute(str, "access_log", doc="Start of the file name.")
    suffix = Attribute(str, "", doc="End of the file name.")
    rotatable = Attribute(bool, True, doc="Start a new file when the date in the name changes.")
    rename_on_rotate = Attribute(
        bool, False, doc="Write to a name without date, and put the date into it only when the file is finished."
    )
    file_date_format = Attribute(
        str, ".yyyy-MM-dd", doc="Date in the name (SimpleDateFormat); sets how often it rotates."
    )
    encoding = Attribute(str, "UTF-8", doc="Charset of the file.")
    buffered = Attribute(bool, True, doc="Collect lines; false costs a system call per request.")
    check_exists = Attribute(bool, False, doc="Look each second whether somebody removed the file, and make it again.")
    max_days = Attribute(int, -1, unit="days", doc="Older files of this log are deleted; -1 keeps them for ever.")

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._file: LogFile | None = None
        self._old_files_checked_for: Path | None = None

    def _start(self) -> None:
        super()._start()
        stamp = self._stamp_function()
        self._file = LogFile(
            path_for=lambda date: self._path("" if self.rename_on_rotate else date),
            stamp=stamp,
            renamed_to=self._path if self.rename_on_rotate else None,
            buffered=self.buffered,
            check_exists=self.check_exists,
            encoding=self._known_encoding(),
            header=self._header,
            clock=self._seconds,
        )
        if self.rotatable and self.rename_on_rotate:
            self._restore(stamp(self._seconds()))
        self._file.open()

    def _stop(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def write(self, line: str) -> None:
        """Add one line to the file."""
        if self._file is not None:
            self._file.write(line)

    @operation(name="rotate")
    def rotate_now(self) -> None:
        """Switch to today's file, if the open file is of another day or has gone."""
        if self._file is not None:
            self._file.rotate_if_due()

    @operation(new_file_name="the name that the present file gets")
    def rotate(self, new_file_name: str) -> bool:
        """Rename the current file and start a new one (operation of the MBean). Returns False when no file is open."""
        return self._file is not None and self._file.rotate_to(Path(new_file_name))

    def background_process(self) -> None:
        """Write the waiting lines; after a rotation also delete files older than ``maxDays``."""
        file = self._file
        if file is None:
            return
        file.flush()
        if self.rotatable and self.max_days > 0 and file.path != self._old_files_checked_for:
            self._old_files_checked_for = file.path
            self._delete_old_files()

    def _header(self) -> str:
        """The first lines of a new file."""
        return ""

    def _seconds(self) -> float:
        return self.clock() / 1e9

    def _stamp_function(self) -> Callable[[float], str]:
        if not self.rotatable:
            return lambda _now: ""
        try:
            format_date = date_formatter(self.file_date_format)
        except ValueError as error:
            raise LifecycleError(f"{self}: fileDateFormat={self.file_date_format!r}: {error}") from error
        return lambda now: format_date(int(now * 1000))

    def _known_encoding(self) -> str:
        encoding = self.encoding or "UTF-8"
        try:
            codecs.lookup(encoding)
        except LookupError:
            log.error("Failed to set encoding to [%s], will use UTF-8.", encoding)
            return "UTF-8"
        return encoding

    def _directory_path(self) -> Path:
        directory = Path(self.directory)
        server = self.container.server if self.container is not None else None
        return directory if directory.is_absolute() or server is None else Path(server.catalina_base) / directory

    def _path(self, date: str) -> Path:
        return self._directory_path() / f"{self.prefix}{date}{self.suffix}"

    def _restore(self, date: str) -> None:
        """After a restart on the same day, continue the file that stop() or a crash left under its dated name."""
        plain, dated = self._path(""), self._path(date)
        if dated != plain and dated.exists() and not plain.exists():
            try:
                dated.rename(plain)
            except OSError:
                log.exception("Failed to rename access log from [%s] to [%s]", dated, plain)

    def _delete_old_files(self) -> None:
        if not self.prefix and not self.suffix:
            return  # every file of the directory would match
        oldest = time.time() - self.max_days * SECONDS_A_DAY
        directory = self._directory_path()
        for path in directory.iterdir() if directory.is_dir() else ():
            name = path.name
            if not (name.startswith(self.prefix) and name.endswith(self.suffix) and path.is_file()):
                continue
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)
            except OSError as error:
                log.warning("Failed to delete old access log [%s]: %s", path, error)
