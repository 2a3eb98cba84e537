"""The directory an archive runs from: kept while it fits the archive, replaced in one step (Tomcat: ExpandWar.java)."""

from __future__ import annotations

import os

from catalina.deploy.archive import Archive
from catalina.deploy.brought_files import BroughtFiles
from catalina.deploy.exploding import explode, is_current
from catalina.deploy.unpacking import DEFAULT_LIMITS, UnpackLimits
from catalina.errors import DeploymentError

__all__ = ["put_in_place", "stage"]


def stage(brought: BroughtFiles, archive: Archive, beside: str, limits: UnpackLimits = DEFAULT_LIMITS) -> str:
    """Unpack into a new directory in ``beside``; the result's parent is the caller's to end (``end_stage``).

    Raises:
        DeploymentError: the archive is refused; nothing is left.
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
    """Make ``staged`` the directory ``target``. The caller knows that what stands there may go.

    Returns:
        Where the directory that stood there is now, in a stage of its own; None when there was none.

    Raises:
        OSError: it cannot be moved; all is as before.
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
