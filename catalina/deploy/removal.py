"""Deletes a file or directory that lies directly in one of our directories, and nothing else."""

from __future__ import annotations

import logging
import os
import shutil
import stat
from collections.abc import Iterable

from catalina.errors import DeploymentError
from catalina.util.path_names import RESERVED_PREFIX, checked_name

__all__ = ["check_removable", "remove"]

log = logging.getLogger("org.apache.catalina.startup.HostConfig")


def remove(path: str, inside: str, keep: Iterable[str] = ()) -> bool:
    """Delete ``path``, which must be a name directly in ``inside``; this function checks that itself.

    A link is deleted, never its target. So the directory itself, its parents and everything beside it stay, whatever
    the name is. A refusal or failure is logged.

    Args:
        path: a file, link or directory; its last part is checked like every name from outside.
        inside: the directory in which it must lie.
        keep: places that must not be deleted, nor anything that contains one of them.

    Returns:
        True when nothing is there any more.
    """
    try:
        directory = check_removable(path, inside, keep)
    except (DeploymentError, OSError, ValueError) as exc:
        log.error("[%r] is not deleted: %s", path, exc)
        return False
    name = os.path.basename(path)
    try:
        parent = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError as exc:
        log.error("[%s] could not be completely deleted: %s", path, exc)
        return False
    try:
        if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            shutil.rmtree(name, dir_fd=parent)
        else:
            os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        return True
    except OSError as exc:
        log.error("[%s] could not be completely deleted: %s", path, exc)
        return False
    finally:
        os.close(parent)
    return True


def check_removable(path: str, inside: str, keep: Iterable[str] = ()) -> str:
    """The resolved directory of ``path``; the arguments are those of :func:`remove`.

    Raises:
        DeploymentError: ``path`` must stay.
    """
    name = os.path.basename(path)
    checked_name(name.removeprefix(RESERVED_PREFIX), "name", path, limit=255)
    directory = os.path.realpath(inside)
    if os.path.realpath(os.path.dirname(path)) != directory:
        raise DeploymentError(f"it does not lie directly in [{inside}]")
    target = os.path.join(directory, name)
    for each in keep:
        kept = os.path.realpath(each)
        if kept == target or kept.startswith(target + os.sep):
            raise DeploymentError(f"the server's own [{kept}] is it or lies in it")
    return directory
