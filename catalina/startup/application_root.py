"""Where an application made from an archive runs: a directory in appBase, or one in the work directory."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from catalina.deploy.archive import Archive
from catalina.deploy.brought_files import ARCHIVE
from catalina.deploy.dependencies import install_dependencies
from catalina.deploy.exploding import has_tracker, is_current
from catalina.deploy.removal import remove
from catalina.deploy.requirements import Missing, missing_requirements
from catalina.deploy.unpacking import UnpackLimits
from catalina.deploy.wheel import Wheel
from catalina.errors import DeploymentError
from catalina.loader.search_path import DEPENDENCIES, search_path
from catalina.startup.expand_war import put_in_place, stage

if TYPE_CHECKING:
    from catalina.core.standard_host import StandardHost

__all__ = ["ApplicationRoot"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

_PACKED = "packed"

#: Behind the names of what an archive requires and nobody has.
CURE = (
    '. Set installDependencies="true" on the Host or the Context, and pip installs it for this application; or put it '
    "into WEB-INF/lib; or install it into the server's own Python environment"
)


class ApplicationRoot:
    """The directory for one state of one archive.

    Opened by :meth:`prepare`, which finds or unpacks it beside its place, so that a running version is not touched by
    an archive that turns out to be broken; :meth:`move_in` then puts it where it runs. Close it in any case.

    Args:
        host: gives the directories and limits.
        archive: the archive.
        base_name: the context's base name, which the directory gets.
    """

    def __init__(self, host: StandardHost, archive: Archive, base_name: str) -> None:
        self.archive = archive
        self._host = host
        self._brought = host.brought
        self._unpacked_place = os.path.join(os.path.abspath(host.app_base_path), base_name)
        self._work = os.path.join(os.path.abspath(host.work_path), base_name)
        self._staged: str | None = None
        self._old: str | None = None
        self._old_is_ours = True
        self._place: str | None = None
        self.directory = ""

    def place(self, unpack: bool) -> str:
        """Where the directory belongs, unpacked into appBase or not."""
        return self._unpacked_place if unpack else os.path.join(self._work, _PACKED)

    def prepare(self, unpack: bool) -> str:
        """The directory's content, where it is now: at its place if that fits the archive, else staged beside it.

        A directory in appBase that was made from no archive (it has no ``META-INF/war-tracker``) is an operator's,
        and runs as it is, as in Tomcat.

        Raises:
            DeploymentError: the archive is refused, or its directory's name is that of a file.
        """
        place = self.place(unpack)
        if is_current(self.archive.file, place):
            self.directory = place
            return place
        if unpack and os.path.lexists(place):
            if not os.path.isdir(place):
                raise DeploymentError(f"{self.archive.file}: cannot be unpacked, [{place}] is in the way")
            if not has_tracker(place):
                log.warning("The directory [%s] was not made from the archive [%s] beside it; it is kept and used as "
                            "it is. Remove it to have the archive unpacked.", place, self.archive.file)  # fmt: skip
                self.directory = place
                return place
        limits = UnpackLimits(self._host.max_unpacked_size, self._host.max_unpacked_files, self._host.max_unpack_ratio)
        self._staged = self.directory = stage(self._brought, self.archive, os.path.dirname(place), limits)
        return self._staged

    def check_requirements(self, install: bool) -> None:
        """Make sure that what the wheel requires is there; pip installs it into the work directory when ``install``.

        Raises:
            DeploymentError: something is missing; the text names it.
        """
        wheel = self.archive.wheel
        if wheel is None or not wheel.requirements:
            return
        missing = self._missing(wheel)
        if missing and install:
            wanted = {str(each.root): each.root for each in missing}
            install_dependencies(self.archive.file, list(wanted.values()), self._dependencies)
            missing = self._missing(wheel)
        if missing:
            cure = "" if install else CURE
            raise DeploymentError(
                f"{self.archive.file}: requires what is not here: {'; '.join(each.text for each in missing)}{cure}"
            )

    @property
    def _dependencies(self) -> str:
        return os.path.join(self._work, DEPENDENCIES)

    def _missing(self, wheel: Wheel) -> list[Missing]:
        return missing_requirements(wheel.requirements, search_path(self.directory, self._work), sys.path)

    def move_in(self, unpack: bool) -> str:
        """Put the directory where it runs; what was there is kept until :meth:`close` or :meth:`move_back`.

        A directory that was there and was not brought by this server, such as that of another Tomcat, is moved aside
        and kept for good.

        Raises:
            DeploymentError: it cannot be put there; all is as before.
        """
        place = self.place(unpack)
        if self._staged is not None:
            aside = None
            if unpack:
                if os.path.lexists(place) and self._brought.brought_by(place) is None:
                    aside = self._brought.set_aside(place)
                self._brought.note(place, ARCHIVE, self._staged)
            try:
                self._old = put_in_place(self._brought, self._staged, place)
            except OSError as exc:
                raise DeploymentError(f"{self.archive.file}: cannot be put into [{place}]: {exc.strerror}") from exc
            if aside is not None:
                self._old, self._old_is_ours = aside, False
            self._staged = None
            self._place = place
        self.directory = place
        return place

    def move_back(self) -> bool:
        """Undo :meth:`move_in`: the directory that stood there stands there again.

        Returns:
            False when there was none, or nothing was moved.
        """
        if self._old is None or self._place is None:
            return False
        unpacked = self._place == self._unpacked_place
        if unpacked and self._old_is_ours:
            self._brought.note(self._place, ARCHIVE, self._old)
        remove(self._place, os.path.dirname(self._place))
        os.rename(self._old, self._place)
        self._end_old()
        return True

    def close(self) -> None:
        """Remove what is neither running nor to run again."""
        if self._staged is not None:
            self._brought.end_stage(os.path.dirname(self._staged))
            self._staged = None
        self._end_old()

    def _end_old(self) -> None:
        if self._old is not None and self._old_is_ours:
            self._brought.end_stage(os.path.dirname(self._old))
        self._old, self._old_is_ours = None, True
