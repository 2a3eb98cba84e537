"""Maps host name and path to host, application and servlet (Tomcat: mapper/Mapper.java).

Mapping happens once or twice per request, a change of the map a few times a day. So answers that depend only on the map
are remembered, up to a bound, and all are forgotten when the map changes.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from catalina.mapper.mapping_data import MappingData
from catalina.mapper.servlet_map import ServletMap

if TYPE_CHECKING:
    from catalina.connector.carried import Context, Host

__all__ = ["Mapper"]

#: The number of remembered answers, because clients choose the paths. When it is reached, all are forgotten.
MAX_REMEMBERED = 4096
#: Longer paths are mapped anew each time, because MAX_REMEMBERED of them would take much memory.
MAX_REMEMBERED_PATH = 256


class _MappedHost:
    """One host: its applications by context path, versions oldest first."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.contexts: dict[str, tuple[ServletMap, ...]] = {}


class Mapper:
    """Finds the host, the application, its version and the servlet for a request.

    Reading needs no lock; changes are made under one.
    """

    def __init__(self) -> None:
        self.default_host_name: str | None = None
        self._names: dict[str, _MappedHost] = {}  # host names and aliases, lower case
        self._wildcards: dict[str, _MappedHost] = {}  # ".example.org" for the alias *.example.org
        #: Answers of :meth:`map` for the newest version, by host name and path; a caller whom every request meets looks
        #: here first. Each change of the map makes a new dictionary.
        self.remembered: dict[tuple[str, str], MappingData] = {}
        self._lock = threading.Lock()

    # -- reading -------------------------------------------------------------------------------------------------

    def map(self, host_name: str, path: str, version: str | None = None) -> MappingData:
        """Find the host, application and servlet for a request.

        Args:
            host_name: the name in the Host header, without the port; any case.
            path: decoded, normalised, without path parameters, beginning with a slash.
            version: the version of the application; None and unknown ones give the newest.
        """
        remembered = self.remembered
        if version is None:
            found = remembered.get((host_name, path))
            if found is not None:
                return found
        mapped = self._find_host(host_name.lower())
        if mapped is None:
            return MappingData()
        data, lasting = self._map_context(mapped, path, version)
        if lasting and version is None and len(path) <= MAX_REMEMBERED_PATH:
            if len(remembered) >= MAX_REMEMBERED:
                remembered.clear()
            remembered[host_name, path] = data
        return data

    def _find_host(self, name: str) -> _MappedHost | None:
        found = self._names.get(name)
        if found is not None:
            return found
        dot = name.find(".")
        if dot >= 0:
            found = self._wildcards.get(name[dot:])
        if found is None and self.default_host_name is not None:
            found = self._names.get(self.default_host_name)
        return found

    def _map_context(self, mapped: _MappedHost, path: str, version: str | None) -> tuple[MappingData, bool]:
        versions = self._find_versions(mapped, path)
        if not versions:
            return MappingData(mapped.host), True
        chosen = versions[-1]
        others: tuple[Context, ...] = ()
        if len(versions) > 1:
            others = tuple(servlets.context for servlets in reversed(versions))
            chosen = next((each for each in versions if each.context.web_app_version == version), chosen)
        if chosen.context.paused:
            # The adapter waits and asks again; a servlet found now would belong to the application that is going.
            return MappingData(mapped.host, chosen.context, others, context_path=chosen.context.path), False
        return self._map_servlet(mapped.host, chosen, path[len(chosen.context.path) :], others)

    @staticmethod
    def _find_versions(mapped: _MappedHost, path: str) -> tuple[ServletMap, ...]:
        """The longest context path that equals the path or ends at one of its slashes; the root's is empty."""
        contexts = mapped.contexts
        end = len(path)
        while end >= 0:
            versions = contexts.get(path[:end])
            if versions:
                return versions
            end = path.rfind("/", 0, end)
        return ()

    @staticmethod
    def _map_servlet(
        host: Host, servlets: ServletMap, path: str, others: tuple[Context, ...]
    ) -> tuple[MappingData, bool]:
        context = servlets.context
        found = servlets.find(path)
        data = MappingData(
            host,
            context,
            others,
            found.wrapper,
            context.path,
            found.servlet_path,
            found.path_info,
            context.path + path + "/" if found.redirect else None,
            found.match,
            found.pattern,
        )
        return data, not found.volatile

    # -- changing ------------------------------------------------------------------------------------------------

    def add_host(self, host: Host, aliases: tuple[str, ...] = ()) -> None:
        """Add a host with its aliases; ``*.example.org`` matches one more label in front. The first of a name wins."""
        with self._lock:
            mapped = self._names.get(host.name.lower())
            if mapped is None or mapped.host is not host:
                mapped = self._names[host.name.lower()] = _MappedHost(host)
            for alias in aliases:
                self._add_alias(mapped, alias.lower())
            self._changed()

    def add_alias(self, host: Host, alias: str) -> None:
        """Let a host that is here answer for one more name."""
        with self._lock:
            self._add_alias(self._names[host.name.lower()], alias.lower())
            self._changed()

    def _add_alias(self, mapped: _MappedHost, alias: str) -> None:
        if alias.startswith("*."):
            self._wildcards.setdefault(alias[1:], mapped)
        else:
            self._names.setdefault(alias, mapped)

    def remove_alias(self, alias: str) -> None:
        """Remove a name, for which no host answers any more; unknown ones are ignored."""
        with self._lock:
            alias = alias.lower()
            table, key = (self._wildcards, alias[1:]) if alias.startswith("*.") else (self._names, alias)
            table.pop(key, None)
            self._changed()

    def remove_host(self, host: Host) -> None:
        """Forget a host, its aliases and its applications."""
        with self._lock:
            for table in (self._names, self._wildcards):
                for name in [name for name, mapped in table.items() if mapped.host is host]:
                    del table[name]
            self._changed()

    def add_context(self, host: Host, servlets: ServletMap) -> None:
        """Add a version of an application, or replace it."""
        with self._lock:
            mapped = self._names.get(host.name.lower())
            if mapped is None:
                return
            path = servlets.context.path
            kept = self._others(mapped, servlets.context)
            # Sorted as plain text, so that ##9 is newer than ##10, as in Tomcat; the key of a wheel follows PEP 440.
            versions = sorted([*kept, servlets], key=lambda each: each.context.version_key)
            mapped.contexts[path] = tuple(versions)
            self._changed()

    def remove_context(self, host: Host, context: Context) -> None:
        """Forget a version of an application; unknown ones are ignored."""
        with self._lock:
            mapped = self._names.get(host.name.lower())
            if mapped is None:
                return
            kept = self._others(mapped, context)
            if kept:
                mapped.contexts[context.path] = tuple(kept)
            else:
                mapped.contexts.pop(context.path, None)
            self._changed()

    @staticmethod
    def _others(mapped: _MappedHost, context: Context) -> list[ServletMap]:
        """The other versions of an application."""
        versions = mapped.contexts.get(context.path, ())
        return [each for each in versions if each.context.web_app_version != context.web_app_version]

    def forget_answers(self) -> None:
        """Forget the answers: something has changed that they depend on, such as whether an application is paused."""
        with self._lock:
            self._changed()

    def _changed(self) -> None:
        self.remembered = {}
