"""The common part of sets of resources (Tomcat: webresources/AbstractResourceSet.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from catalina.attributes import Attribute
from catalina.lifecycle import Lifecycle

if TYPE_CHECKING:
    from pathlib import Path

    from catalina.webresources.resource import Resource

__all__ = ["ResourceSet"]


class SetRoot(Protocol):
    """The ``<Resources>`` that the set is in."""

    @property
    def catalina_base(self) -> Path: ...

    @property
    def follows_links(self) -> bool: ...


class ResourceSet(Lifecycle):
    """Files that appear somewhere in an application."""

    base = Attribute(str, "", doc="Directory, file or archive, absolute or relative to CATALINA_BASE.")
    internal_path = Attribute(str, "/", doc="Where in the base the resources begin.")
    web_app_mount = Attribute(str, "/", doc="Where in the application they appear.")
    read_only = Attribute(bool, False, doc="Nothing is written here; always so in archives.")
    class_loader_only = Attribute(bool, False, doc="Not served, only on the import path.")
    static_only = Attribute(bool, False, doc="Served, but not on the import path.")
    allow_linking = Attribute(
        bool, None, doc="Follow links that lead out of the base; as <Resources> says if not given."
    )

    root: SetRoot | None = None

    def __str__(self) -> str:
        return f"{type(self).__name__}[{self.base}]"

    @property
    def mount(self) -> str:
        """``webAppMount`` without a slash at the end; empty for the root of the application."""
        mount = self.web_app_mount.rstrip("/")
        return mount if not mount or mount.startswith("/") else "/" + mount

    def code(self) -> str | None:
        """The directory or wheel from which the application imports through this set; None when there is none.

        That is a set that is mounted at ``/WEB-INF/classes`` or ``/WEB-INF/lib``, unless it is static only.
        """
        return None

    def inner_path(self, path: str) -> str | None:
        """The part of an application's path below the mount, with leading slash; None when it is not below."""
        mount = self.mount
        if path == mount or path.startswith(mount + "/"):
            return path[len(mount) :] or "/"
        return None

    def get(self, path: str) -> Resource | None:
        """The resource at the path, None when this set has none there."""
        raise NotImplementedError

    def names(self, path: str) -> set[str]:
        """Names in a directory, ``path`` ending with a slash; empty for none."""
        raise NotImplementedError

    def mounts_below(self, path: str) -> set[str]:
        """The next part of the mount when it is below a directory, because it appears in listings."""
        mount = self.mount
        if mount.startswith(path) and mount != path.rstrip("/"):
            return {mount[len(path) :].partition("/")[0]}
        return set()
