"""The directory an archive runs from: kept while it fits the archive, replaced in one step (Tomcat: ExpandWar.java)."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile

from catalina.deploy.archive import Archive
from catalina.deploy.exploding import STAGING_PREFIX, explode, is_current
from catalina.deploy.unpacking import DEFAULT_LIMITS, UnpackLimits
from catalina.errors import DeploymentError

__all__ = ["delete", "put_in_place", "stage"]

log = logging.getLogger("org.apache.catalina.startup.ExpandWar")


def stage(archive: Archive, beside: str, limits: UnpackLimits = DEFAULT_LIMITS) -> str:
    """Unpack into a new directory in ``beside``; the result's parent is the caller's to :func:`delete`.

    Raises:
        DeploymentError: the archive is refused; nothing is left.
    """
    os.makedirs(beside, exist_ok=True)
    parent = tempfile.mkdtemp(prefix=f"{STAGING_PREFIX}unpacking-", dir=beside)
    try:
        directory = os.path.join(parent, "root")
        explode(archive, directory, limits)
        if not is_current(archive.file, directory):
            raise DeploymentError(f"{archive.file}: changed while it was unpacked")
    except OSError as exc:
        delete(parent)
        raise DeploymentError(f"{archive.file}: cannot be unpacked: {exc}") from exc
    except BaseException:
        delete(parent)
        raise
    return directory


def put_in_place(staged: str, target: str) -> str | None:
    """Make ``staged`` the directory ``target``.

    Returns:
        Where the directory that stood there is now, None when there was none.
    """
    old = None
    if os.path.lexists(target):
        old = os.path.join(tempfile.mkdtemp(prefix=f"{STAGING_PREFIX}old-", dir=os.path.dirname(target)), "root")
        os.rename(target, old)
    try:
        os.rename(staged, target)
    except OSError:
        if old is not None:
            os.rename(old, target)
        raise
    shutil.rmtree(os.path.dirname(staged), ignore_errors=True)
    return old


def delete(path: str) -> bool:
    """Remove a file, a link or a whole directory; what cannot be removed is logged.

    Returns:
        Whether it is gone.
    """
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)
    except OSError as exc:
        log.error("[%s] could not be completely deleted: %s", path, exc)
    return not os.path.lexists(path)
