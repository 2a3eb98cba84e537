"""The directory from which an application made from an archive runs: in appBase, or in the work directory.

The directory of an archive stays while it fits the archive, and is replaced in one step (Tomcat: ExpandWar.java). The
versions of an application with processes of its own have directories beside each other in the work directory, because
the processes of two versions run at a time.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from catalina.deploy.archive import Archive
from catalina.deploy.brought_files import ARCHIVE, BroughtFiles
from catalina.deploy.declared_requirements import note_requirements
from catalina.deploy.exploding import STAGING_PREFIX, explode, has_tracker, is_current
from catalina.deploy.removal import remove
from catalina.deploy.unpacking import DEFAULT_LIMITS, UnpackLimits
from catalina.errors import DeploymentError
from catalina.loader.search_path import search_path
from catalina.startup.application_packages import declared_by, environments_of

if TYPE_CHECKING:
    from catalina.core.standard_context import StandardContext
    from catalina.core.standard_host import StandardHost

__all__ = ["ApplicationRoot", "put_in_place", "stage", "sweep_versions"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")

_PACKED = "packed"
#: The directory below an application's work directory that has one directory for each version that processes run.
_VERSIONS = "versions"


def stage(brought: BroughtFiles, archive: Archive, beside: str, limits: UnpackLimits = DEFAULT_LIMITS) -> str:
    """Unpack into a new directory in ``beside``; the caller must remove the result's parent (``end_stage``).

    Raises:
        DeploymentError: the archive is refused; nothing is left behind.
    """
    parent = None
    try:
        parent = brought.stage(beside, "unpacking")
        directory = os.path.join(parent, "root")
        explode(archive, directory, limits)
        if not is_current(archive.file, directory):
            raise DeploymentError(f"{archive.file}: changed while it was unpacked")
    except BaseException as exc:
        if parent is not None:
            brought.end_stage(parent)
        if isinstance(exc, OSError):
            raise DeploymentError(f"{archive.file}: cannot be unpacked: {exc}") from exc
        raise
    return directory


def put_in_place(brought: BroughtFiles, staged: str, target: str) -> str | None:
    """Make ``staged`` the directory ``target``. The caller knows that an existing directory may go.

    Returns:
        The new place of the earlier directory, in a stage of its own; None when there was none.

    Raises:
        OSError: the directory cannot be moved; nothing has changed.
    """
    old = None
    if os.path.lexists(target):
        aside = brought.stage(os.path.dirname(target), "old")
        old = os.path.join(aside, "root")
        try:
            os.rename(target, old)
        except OSError:
            brought.end_stage(aside)
            raise
    try:
        os.rename(staged, target)
    except OSError:
        if old is not None:
            os.rename(old, target)
            brought.end_stage(os.path.dirname(old))
        raise
    brought.end_stage(os.path.dirname(staged))
    return old


def sweep_versions(work: str, used: Collection[str] = ()) -> None:
    """Remove the directories of versions in an application's work directory, but for the used ones."""
    parent = os.path.join(work, _VERSIONS)
    try:
        names = os.listdir(parent)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if not name.startswith(STAGING_PREFIX) and os.path.join(parent, name) not in used:
            remove(os.path.join(parent, name), parent)


class ApplicationRoot:
    """The directory for one state of one archive.

    :meth:`prepare` finds the directory, or unpacks it beside its place, so that an archive that turns out to be broken
    does not touch a running version. :meth:`move_in` then puts it in its place. Close it in any case.

    Args:
        host: has the directories and limits.
        archive: the archive.
        base_name: the context's base name, which is the directory's name.
    """

    def __init__(self, host: StandardHost, archive: Archive, base_name: str) -> None:
        self.archive = archive
        self.base_name = base_name
        self._host = host
        self._brought = host.brought
        self._unpacked_place = os.path.join(os.path.abspath(host.app_base_path), base_name)
        self._work = os.path.join(os.path.abspath(host.work_path), base_name)
        self._staged: str | None = None
        self._old: str | None = None
        self._old_is_ours = True
        self._place: str | None = None
        #: The place of this version alone; None when versions follow each other in one place.
        self._apart: str | None = None
        self.directory = ""

    def place(self, unpack: bool) -> str:
        """The directory's place, in appBase or in the work directory."""
        if self._apart is not None:
            return self._apart
        return self._unpacked_place if unpack else os.path.join(self._work, _PACKED)

    def keep_apart(self) -> None:
        """Give this version a directory of its own, because processes of an earlier one go on using theirs.

        This undoes :meth:`prepare`, which has to be called again.

        Raises:
            DeploymentError: the archive has gone.
        """
        self.close()
        try:
            status = os.stat(self.archive.file)
        except OSError as exc:
            raise DeploymentError(f"{self.archive.file}: {exc.strerror}") from exc
        version = f"{status.st_mtime_ns:x}-{status.st_size:x}"
        self._apart = os.path.join(self._work, _VERSIONS, version)

    @property
    def is_apart(self) -> bool:
        """True when this version has a directory of its own."""
        return self._apart is not None

    @property
    def is_of_archive(self) -> bool:
        """True when the directory was made from the archive, and is no operator's."""
        return has_tracker(self.directory)

    def prepare(self, unpack: bool) -> str:
        """Provide the directory: the one at its place if it fits the archive, otherwise a new one staged beside it.

        A directory in appBase that was not made from an archive (it has no ``META-INF/war-tracker``) belongs to an
        operator, and runs as it is, as in Tomcat.

        Raises:
            DeploymentError: the archive is refused, or its directory's name is that of a file.
        """
        place = self.place(unpack)
        if is_current(self.archive.file, place):
            self.directory = place
            return place
        unpack = unpack and not self.is_apart
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

    def check_requirements(self, context: StandardContext) -> bool:
        """Have what the application requires installed, while an earlier version still runs.

        Args:
            context: the application's, or one with its attributes.

        Returns:
            True when packages are installed for it.

        Raises:
            DeploymentError: a requirement is missing; the text names it.
        """
        wheel = self.archive.wheel
        if wheel is not None and has_tracker(self.directory):
            note_requirements(self.directory, wheel.requirements)
        owner = self.archive.name.display_name
        declared = declared_by(owner, self.directory)
        if declared is not None and context.loader.venv is None:
            environments = environments_of(self._host, context.install_dependencies)
            kept = environments.install(owner, declared, search_path(self.directory, self._work))
            if kept is not None:
                environments.give(kept, self._work)
                return True
        return False

    def move_in(self, unpack: bool) -> str:
        """Put the directory in its place. The earlier directory is kept until :meth:`close` or :meth:`move_back`.

        An earlier directory that this server did not make, such as that of another Tomcat, is moved aside and kept for
        good.

        Raises:
            DeploymentError: the directory cannot be put there; nothing has changed.
        """
        place = self.place(unpack)
        unpack = unpack and not self.is_apart
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
        """Undo :meth:`move_in`: put the earlier directory back.

        Returns:
            False when there was no earlier directory, or nothing was moved.
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

    def withdraw(self) -> None:
        """Undo :meth:`move_in` to a place where no earlier version was: remove the directory, if it was made here."""
        if self._place == self._unpacked_place:
            self._brought.discard(self._place)
        elif self._place is not None:
            remove(self._place, os.path.dirname(self._place))

    def sweep(self, used: Collection[str] = ()) -> None:
        """Remove directories of earlier versions that were kept apart, but for this one's and the used ones.

        A version that runs apart has nothing in appBase: what this server has unpacked there is of an earlier one.
        """
        sweep_versions(self._work, {self.directory, *used})
        if self.is_apart and self._brought.brought_by(self._unpacked_place) == ARCHIVE:
            self._brought.discard(self._unpacked_place)

    def close(self) -> None:
        """Remove directories that neither run nor will run again."""
        if self._staged is not None:
            self._brought.end_stage(os.path.dirname(self._staged))
            self._staged = None
        self._end_old()

    def _end_old(self) -> None:
        if self._old is not None and self._old_is_ours:
            self._brought.end_stage(os.path.dirname(self._old))
        self._old, self._old_is_ours = None, True
