"""Places the files of a wheel: packages, its ``.data`` directory, and the copies made of wheels in WEB-INF/lib."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable

from catalina.deploy.unpacking import DEFAULT_LIMITS, UnpackLimits, open_archive, unpack
from catalina.deploy.wheel import Wheel, read_wheel
from catalina.deploy.wheel_tags import check_tags

__all__ = ["install_wheel_cached", "library_place"]


def library_place(wheel: Wheel) -> Callable[[str], str | None]:
    """The place of an entry below a directory on the import path; None for scripts, headers and data (PEP 427)."""
    data = wheel.data_directory

    def place(name: str) -> str | None:
        if not name.startswith(data):
            return name
        kind, _, rest = name.removeprefix(data).partition("/")
        return rest or None if kind in ("purelib", "platlib") else None

    return place


def install_wheel_cached(file: str, cache: str, limits: UnpackLimits = DEFAULT_LIMITS) -> str:
    """A directory with the wheel's packages. It is made once for each state of the file; older ones are removed.

    Raises:
        DeploymentError: the wheel is broken, too large, or not for this interpreter.
    """
    stat = os.stat(file)
    stem = os.path.basename(file)
    target = os.path.join(cache, f"{stem}.{stat.st_mtime_ns:x}-{stat.st_size:x}")
    if os.path.isdir(target):
        return target
    with open_archive(file) as archive:
        wheel = read_wheel(file, archive)
    check_tags(wheel)
    os.makedirs(cache, exist_ok=True)
    staging = os.path.join(tempfile.mkdtemp(prefix=".installing-", dir=cache), "wheel")
    try:
        unpack(file, staging, limits, library_place(wheel))
        for old in [name for name in os.listdir(cache) if name.startswith(f"{stem}.")]:
            shutil.rmtree(os.path.join(cache, old))
        os.rename(staging, target)
    finally:
        shutil.rmtree(os.path.dirname(staging), ignore_errors=True)
    return target
