"""Values of beans as JSON, with a path into them and the limits that a client asks for."""

from __future__ import annotations

import copy
import json
import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from catalina.manager.jolokia.paths import join_path
from catalina.manager.jolokia.request import BadRequest, Parameters
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.open_data import CompositeData, TabularData, java_text

__all__ = ["JsonText", "Serializer", "with_inner"]

Path = deque[str | None]


class JsonText(str):
    """A value of a bean that is JSON: other doors show the text, this one the value."""

    value: object

    def __new__(cls, value: object) -> JsonText:
        """The text of a value."""
        made = super().__new__(cls, json.dumps(value))
        made.value = value
        return made


class Filtered(Exception):
    """A path leads to nothing here."""


class Serializer:
    """Makes one answer. It raises nothing: a path that leads nowhere gives None.

    Args:
        parameters: maxDepth, maxCollectionSize, maxObjects, serializeLong.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._max_depth = parameters.number("maxDepth")
        self._max_size = parameters.number("maxCollectionSize")
        self._max_objects = parameters.number("maxObjects")
        self._long_as_text = parameters.values.get("serializeLong") == "string"
        self._objects = 0

    def json_of(self, value: object, path: Sequence[str | None] | None = None, kind: object = "") -> object:
        """A value, or the part of it that a path leads to.

        Args:
            path: None as a part matches every part of a level.
            kind: Java's name of the value's type, where it is known.
        """
        try:
            return self._convert(value, deque(path or ()), 0, kind)
        except Filtered:
            return None

    def _convert(self, value: object, path: Path, depth: int, kind: object) -> object:
        if value is not None and 0 < self._max_depth <= depth:
            return java_text(value)
        if 0 < self._max_objects <= self._objects:
            return "[Object limit exceeded]"
        if value is None:
            if path:
                raise Filtered
            return None
        self._objects += 1
        if isinstance(value, JsonText):
            value = value.value
        match value:
            case dict():
                return self._mapping(value, path, depth, {})
            case CompositeData():
                kinds = {name: item[0] for name, item in value.type.items.items()}
                return self._mapping({name: value.values.get(name) for name in value.type.items}, path, depth, kinds)
            case TabularData():
                return self._mapping(_rows(value), path, depth, {})
            case list() | tuple():
                return self._sequence(value, path, depth, kind)
            case ObjectName():
                return self._mapping({"objectName": str(value)}, path, depth, {})
        if path:
            raise Filtered
        return self._plain(value, kind)

    def _plain(self, value: object, kind: object) -> object:
        if isinstance(value, bool | str):
            return value
        if isinstance(value, int):
            return str(value) if self._long_as_text and kind in ("long", "java.lang.Long") else value
        if isinstance(value, float):  # JSON has no NaN and no Infinity
            return value if math.isfinite(value) else java_text(value)
        if isinstance(value, bytes):
            return list(value)
        return str(value)

    def _mapping(self, value: Mapping[str, Any], path: Path, depth: int, kinds: Mapping[str, Any]) -> object:
        key = path[0] if path else None
        if key is not None:
            path.popleft()
            if key not in value:
                raise Filtered
            return self._convert(value[key], path, depth + 1, kinds.get(key, ""))
        filtering = bool(path)
        rest = deque(list(path)[1:])
        found: dict[str, Any] = {}
        for name, inner in value.items():
            try:
                found[name] = self._convert(inner, deque(rest), depth + 1, kinds.get(name, ""))
            except Filtered:
                continue
            if 0 < self._max_size <= len(found):
                break
        if filtering and not found:
            raise Filtered
        return found

    def _sequence(self, value: Sequence[Any], path: Path, depth: int, kind: object) -> object:
        inner_kind = "long" if kind == "[J" else ""
        index = path[0] if path else None
        if index is not None:
            path.popleft()
            if not (index.isascii() and index.isdecimal()) or int(index) >= len(value):
                raise Filtered
            return self._convert(value[int(index)], path, depth + 1, inner_kind)
        rest = deque(list(path)[1:])
        found = []
        for inner in value[: self._max_size] if self._max_size > 0 else value:
            try:
                found.append(self._convert(inner, deque(rest), depth + 1, inner_kind))
            except Filtered:
                continue
        if path and not found:
            raise Filtered
        return found


def _rows(table: TabularData) -> dict[str, Any]:
    """A table as a map, by the text of its index, or several levels of it; a table of Java's for a map becomes a map
    again.
    """
    is_map = table.index == ("key",) and set(table.row_type.items) == {"key", "value"}
    found: dict[str, Any] = {}
    for row in table.rows:
        inside = found
        for name in table.index[:-1]:
            inside = inside.setdefault(java_text(row.values.get(name)), {})
        inside[java_text(row.values.get(table.index[-1]))] = row.values.get("value") if is_map else row
    return found


def with_inner(value: object, path: Sequence[str | None], new: object) -> tuple[object, object]:
    """A copy of a value in which the part that a path leads to is another one, and that part as it was.

    Raises:
        BadRequest: such a part cannot be set.
        ValueError: the path leads nowhere.
    """
    parts = [part for part in path if part is not None]
    if len(parts) != len(path):
        raise BadRequest(f"Path '{join_path(path)}' of a value to be set has a wildcard")
    whole: Any = copy.deepcopy(value.value) if isinstance(value, JsonText) else copy.deepcopy(value)
    inner = whole
    for part in parts[:-1]:
        inner = inner[_place(inner, part, path)]
    place = _place(inner, parts[-1], path, is_new=True)
    old = inner.get(place) if isinstance(inner, dict) else inner[place]
    inner[place] = new
    return JsonText(whole) if isinstance(value, JsonText) else whole, old


def _place(inner: object, part: str, path: Sequence[str | None], is_new: bool = False) -> Any:
    """The key or index that a part of a path stands for; a map may get a new key."""
    match inner:
        case dict():
            if is_new or part in inner:
                return part
        case list():
            if not (part.isascii() and part.isdecimal()):
                raise BadRequest(f"Non-numeric index for accessing list {inner}. (index = {part})")
            if int(part) < len(inner):
                return int(part)
        case CompositeData() | TabularData():
            raise BadRequest(f"{type(inner).__name__} cannot be written to")
        case None:
            raise ValueError("Cannot set value with path when parent object is not set")
        case _:
            raise BadRequest("Basic type is immutable and cannot change its value")
    raise ValueError(f"Path '{join_path(path)}' leads to nothing that could be set")
