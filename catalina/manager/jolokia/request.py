"""One request of a Jolokia client, from a path (GET) or JSON (POST), with its processing parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalina.errors import CatalinaError
from catalina.manager.jolokia.paths import join_path, special_value, split_escaped, split_path
from catalina.mbeans.object_name import MalformedObjectName, ObjectName

__all__ = ["BadRequest", "JolokiaRequest", "NotificationCommand", "Parameters", "from_json", "from_path"]

TYPES = ("read", "write", "exec", "list", "search", "version", "config", "notification")
_TRUE, _FALSE = frozenset(("true", "on", "yes", "y", "1")), frozenset(("false", "off", "no", "n", "0"))

_FLAGS = ("ignoreErrors", "serializeException", "canonicalNaming", "includeRequest", "listKeys", "listCache",
          "listInterfaces", "openTypes")  # fmt: skip
_NUMBERS = ("maxDepth", "maxCollectionSize", "maxObjects", "ifModifiedSince")
_WORDS = {
    "includeStackTrace": (*_TRUE, *_FALSE, "runtime"),
    "serializeLong": ("number", "string"),
    "mimeType": ("application/json", "text/plain"),
}


class BadRequest(CatalinaError):
    """A client's data is no request; it is answered with HTTP 400."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Processing parameters; each has been checked."""

    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Parameters:
        """The known ones among ``given``. Raises BadRequest for an invalid value."""
        found: dict[str, str] = {}
        for name, value in given.items():
            text = ("true" if value else "false") if isinstance(value, bool) else str(value)
            word = text.strip().lower()
            if name in _FLAGS:
                good = word in _TRUE or word in _FALSE
            elif name in _NUMBERS:
                good = re.fullmatch(r"[+-]?\d{1,10}", word) is not None
            elif name in _WORDS:
                good = word in _WORDS[name]
            else:
                good = name in ("callback", "p")
                word = text
                if not good:
                    continue
            if not good:
                raise BadRequest(f"Invalid value of {name} parameter")
            found[name] = word
        return cls(found)

    def merged(self, given: Mapping[str, Any]) -> Parameters:
        """These parameters, overridden by others."""
        return Parameters({**self.values, **Parameters.of(given).values})

    def flag(self, name: str, default: bool = False) -> bool:
        """True when a flag is set."""
        value = self.values.get(name)
        return default if value is None else value in _TRUE

    def number(self, name: str) -> int:
        """A number, 0 without one."""
        return int(self.values.get(name, 0))


@dataclass(frozen=True, slots=True)
class NotificationCommand:
    """A request of the type ``notification``. A part that was not given is None.

    Args:
        command: ``register``, ``add`` ..., not checked.
        client: the id that ``register`` has answered with.
        mode: ``pull`` or ``sse``.
        bean: its name, or a pattern.
        filter: beginnings of the notifications' types; None for all.
        config, handback: JSON that is given back.
        handle: of a listener.
    """

    command: str
    client: str | None = None
    mode: str | None = None
    bean: ObjectName | None = None
    filter: tuple[str, ...] | None = None
    config: dict[str, Any] | None = None
    handback: Any = None
    handle: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The parts that were given."""
        shown = {"command": self.command, "client": self.client, "mode": self.mode,
                 "mbean": None if self.bean is None else str(self.bean), "filter": list(self.filter or ()) or None,
                 "config": self.config or None, "handback": self.handback, "handle": self.handle}  # fmt: skip
        return {name: value for name, value in shown.items() if value is not None}


@dataclass(frozen=True, slots=True)
class JolokiaRequest:
    """A request.

    Args:
        type: one of :data:`TYPES`.
        name: of a bean, or a pattern; None where none is needed.
        attributes: to read; None for one that stands in ``attribute``. Empty is all.
        path: into the value; None without one.
        notification: for the type ``notification``.
    """

    type: str
    parameters: Parameters
    name: ObjectName | None = None
    attribute: str | None = None
    attributes: tuple[str, ...] | None = None
    operation: str = ""
    arguments: tuple[Any, ...] = ()
    value: Any = None
    path: tuple[str | None, ...] | None = None
    notification: NotificationCommand | None = None

    @property
    def opens_stream(self) -> bool:
        """True when the answer is a stream of notifications."""
        return self.notification is not None and self.notification.command == "open"

    def text_of(self, name: ObjectName) -> str:
        """A bean's name as the client wants it."""
        return name.canonical if name.is_pattern or self.parameters.flag("canonicalNaming") else str(name)

    def to_json(self) -> dict[str, Any]:
        """The request as the answer repeats it."""
        shown: dict[str, Any] = {"type": self.type}
        if self.notification is not None:
            shown.update(self.notification.to_json())
        if self.path is not None:
            shown["path"] = join_path(self.path)
        if self.name is not None:
            shown["mbean"] = self.text_of(self.name)
        if self.type == "read":
            shown["attribute"] = self.attribute if self.attributes is None else list(self.attributes)
        elif self.type == "write":
            shown["attribute"] = self.attribute
            if self.value is not None:
                shown["value"] = self.value
        elif self.type == "exec":
            if self.arguments:
                shown["arguments"] = list(self.arguments)
            shown["operation"] = self.operation
        return shown


def from_path(path: str, parameters: Parameters) -> JolokiaRequest:
    """A GET request: ``read/Catalina:type=Server/stateName``. Raises BadRequest."""
    if not path.strip("/"):
        path = parameters.values.get("p", "")
    parts = split_path(path.removeprefix("/")) or ["version"]
    kind, rest = _type_of(parts[0]), parts[1:]
    if kind in ("version", "config"):
        return JolokiaRequest(kind, parameters)
    if kind == "notification":
        return JolokiaRequest(kind, parameters, notification=_notification_of([_text(part) for part in rest]))
    if kind == "list":
        return JolokiaRequest(kind, parameters, path=_inner(rest))
    if kind == "search":
        return JolokiaRequest(kind, parameters, _name(_text(rest[0]) if rest else "*:*"))
    least = {"read": 1, "write": 3, "exec": 2}[kind]
    if len(rest) < least:
        raise BadRequest(f"{kind.capitalize()} GET requests require at least {least} path elements")
    name = _name(_text(rest[0]))
    if kind == "read":
        attribute, attributes = _attributes(_text(rest[1]) if len(rest) > 1 else None)
        return JolokiaRequest(kind, parameters, name, attribute, attributes, path=_inner(rest[2:]))
    if kind == "write":
        value = special_value(_text(rest[2]))
        return JolokiaRequest(kind, parameters, name, _text(rest[1]), value=value, path=_inner(rest[3:]))
    arguments = tuple(special_value(_text(part)) for part in rest[2:])
    return JolokiaRequest(kind, parameters, name, operation=_text(rest[1]), arguments=arguments)


def from_json(given: object, parameters: Parameters) -> JolokiaRequest:
    """A POST request. Raises BadRequest."""
    if not isinstance(given, dict):
        raise BadRequest("Invalid JSON Request. Expected Object or Array")
    config = given.get("config")
    if isinstance(config, dict):
        parameters = parameters.merged(config)
    kind = _type_of(given.get("type"))
    if kind in ("version", "config"):
        return JolokiaRequest(kind, parameters)
    if kind == "notification":
        return JolokiaRequest(kind, parameters, notification=_notification_of_json(given))
    path = _inner_of(given.get("path"))
    if kind == "list":
        return JolokiaRequest(kind, parameters, path=path)
    needed = {"read": ("mbean",), "search": ("mbean",), "write": ("mbean", "attribute", "value"),
              "exec": ("mbean", "operation")}[kind]  # fmt: skip
    for name in needed:
        if name not in given:
            raise BadRequest(f"{kind.capitalize()} POST requests require the key {name}")
    bean = _name(given["mbean"])
    if kind == "search":
        return JolokiaRequest(kind, parameters, bean)
    if kind == "read":
        attribute, attributes = _attributes(given.get("attribute"))
        return JolokiaRequest(kind, parameters, bean, attribute, attributes, path=path)
    if kind == "write":
        return JolokiaRequest(kind, parameters, bean, str(given["attribute"]), value=given["value"], path=path)
    arguments = given.get("arguments") or []
    if not isinstance(arguments, list):
        raise BadRequest("Exec POST requests take their arguments as an array")
    return JolokiaRequest(
        kind, parameters, bean, operation=str(given["operation"]), arguments=tuple(arguments), path=path
    )


def _notification_of(parts: Sequence[str]) -> NotificationCommand:
    """``register``, ``add/CLIENT/MODE/BEAN/FILTER,FILTER/CONFIG/HANDBACK``, ``remove/CLIENT/HANDLE`` ..."""
    given: list[str | None] = [*parts[:7], *[None] * (7 - len(parts))]
    command, client, third, bean, types, config, handback = given
    name = (command or "").lower()
    if name == "remove":
        return NotificationCommand(name, client, handle=third)
    return NotificationCommand(
        name, client, third, None if bean is None else _name(bean),
        tuple(split_escaped(types, ",", "\\")) if types and types.strip() else None,
        None if config is None else _config_of(config), handback,
    )  # fmt: skip


def _notification_of_json(given: Mapping[str, Any]) -> NotificationCommand:
    texts = {name: given.get(name) for name in ("command", "client", "mode", "handle")}
    for name, value in texts.items():
        if not isinstance(value, str | None):
            raise BadRequest(f"Notification requests need a text as {name}")
    types, config = given.get("filter"), given.get("config")
    if isinstance(types, str):
        types = [types]
    if types is not None and not (isinstance(types, list) and all(isinstance(each, str) for each in types)):
        raise BadRequest("Notification requests take their filter as an array of texts")
    return NotificationCommand(
        (texts["command"] or "").lower(), texts["client"], texts["mode"],
        None if given.get("mbean") is None else _name(given["mbean"]), tuple(types) if types else None,
        config if isinstance(config, dict | None) else _config_of(str(config)), given.get("handback"), texts["handle"],
    )  # fmt: skip


def _config_of(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"Cannot parse config '{text}' as JSON Object") from error
    if not isinstance(found, dict):
        raise BadRequest(f"Cannot parse config '{text}' as JSON Object")
    return found


def _type_of(given: object) -> str:
    word = str(given).lower()
    if word not in TYPES:
        raise BadRequest(f"No type with name '{given}' exists")
    return word


def _name(given: object) -> ObjectName:
    if not isinstance(given, str):
        raise BadRequest("Objectname can not be null")
    try:
        return ObjectName.parse(given)
    except MalformedObjectName as error:
        raise BadRequest(str(error)) from error


def _attributes(given: object) -> tuple[str | None, tuple[str, ...] | None]:
    """One attribute, or several: the protocol allows an array or a list with commas."""
    if given is None:
        return None, ()
    if isinstance(given, str):
        names = split_escaped(given, ",", "\\")
        return (names[0], None) if len(names) == 1 and names[0].strip() else (None, tuple(names if given else ()))
    if isinstance(given, list):
        return None, tuple(name for name in given if isinstance(name, str) and name.strip())
    raise BadRequest("Can't determine attribute names to read")


def _inner_of(given: object) -> tuple[str | None, ...] | None:
    if given is None:
        return None
    if isinstance(given, list):
        return _inner([None if part in (None, "*") else str(part) for part in given])
    return _inner(split_path(str(given).removeprefix("/")) or [])


def _inner(parts: Sequence[str | None]) -> tuple[str | None, ...] | None:
    if not parts:
        return None
    if parts[-1] is None:
        raise BadRequest(f"Path '{join_path(parts)}' must not end with a wildcard")
    return tuple(parts)


def _text(part: str | None) -> str:
    return "*" if part is None else part
