"""Texts by which the mapper orders the versions of one application (Tomcat: mapper/Mapper.java compares texts).

``##9`` is newer than ``##10``, as in Tomcat. The version of a wheel follows PEP 440, by which 10 is newer than 9, and
1.0rc1 older than 1.0. So a wheel gets a key whose text order is that of PEP 440. The version of a wheel is newer than a
version that is no wheel's.
"""

from __future__ import annotations

from packaging.version import Version

__all__ = ["version_key"]

_WHEEL = "~"  # sorts behind every character that begins a usual version
_NUMBER = "{:020d}"


def version_key(text: str, of_wheel: bool) -> str:
    """The key for ``StandardContext.version_key``.

    Raises:
        packaging.version.InvalidVersion: the wheel's version does not follow PEP 440.
    """
    return _WHEEL + _sortable(Version(text)) if of_wheel else text


def _sortable(version: Version) -> str:
    """Epoch, release without trailing zeros, and the rest, each in a form that keeps the order.

    Behind a release sorts: ``.dev`` < ``a`` < ``b`` < ``rc`` < nothing < ``.post``; a local version is the newer one.
    """
    release = list(version.release)
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    numbers = ".".join(_NUMBER.format(number) for number in release)
    pre = f"b{version.pre[0]}{_NUMBER.format(version.pre[1])}" if version.pre is not None else "c"
    if version.pre is None and version.post is None and version.dev is not None:
        pre = "a"  # 1.0.dev1 is older than 1.0a1
    post = "a" if version.post is None else "b" + _NUMBER.format(version.post)
    dev = "b" if version.dev is None else "a" + _NUMBER.format(version.dev)
    local = "" if version.local is None else "+" + ".".join(_local(part) for part in version.local.split("."))
    return f"{_NUMBER.format(version.epoch)}!{numbers}!{pre}!{post}!{dev}!{local}"


def _local(part: str) -> str:
    return "b" + _NUMBER.format(int(part)) if part.isdigit() else "a" + part
