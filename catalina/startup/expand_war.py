"""Keeps the directory of an archive while it fits the archive, and replaces it in one step (Tomcat: ExpandWar.java)."""

from __future__ import annotations

import os

from catalina.deploy.archive import Archive
from catalina.deploy.brought_files import BroughtFiles
from catalina.deploy.exploding import explode, is_current
from catalina.deploy.unpacking import DEFAULT_LIMITS, UnpackLimits
from catalina.errors import DeploymentError

__all__ = ["put_in_place", "stage"]


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
