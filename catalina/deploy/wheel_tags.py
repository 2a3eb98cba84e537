"""Decides if a wheel runs on this interpreter, as pip does: platform tags and Requires-Python."""

from __future__ import annotations

import platform
from functools import lru_cache

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import sys_tags

from catalina.deploy.wheel import Wheel
from catalina.errors import DeploymentError

__all__ = ["check_tags"]


@lru_cache(maxsize=1)
def _supported() -> tuple[str, ...]:
    return tuple(str(tag) for tag in sys_tags())


def check_tags(wheel: Wheel) -> None:
    """Raises DeploymentError, with the reason, when this interpreter cannot run the wheel."""
    supported = _supported()
    if wheel.tags.isdisjoint(supported):
        raise DeploymentError(
            f"{wheel.file}: built for {', '.join(sorted(wheel.tags))}; this is {platform.python_implementation()} "
            f"{platform.python_version()} with {supported[0]}"
        )
    try:
        fits = SpecifierSet(wheel.requires_python).contains(platform.python_version(), prereleases=True)
    except InvalidSpecifier as exc:
        raise DeploymentError(f"{wheel.file}: Requires-Python {wheel.requires_python!r} cannot be read: {exc}") from exc
    if not fits:
        raise DeploymentError(
            f"{wheel.file}: requires Python {wheel.requires_python}, this is {platform.python_version()}"
        )
