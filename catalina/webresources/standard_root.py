"""All files of an application as one tree (Tomcat: webresources/StandardRoot.java).

The first set that has the path answers, in this order: PreResources, the application's own directory,
``META-INF/resources`` of the archives in WEB-INF/lib, JarResources, PostResources.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from zipfile import BadZipFile, ZipFile

from catalina.attributes import Attribute, Component, Element, choice
from catalina.connector.uri import normalize
from catalina.lifecycle import Lifecycle
from catalina.webresources.dir_resource_set import DirResourceSet
from catalina.webresources.empty_resource_set import EmptyResourceSet
from catalina.webresources.jar_resource_set import JarResourceSet
from catalina.webresources.resource import Resource
from catalina.webresources.resource_cache import ResourceCache
from catalina.webresources.resource_set import ResourceSet
from catalina.webresources.unserved_names import is_unserved, is_unserved_name

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["StandardRoot"]

log = logging.getLogger("org.apache.catalina.webresources.StandardRoot")

KIB = 1024
LIBRARIES = (".whl", ".zip", ".jar")


class RootHost(Protocol):
    """The host; relative paths are relative to its CATALINA_BASE."""

    @property
    def catalina_base(self) -> Path: ...


class RootContext(Protocol):
    """The part of their application that the resources need, including Tomcat 7's attributes for them."""

    @property
    def name(self) -> str: ...

    @property
    def host(self) -> RootHost: ...

    @property
    def document_root(self) -> Path: ...

    @property
    def add_webinf_classes_resources(self) -> bool: ...

    @property
    def aliases(self) -> str | None: ...

    @property
    def allow_linking(self) -> bool | None: ...


class CacheStrategy(Protocol):
    """A ``<CacheStrategy>``."""

    def no_cache(self, path: str) -> bool:
        """True for a path that is not remembered."""
        ...


class StandardRoot(Lifecycle):
    """``<Resources>``: the files of an application."""

    allow_linking = Attribute(bool, False, doc="Serve links, also those that lead out of the application.")
    caching_allowed = Attribute(bool, True, doc="Remember what is where, and the content of small files.")
    cache_max_size = Attribute(int, 10240, unit="KiB", doc="Memory for that.")
    cache_object_max_size = Attribute(
        int, 512, unit="KiB", doc="Larger files are read each time; at most a twentieth of cacheMaxSize counts."
    )
    cache_ttl = Attribute(int, 5000, unit="ms", doc="How long a changed file may still be served as it was.")
    track_locked_files = Attribute(
        bool, False, doc="Find files that were not closed.", inert="files here are closed as soon as they are read"
    )
    archive_index_strategy = Attribute(
        choice("simple", "bloom", "purged"), "simple", inert="an archive's directory is kept in memory"
    )
    read_only = Attribute(bool, False, doc="The application's own directory cannot be written.")

    elements = {
        "PreResources": Element(add=lambda root, each: root.add(root.pre, each), role=ResourceSet),
        "JarResources": Element(add=lambda root, each: root.add(root.jars, each), role=ResourceSet),
        "PostResources": Element(add=lambda root, each: root.add(root.post, each), role=ResourceSet),
        "CacheStrategy": Element(add=lambda root, each: root.set_cache_strategy(each)),
    }

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.context: RootContext | None = None
        self.pre: list[ResourceSet] = []
        self.jars: list[ResourceSet] = []
        self.post: list[ResourceSet] = []
        #: True when the application's own files are served; False for a bare WSGI module.
        self.serves_files = True
        self._made: list[ResourceSet] = []
        self._main: ResourceSet = EmptyResourceSet()
        self._cache: ResourceCache | None = None

    def __str__(self) -> str:
        return f"StandardRoot[{self.context.name if self.context is not None else ''}]"

    def add(self, sets: list[ResourceSet], resource_set: ResourceSet) -> None:
        """Add a set to ``pre``, ``jars`` or ``post``."""
        resource_set.root = self
        sets.append(resource_set)

    @property
    def cache(self) -> ResourceCache | None:
        """The cache; None when nothing is remembered, or the application does not run."""
        return self._cache

    def set_cache_strategy(self, strategy: Component) -> None:
        """Set the ``<CacheStrategy>``, whose ``no_cache(path)`` names paths that are not remembered."""
        self._no_cache = getattr(strategy, "no_cache", None)

    _no_cache: Callable[[str], bool] | None = None

    @property
    def catalina_base(self) -> Path:
        """The base of relative bases."""
        return self.context.host.catalina_base if self.context is not None else Path.cwd()

    @property
    def follows_links(self) -> bool:
        """``allowLinking`` of the Context, as in Tomcat 7, otherwise this element's."""
        if self.context is not None and self.context.allow_linking is not None:
            return self.context.allow_linking
        return self.allow_linking

    # -- looking up ----------------------------------------------------------------------------------------------

    def get_resource(self, path: str) -> Resource:
        """The resource at a path of the application, for serving; the result knows if it ``exists``.

        Source code, databases and similar files (``unserved_names``) never exist here; see :meth:`own_resource`.

        Raises:
            ValueError: the path has no leading slash, or leads above the root.
        """
        if not path.startswith("/"):
            raise ValueError(f"The path {path!r} does not start with a slash")
        normal = normalize(path)
        if normal is None:
            raise ValueError(f"The path {path!r} leads out of the application")
        cache = self._cache
        if cache is None or (self._no_cache is not None and self._no_cache(normal)):
            return self.find(normal)
        return cache.get(normal)

    def own_resource(self, path: str) -> Resource:
        """The resource at a path, for the application itself, which may read all of its files. Raises ValueError."""
        if not path.startswith("/"):
            raise ValueError(f"The path {path!r} does not start with a slash")
        normal = normalize(path)
        if normal is None:
            raise ValueError(f"The path {path!r} leads out of the application")
        return self._find_any(normal) if is_unserved(normal) else self.get_resource(normal)

    def find(self, path: str) -> Resource:
        """As :meth:`get_resource`, but without the cache; ``path`` is normal."""
        return Resource(path) if is_unserved(path) else self._find_any(path)

    def _find_any(self, path: str) -> Resource:
        for resource_set in self.sets:
            found = resource_set.get(path)
            if found is not None:
                return found
        return Resource(path)

    def read(self, resource: Resource) -> bytes | None:
        """The content of a small file, from the cache if that is on; None for a large file. Raises OSError."""
        return self._cache.content(resource) if self._cache is not None else None

    def names(self, path: str) -> list[str]:
        """Names in a directory, sorted; without WEB-INF and META-INF at the root, and without names that are never
        served.
        """
        directory = path if path.endswith("/") else path + "/"
        names: set[str] = set()
        for resource_set in self.sets:
            names |= resource_set.names(directory)
        if directory == "/":
            names = {name for name in names if name.upper() not in ("WEB-INF", "META-INF")}
        return sorted(name for name in names if not is_unserved_name(name))

    def holds_unserved(self, path: str) -> bool:
        """True when a directory contains, among the files that may be written, one that is never served."""
        file = self.writable_file(path)
        if file is None or not file.is_dir():
            return False
        return any(is_unserved_name(name) for _, names, files in os.walk(file) for name in (*names, *files))

    def writable_file(self, path: str) -> Path | None:
        """The file to write for a path: in the application's own directory, even if it does not exist yet.

        Returns:
            None when nothing may be written there: readOnly, an archive, a link on the way, a name that is never
                served.
        """
        main = self._main
        if not isinstance(main, DirResourceSet) or main.read_only or is_unserved(path):
            return None
        return main.file_to_write(path)

    @property
    def sets(self) -> tuple[ResourceSet, ...]:
        """All sets in order, without those that are only on the import path."""
        every = (*self.pre, self._main, *self._made, *self.jars, *self.post)
        return tuple(each for each in every if not each.class_loader_only)

    def code(self) -> tuple[list[str], list[str]]:
        """Directories and wheels of other sets to import from: in front of the application's own, and behind it."""
        before, after = (
            [code for resource_set in sets if (code := resource_set.code()) is not None]
            for sets in (self.pre, [*self.jars, *self.post])
        )
        return before, after

    def forget(self, path: str) -> None:
        """The file at the path was just written or deleted here."""
        if self._cache is not None:
            self._cache.forget(path)
            self._cache.forget(path.rstrip("/") or "/")

    def forget_all(self) -> None:
        """Directories were made, moved or deleted here."""
        if self._cache is not None:
            self._cache.clear()

    # -- lifecycle -----------------------------------------------------------------------------------------------

    def _start(self) -> None:
        self._main = self._main_set()
        self._made = [*self._library_sets(), *self._alias_sets(), *self._classes_sets()]
        for resource_set in (*self.pre, self._main, *self._made, *self.jars, *self.post):
            resource_set.root = self
            resource_set.start()
        if self._setting("caching_allowed"):
            self._cache = ResourceCache(
                self.find,
                self._setting("cache_ttl") / 1000,
                self._setting("cache_max_size") * KIB,
                self._setting("cache_object_max_size") * KIB,
            )

    def _setting(self, name: str) -> Any:
        """A cache attribute, from the Context where Tomcat 7 had it."""
        old = getattr(self.context, name) if self.context is not None else None
        return getattr(self, name) if old is None else old

    def _main_set(self) -> ResourceSet:
        if self.context is None or not self.serves_files:
            return EmptyResourceSet()
        root = self.context.document_root
        if root.is_file():
            return JarResourceSet(base=str(root))
        return DirResourceSet(base=str(root), read_only=self.read_only)

    def _library_sets(self) -> list[ResourceSet]:
        """Archives in WEB-INF/lib that bring static files (Servlet 6.0, section 4.6)."""
        if self.context is None:
            return []
        directory = self.context.document_root / "WEB-INF" / "lib"
        found: list[ResourceSet] = []
        if not directory.is_dir():
            return found
        for archive in sorted(directory.iterdir()):
            if archive.suffix.lower() in LIBRARIES and self._has_resources(archive):
                found.append(JarResourceSet(base=str(archive), internal_path="/META-INF/resources", static_only=True))
        return found

    @staticmethod
    def _has_resources(archive: Path) -> bool:
        try:
            with ZipFile(archive) as opened:
                return any(name.startswith("META-INF/resources/") for name in opened.namelist())
        except (OSError, BadZipFile):
            log.warning("The archive [%s] cannot be read; it serves no static files", archive)
            return False

    def _alias_sets(self) -> list[ResourceSet]:
        """``aliases="/docs=/srv/docs"`` of Tomcat 7."""
        if self.context is None or not self.context.aliases:
            return []
        pairs = [pair.partition("=") for pair in self.context.aliases.split(",") if "=" in pair]
        return [DirResourceSet(web_app_mount=mount.strip(), base=base.strip()) for mount, _, base in pairs]

    def _classes_sets(self) -> list[ResourceSet]:
        if self.context is None or not self.context.add_webinf_classes_resources:
            return []
        directory = self.context.document_root / "WEB-INF" / "classes" / "META-INF" / "resources"
        return [DirResourceSet(base=str(directory), static_only=True)] if directory.is_dir() else []

    def _stop(self) -> None:
        for resource_set in (*self.pre, self._main, *self._made, *self.jars, *self.post):
            resource_set.stop()
        self._made = []
        self._cache = None

    def background_process(self) -> None:
        """Free the memory of expired entries."""
        if self._cache is not None:
            self._cache.drop_expired()
