"""The access log with one JSON object per line (Tomcat: valves/JsonAccessLogValve.java)."""

from __future__ import annotations

import json

from catalina.valves.access_log_pattern import Code, Element, compile_line, parse_pattern
from catalina.valves.access_log_valve import AccessLogValve

__all__ = ["JsonAccessLogValve"]

#: Code -> key.
KEYS = {
    "a": "remoteAddr", "A": "localAddr", "b": "size", "B": "byteSentNC", "D": "elapsedTime", "F": "firstByteTime",
    "h": "host", "H": "protocol", "I": "threadName", "l": "logicalUserName", "m": "method", "p": "port", "q": "query",
    "r": "request", "s": "statusCode", "S": "sessionId", "t": "time", "T": "elapsedTimeS", "u": "user", "U": "path",
    "v": "localServerName", "X": "connectionStatus",
}  # fmt: skip
#: Code with a name -> key of the object that collects its values, in Tomcat's order.
OBJECTS = {
    "r": "requestAttributes", "s": "sessionAttributes", "c": "cookies", "i": "requestHeaders", "L": "identifier",
    "o": "responseHeaders",
}  # fmt: skip


class JsonAccessLogValve(AccessLogValve):
    """Takes the access log's ``pattern``, without its literal text. Every value is a string, as in Tomcat."""

    def _compile(self, pattern: str) -> Element | None:
        factory = self._factory()
        codes = [part for part in parse_pattern(pattern) if isinstance(part, Code) and part.letter != "%"]
        members: list[list[str | Element]] = [
            _member(_key(code), factory.make(code)) for code in codes if not _in_object(code)
        ]
        for letter, name in OBJECTS.items():
            inside = [
                _member(code.name or "", factory.make(code))
                for code in codes
                if _in_object(code) and code.letter == letter
            ]
            if inside:
                members.append([f"{json.dumps(name)}: {{", *_with_commas(inside), "}"])
        return compile_line(["{", *_with_commas(members), "}"])


def _in_object(code: Code) -> bool:
    return code.name is not None and code.letter in OBJECTS


def _key(code: Code) -> str:
    key = KEYS.get(code.letter, f"other-{code.letter}")
    return f"{key}-{code.name}" if code.name else key


def _member(key: str, value: str | Element) -> list[str | Element]:
    # Values are already escaped for the log, and the log's escapes are those of JSON.
    return [f'{json.dumps(key)}:"', value, '"']


def _with_commas(members: list[list[str | Element]]) -> list[str | Element]:
    parts: list[str | Element] = []
    for member in members:
        if parts:
            parts.append(",")
        parts.extend(member)
    return parts
