"""Values that clients have seen, kept for them: the bean ``jolokia:type=History`` (Jolokia: service/history).

An operator switches it on for one attribute or operation at a time; an answer then has the older values as ``history``.
It ends with the application. The patterns and the bytes are ours: a pattern means the attribute that it names, in all
beans that it matches (Jolokia remembers every attribute of these beans), and the store has a limit in bytes.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from catalina.attributes import Attribute, Component
from catalina.manager.jolokia.paths import join_path
from catalina.manager.jolokia.request import JolokiaRequest
from catalina.mbeans.object_name import ObjectName
from catalina.operations import Long, operation

__all__ = ["History"]

#: Attributes and operations that are remembered, and values of each.
MAX_KEYS, MAX_ENTRIES = 1000, 1000
#: Bytes of JSON of all values.
MAX_BYTES = 4 * 2**20

#: One remembered value as an answer shows it: ``value`` and ``timestamp`` (seconds since 1970).
Shown = dict[str, Any]


class Key(NamedTuple):
    """An attribute of a bean, with the path into it (empty for none), or an operation."""

    kind: str
    bean: ObjectName
    member: str
    path: str


@dataclass(slots=True)
class _Entry:
    """The values of one key, the newest first.

    Args:
        entries: so many at most.
        seconds: none that is older than the newest one by more; 0 for no such limit.
    """

    entries: int
    seconds: int
    values: deque[tuple[Shown, int]] = field(default_factory=deque)
    size: int = 0

    def shown(self) -> list[Shown]:
        return [value for value, _ in self.values]

    def add(self, value: object, now: int) -> None:
        size = len(json.dumps(value))
        self.values.appendleft(({"value": value, "timestamp": now}, size))
        self.size += size

    def trim(self, entries: int, room: int) -> None:
        """Forget the oldest values, until the rest keeps the limits, is at most so many, and has ``room`` bytes."""
        most = min(entries, self.entries)
        while self.values and (len(self.values) > most or self.size > room or self._is_too_old()):
            self.size -= self.values.pop()[1]

    def _is_too_old(self) -> bool:
        newest, oldest = self.values[0][0]["timestamp"], self.values[-1][0]["timestamp"]
        return bool(0 < self.seconds < newest - oldest)


class History(Component):
    """Remembers values of attributes and results of operations that clients have read. Any thread."""

    bean_class = "org.jolokia.service.history.History"
    bean_names = {"historyMaxEntries": "HistoryMaxEntries", "historySize": "HistorySize"}

    history_max_entries = Attribute(int, 10, unit="values", doc="Values that are remembered of each key, at most.")

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._entries: dict[Key, _Entry] = {}
        self._patterns: dict[Key, tuple[int, int]] = {}

    # -- the bean

    @property
    def history_size(self) -> int:
        """Bytes of JSON that are remembered."""
        with self._lock:
            return self._size()

    @operation(bean="its name, or a pattern", path="into it; null for none", target="null: there is no proxy",
               max_entries="values to remember", max_duration="seconds to remember a value for")  # fmt: skip
    def set_history_limit_for_attribute(
        self,
        bean: str,
        attribute: str,
        path: str | None,
        target: str | None,
        max_entries: int,
        max_duration: Long,
    ) -> None:
        """Remember the values of an attribute that clients read or write; with two zeros no longer."""
        self._configure("attribute", bean, attribute, path, target, max_entries, max_duration)

    @operation(bean="its name, or a pattern", path="into it; null for none", target="null: there is no proxy",
               max_entries="values to remember")  # fmt: skip
    def set_history_entries_for_attribute(
        self, bean: str, attribute: str, path: str | None, target: str | None, max_entries: int
    ) -> None:
        """Remember the values of an attribute that clients read or write; with zero no longer."""
        self._configure("attribute", bean, attribute, path, target, max_entries, 0)

    @operation(bean="its name, or a pattern", target="null: there is no proxy", max_entries="values to remember",
               max_duration="seconds to remember a value for")  # fmt: skip
    def set_history_limit_for_operation(
        self, bean: str, operation: str, target: str | None, max_entries: int, max_duration: Long
    ) -> None:
        """Remember the results of an operation that clients call; with two zeros no longer."""
        self._configure("operation", bean, operation, "", target, max_entries, max_duration)

    @operation(bean="its name, or a pattern", target="null: there is no proxy", max_entries="values to remember")
    def set_history_entries_for_operation(
        self, bean: str, operation: str, target: str | None, max_entries: int
    ) -> None:
        """Remember the results of an operation that clients call; with zero no longer."""
        self._configure("operation", bean, operation, "", target, max_entries, 0)

    @operation
    def reset_history_entries(self) -> None:
        """Forget all values, and remember none from now on."""
        with self._lock:
            self._entries.clear()
            self._patterns.clear()

    def _configure(
        self, kind: str, bean: str, member: str, path: str | None, target: str | None, entries: int, seconds: int
    ) -> None:
        if target:
            raise ValueError(f"target {target!r}: expected none, as this agent is no proxy")
        if entries < 0 or seconds < 0:
            raise ValueError(f"maxEntries {entries} and maxDuration {seconds}: expected no negative number")
        key = Key(kind, ObjectName.parse(bean), member, path or "")
        with self._lock:
            if not entries and not seconds:
                self._forget(key)
                return
            limit = (min(entries or MAX_ENTRIES, MAX_ENTRIES), seconds)
            if key.bean.is_pattern:
                if len(self._patterns) >= MAX_KEYS:
                    raise ValueError(f"{MAX_KEYS} patterns are remembered already")
                self._patterns[key] = limit
            elif key not in self._entries:
                self._made(key, limit)
            for known, entry in self._entries.items():
                if _covers(key, known):
                    entry.entries, entry.seconds = limit

    def _forget(self, key: Key) -> None:
        self._patterns.pop(key, None)
        self._entries = {known: entry for known, entry in self._entries.items() if not _covers(key, known)}

    def _made(self, key: Key, limit: tuple[int, int]) -> _Entry:
        if len(self._entries) >= MAX_KEYS:
            raise ValueError(f"{MAX_KEYS} attributes and operations are remembered already")
        made = self._entries[key] = _Entry(*limit)
        return made

    # -- what answers have

    def seen(self, request: JolokiaRequest, value: object, now: int) -> object:
        """The older values for an answer's ``history``, and remember the present one.

        Args:
            value: the answer's, as JSON.
            now: seconds since 1970.

        Returns:
            A list of values; by attribute, or by bean and attribute, when several are read; None when none of them is
            remembered.
        """
        with self._lock:
            if not self._entries and not self._patterns:
                return None
            if request.name is None or request.type not in ("read", "write", "exec"):
                return None
            if request.name.is_pattern and request.type != "read":
                return None
            if request.type == "exec":
                return self._older(Key("operation", request.name, request.operation, ""), value, now)
            path = join_path(request.path) if request.path else ""
            if request.type == "write":
                return self._older(Key("attribute", request.name, request.attribute or "", path), request.value, now)
            if request.name.is_pattern:
                return self._older_of_beans(request, value, path, now)
            if request.attributes is None:
                return self._older(Key("attribute", request.name, request.attribute or "", path), value, now)
            return self._older_of_attributes(request.name, value, path, now)

    def _older_of_beans(self, request: JolokiaRequest, value: object, path: str, now: int) -> object:
        if not isinstance(value, Mapping):
            return None
        found = {}
        for bean, attributes in value.items():
            name = ObjectName.parse(bean)
            older = self._older_of_attributes(name, attributes, path, now)
            if older is not None:
                found[bean] = older
        return found or None

    def _older_of_attributes(self, bean: ObjectName, values: object, path: str, now: int) -> object:
        if not isinstance(values, Mapping):
            return None
        older = {name: self._older(Key("attribute", bean, name, path), value, now) for name, value in values.items()}
        return {name: each for name, each in older.items() if each is not None} or None

    def _older(self, key: Key, value: object, now: int) -> list[Shown] | None:
        entry = self._entries.get(key)
        if entry is None:
            limit = next((limit for pattern, limit in self._patterns.items() if _covers(pattern, key)), None)
            if limit is None or len(self._entries) >= MAX_KEYS:
                return None
            entry = self._made(key, limit)
        shown = entry.shown()
        entry.add(value, now)
        entry.trim(self.history_max_entries, MAX_BYTES - (self._size() - entry.size))
        return shown

    def _size(self) -> int:
        return sum(entry.size for entry in self._entries.values())


def _covers(key: Key, other: Key) -> bool:
    """True when a key, which may have a pattern, means another one."""
    return key._replace(bean=other.bean) == other and key.bean.matches(other.bean)
