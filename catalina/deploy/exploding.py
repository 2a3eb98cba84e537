"""Makes from an archive the directory from which it runs; wheels get the WAR layout.

A wheel's packages go to ``WEB-INF/lib``, its own ``WEB-INF`` and static files to the root. A wheel without a web.xml
gets one that maps its WSGI callable to ``/*``. After that a wheel is a web application like any other.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from xml.sax.saxutils import escape

from catalina.deploy.archive import Archive
from catalina.deploy.brought_files import TRACKER, write_tracker
from catalina.deploy.unpacking import DEFAULT_LIMITS, UnpackLimits, unpack
from catalina.deploy.wheel import EntryPoint, Wheel
from catalina.deploy.wheel_install import library_place
from catalina.util.path_names import RESERVED_PREFIX

__all__ = ["STAGING_PREFIX", "explode", "has_tracker", "is_current", "mark_current"]

#: Files and directories with this prefix are work in progress, or were moved aside; they are never deployed.
STAGING_PREFIX = RESERVED_PREFIX

_WEB_XML = """\
<?xml version="1.0" encoding="UTF-8"?>
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
  <display-name>{title}</display-name>{distributable}
  <servlet>
    <servlet-name>application</servlet-name>
    <servlet-class>{target}</servlet-class>
    <load-on-startup>1</load-on-startup>
  </servlet>
  <servlet-mapping>
    <servlet-name>application</servlet-name>
    <url-pattern>/*</url-pattern>
  </servlet-mapping>
</web-app>
"""


def explode(archive: Archive, target: str, limits: UnpackLimits = DEFAULT_LIMITS) -> None:
    """Unpack into the new directory ``target``.

    Raises:
        DeploymentError: the archive is refused; nothing is left behind.
    """
    wheel = archive.wheel
    if wheel is None:
        unpack(archive.file, target, limits)
    else:
        unpack(archive.file, target, limits, _wheel_place(wheel, archive.web_root))
        if archive.target is not None:
            _write_web_xml(target, wheel, archive.target)
    mark_current(archive.file, target)


def mark_current(file: str, directory: str) -> None:
    """Note that the directory was made from this state of the archive."""
    stat = os.stat(file)
    write_tracker(directory, stat.st_size, stat.st_mtime_ns)


def is_current(file: str, directory: str) -> bool:
    """True when the directory was made from this state of the archive."""
    try:
        tracker, stat = os.stat(os.path.join(directory, TRACKER)), os.stat(file)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return tracker.st_mtime_ns == stat.st_mtime_ns


def has_tracker(directory: str) -> bool:
    """True when a directory claims to be made from an archive, by this server or another one."""
    return os.path.isfile(os.path.join(directory, TRACKER))


def _wheel_place(wheel: Wheel, web_root: str | None) -> Callable[[str], str | None]:
    in_library = library_place(wheel)
    static = _static_names(wheel, web_root) if web_root is not None else frozenset()

    def place(name: str) -> str | None:
        if web_root is not None and name in static:
            return name.removeprefix(web_root)
        inner = in_library(name)
        return None if inner is None else f"WEB-INF/lib/{inner}"

    return place


def _static_names(wheel: Wheel, web_root: str) -> frozenset[str]:
    """The names in the document root: WEB-INF, META-INF, and entries beside them that contain no code."""
    beside: dict[str, list[str]] = {}
    for name in wheel.names:
        if name.startswith(web_root):
            beside.setdefault(name.removeprefix(web_root).partition("/")[0], []).append(name)
    found: set[str] = set()
    for top, names in beside.items():
        if top in ("WEB-INF", "META-INF") or not (_is_description(top) or any(map(_is_code, names))):
            found.update(names)
    return frozenset(found)


def _is_description(top: str) -> bool:
    return top.endswith((".dist-info", ".data")) or top == "py.typed"


def _is_code(name: str) -> bool:
    return name.endswith((".py", ".pyi", ".pyc", ".so", ".pyd", ".pth"))


def _write_web_xml(target: str, wheel: Wheel, callable_: EntryPoint) -> None:
    text = _WEB_XML.format(
        title=escape(f"{wheel.name} {wheel.version}"),
        target=escape(callable_.target),
        distributable="\n  <distributable/>" if callable_.distributable else "",
    )
    os.makedirs(os.path.join(target, "WEB-INF"), exist_ok=True)
    with open(os.path.join(target, "WEB-INF", "web.xml"), "w", encoding="utf-8") as sink:
        sink.write(text)
