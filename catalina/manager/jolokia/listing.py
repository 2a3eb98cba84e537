"""The ``list`` command: attributes and operations of all beans, by domain and properties."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from catalina.manager.jolokia.open_types import (
    is_open,
    open_type_of_attribute,
    open_type_of_java,
    open_type_of_result,
)
from catalina.manager.jolokia.request import BadRequest, JolokiaRequest
from catalina.mbeans.bean_info import BeanInfo
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName

__all__ = ["listed", "wanted_names"]

Beans = Iterable[tuple[ObjectName, ManagedBean]]


def wanted_names(path: tuple[str | None, ...] | None) -> ObjectName:
    """The name, or the pattern of the names, that a path asks for. Raises BadRequest for a longer path."""
    parts = list(path or ())
    if len(parts) > 3:
        raise BadRequest(
            "List operation supports only 3 path segments for MBean domain, canonical list of ObjectName properties "
            f"and updater to use. Remaining path: {', '.join(map(str, parts[3:]))}"
        )
    domain = parts[0] if parts and parts[0] is not None else "*"
    properties = parts[1] if len(parts) > 1 and parts[1] is not None else "*"
    return ObjectName.parse(f"{domain}:{properties}")


def listed(request: JolokiaRequest, beans: Beans) -> Any:
    """The part of the whole listing that the request's path and maxDepth leave.

    Args:
        beans: those that match :func:`wanted_names`.
    """
    parameters, parts = request.parameters, list(request.path or ())
    section = parts[2] if len(parts) > 2 else None
    depth = parameters.number("maxDepth")
    found: dict[str, Any] = {}
    for name, bean in beans:
        if depth == 1:
            found[name.domain] = 1
            continue
        inside = found.setdefault(name.domain, {})
        inside[_properties(name, request)] = 1 if depth == 2 else described(name, bean, request, section)
    if parameters.flag("listCache") and len(parts) < 2 and depth == 0:
        return _with_cache(found)
    return _cut(_inside(found, parts), depth)


def _inside(found: dict[str, Any], parts: list[str | None]) -> object:
    """The part below the levels that a path names exactly."""
    levels = 0
    for part in parts[:2]:
        if part is None or any(character in part for character in "*?"):
            break
        levels += 1
    if levels == 2 and len(parts) > 2:
        levels = 3
    value: Any = found
    for _ in range(levels):
        value = next(iter(value.values()), {}) if isinstance(value, dict) else value
    return value


def _cut(value: object, depth: int) -> object:
    if depth == 0 or not isinstance(value, dict):
        return value
    return {key: (1 if depth == 1 else _cut(inner, depth - 1)) if isinstance(inner, dict) else inner
            for key, inner in value.items()}  # fmt: skip


def _with_cache(found: dict[str, Any]) -> dict[str, Any]:
    """Beans with the same description share it, by a key."""
    texts: dict[str, list[tuple[str, str]]] = {}
    for domain, beans in found.items():
        for properties, described_as in beans.items():
            texts.setdefault(json.dumps(described_as, sort_keys=True), []).append((domain, properties))
    cache: dict[str, Any] = {}
    for number, places in enumerate(texts.values()):
        if len(places) > 1:
            key = f"catalina:{number}"
            cache[key] = found[places[0][0]][places[0][1]]
            for domain, properties in places:
                found[domain][properties] = key
    return {"domains": found, "cache": cache}


def _properties(name: ObjectName, request: JolokiaRequest) -> str:
    text = name.canonical if request.parameters.flag("canonicalNaming") else str(name)
    return text.partition(":")[2]


def described(name: ObjectName, bean: ManagedBean, request: JolokiaRequest, section: str | None) -> dict[str, Any]:
    """All of one bean, or one section of it: attr, op, notif, class, desc, keys, interfaces."""
    info = bean.info()
    typed = bean if request.parameters.flag("openTypes") and is_open(bean) else None
    writers: dict[str, Callable[[], Any]] = {
        "attr": lambda: _attributes(info, typed),
        "op": lambda: _operations(info, typed),
        "notif": lambda: _notifications(info),
        "class": lambda: info.class_name,
        "desc": lambda: info.description,
    }
    if request.parameters.flag("listKeys"):
        writers["keys"] = lambda: dict(name.keys)
    if request.parameters.flag("listInterfaces"):
        writers["interfaces"] = lambda: list(getattr(bean.component, "bean_interfaces", ()))
    if section is not None and section not in writers:
        raise ValueError(f"Illegal path element for updater selection: {section}")
    found = {key: write() for key, write in writers.items() if section in (None, key)}
    return {key: value for key, value in found.items() if value not in ({}, []) or section == key}


def _attributes(info: BeanInfo, typed: ManagedBean | None) -> dict[str, Any]:
    """The attributes; with their open types if ``typed`` is given."""
    found: dict[str, Any] = {}
    for attribute in info.attributes:
        found[attribute.name] = one = {
            "type": attribute.type,
            "desc": attribute.description,
            "r": True,
            "w": attribute.writable,
            "rw": attribute.writable,
            "is": attribute.is_getter,
        }
        kind = open_type_of_attribute(typed, attribute.name, attribute.type) if typed is not None else None
        if kind is not None:
            one["openType"] = kind
    return found


def _operations(info: BeanInfo, typed: ManagedBean | None) -> dict[str, Any]:
    """The operations; with the open types of arguments and results if ``typed`` is given."""
    found: dict[str, Any] = {}
    for operation in info.operations:
        arguments: list[dict[str, Any]] = [
            {"name": part.name, "type": part.type, "desc": part.doc} for part in operation.parameters
        ]
        one: dict[str, Any] = {"args": arguments, "ret": operation.returns, "desc": operation.doc}
        if typed is not None:
            for argument in arguments:
                argument["openType"] = open_type_of_java(argument["type"])
            kind = open_type_of_result(typed, operation)
            if kind is not None:
                one["openRet"] = kind
        others = found.get(operation.name)
        if others is None:
            found[operation.name] = one
        else:
            found[operation.name] = [*others, one] if isinstance(others, list) else [others, one]
    return found


def _notifications(info: BeanInfo) -> dict[str, Any]:
    return {each.class_name: {"name": each.class_name, "desc": each.description, "types": list(each.types)}
            for each in info.notifications}  # fmt: skip
