"""The servlet mapping rules inside one application (Servlet 6.0, chapter 12; Tomcat: Mapper.internalMapWrapper)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalina.mapper.mapping_data import MappingMatch

if TYPE_CHECKING:
    from catalina.connector.carried import Context, Wrapper

__all__ = ["ServletMap", "ServletMatch"]


@dataclass(slots=True, frozen=True)
class ServletMatch:
    """A servlet for a path inside the application, or a path that the client must be redirected to."""

    wrapper: Wrapper | None = None
    servlet_path: str = ""
    path_info: str | None = None
    match: MappingMatch | None = None
    pattern: str = ""
    redirect: bool = False
    #: True when files were looked at, so that the answer may be another one next time.
    volatile: bool = False


class ServletMap:
    """The url-patterns of one application, taken when it started.

    Args:
        context: gives the resources in which welcome files and directories are looked up.
        mappings: url-pattern -> servlet. ``""`` is the context root, ``/`` the default servlet.
        resource_only: names of servlets that a welcome file by extension reaches only when the file exists.
    """

    def __init__(
        self,
        context: Context,
        mappings: Iterable[tuple[str, Wrapper]],
        welcome_files: Iterable[str],
        resource_only: frozenset[str] = frozenset(),
    ) -> None:
        self.context = context
        self.welcome_files = tuple(welcome_files)
        self.resource_only = resource_only
        self._exact: dict[str, Wrapper] = {}
        self._prefixes: dict[str, Wrapper] = {}
        self._extensions: dict[str, Wrapper] = {}
        self._default: Wrapper | None = None
        self._root: Wrapper | None = None
        for pattern, wrapper in mappings:
            self._add(pattern, wrapper)

    def _add(self, pattern: str, wrapper: Wrapper) -> None:
        if pattern.endswith("/*"):
            self._prefixes[pattern[:-2]] = wrapper
        elif pattern.startswith("*."):
            self._extensions[pattern[2:]] = wrapper
        elif pattern == "/":
            self._default = wrapper
        elif pattern == "":
            self._root = wrapper
        else:
            self._exact[pattern] = wrapper

    def find(self, path: str) -> ServletMatch:
        """The servlet for ``path``, which is decoded, normalised and relative to the application (``""`` or ``/x``)."""
        found = self._find_exact(path) or self._find_prefix(path)
        if found is not None:
            return found
        if path == "" and self.context.mapper_context_root_redirect_enabled:
            return ServletMatch(redirect=True)
        found = self._find_extension(path)
        if found is not None:
            return found
        if path.endswith("/"):
            return self._find_welcome(path) or self._find_default(path, volatile=True)
        if self.context.mapper_directory_redirect_enabled and self._is_directory(path):
            return ServletMatch(redirect=True, volatile=True)
        return self._find_default(path, volatile=self.context.mapper_directory_redirect_enabled)

    def _find_exact(self, path: str) -> ServletMatch | None:
        wrapper = self._exact.get(path)
        if wrapper is not None:
            return ServletMatch(wrapper, path, None, MappingMatch.EXACT, path)
        if path == "/" and self._root is not None:
            return ServletMatch(self._root, "", "/", MappingMatch.CONTEXT_ROOT, "")
        return None

    def _find_prefix(self, path: str) -> ServletMatch | None:
        """The longest ``/x/*`` that equals the path or ends at one of its slashes."""
        prefixes = self._prefixes
        if not prefixes:
            return None
        end = len(path)
        while end >= 0:
            wrapper = prefixes.get(path[:end])
            if wrapper is not None:
                return ServletMatch(wrapper, path[:end], path[end:] or None, MappingMatch.PATH, path[:end] + "/*")
            end = path.rfind("/", 0, end)
        return None

    def _find_extension(self, path: str, only_without_file: bool = False) -> ServletMatch | None:
        dot = path.rfind(".", path.rfind("/") + 1)
        if dot < 0:
            return None
        extension = path[dot + 1 :]
        wrapper = self._extensions.get(extension)
        if wrapper is None or (only_without_file and wrapper.name in self.resource_only):
            return None
        return ServletMatch(wrapper, path, None, MappingMatch.EXTENSION, "*." + extension)

    def _find_welcome(self, path: str) -> ServletMatch | None:
        """The servlet for a directory: first welcome servlets and existing files, then extensions of files that do not
        exist.
        """
        for name in self.welcome_files:
            candidate = path + name
            found = self._find_exact(candidate) or self._find_prefix(candidate)
            if found is None and self.context.resources.get_resource(candidate).is_file:
                found = self._find_extension(candidate) or self._find_default(candidate)
            if found is not None and found.wrapper is not None:
                return self._as_volatile(found)
        for name in self.welcome_files:
            found = self._find_extension(path + name, only_without_file=True)
            if found is not None:
                return self._as_volatile(found)
        return None

    def _find_default(self, path: str, volatile: bool = False) -> ServletMatch:
        return ServletMatch(self._default, path, None, MappingMatch.DEFAULT, "/", volatile=volatile)

    def _is_directory(self, path: str) -> bool:
        return self.context.resources.get_resource(path or "/").is_directory

    @staticmethod
    def _as_volatile(found: ServletMatch) -> ServletMatch:
        return ServletMatch(
            found.wrapper, found.servlet_path, found.path_info, found.match, found.pattern, volatile=True
        )
