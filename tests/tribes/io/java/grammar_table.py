"""A reader of Java object streams that knows only the table at the top of ``grammar.py``.

The product has two walks over a stream, each written out for its purpose: ``node_reader`` makes nodes, ``skim`` finds
the end of a value as quickly as possible. Both are held to this one, which runs the document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from catalina.tribes.io.java import grammar

__all__ = ["TABLE", "BrokenStream", "TableReader"]

ENTRY = re.compile(r"(7[0-9a-f]) ([A-Z]+) +(.+?)(?= {2,}7[0-9a-f] [A-Z]|$)", re.MULTILINE)
#: Code -> its name, and the parts behind it, in the order of the stream.
TABLE = {
    int(code, 16): (name, [part.strip() for part in parts.split(",")])
    for code, name, parts in ENTRY.findall(str(grammar.__doc__))
}
TABLE[grammar.TC_NULL] = ("NULL", [])
NUMBERS = {"byte": 1, "short": 2, "int": 4, "long": 8}


class BrokenStream(Exception):
    """The stream does not follow the table."""


@dataclass
class Described:
    """A class, as far as the data of its objects depend on it."""

    name: str = ""
    flags: int = 0
    fields: str = ""
    above: Described | None = None


class TableReader:
    """Reads one element; ``position`` is behind it then, and ``handles`` has an entry for each that it took."""

    def __init__(self, data: bytes, position: int = 0) -> None:
        self.data = data
        self.position = position
        self.handles: list[object] = []

    def element(self) -> object:
        """Read an element by the parts that the table lists for its code."""
        code = self.number(1)
        if code not in TABLE or code in (grammar.TC_BLOCKDATA, grammar.TC_BLOCKDATALONG, grammar.TC_ENDBLOCKDATA):
            raise BrokenStream(f"no element has the code {code:#x}")
        name, parts = TABLE[code]
        if name == "REFERENCE":
            return self.handles[self.number(4) - grammar.BASE_HANDLE]
        made = Described(name=name)
        desc: object = made
        count = 0
        for part in parts:
            if part == "[handle]":
                self.handles.append(made)
            elif part in ("classdesc", "superdesc"):
                desc = made.above = self.described()
            elif part == "byte flags":
                made.flags = self.number(1)
            elif part == "UTF name":
                made.name = self.take(self.number(2)).decode("utf-8", "replace")
            elif match := re.fullmatch(r"(byte|short|int|long) (?:n|suid)", part):
                count = self.number(NUMBERS[match.group(1)])
            else:
                self.counted(part, count, made, desc)
        return made if name in ("CLASSDESC", "PROXYCLASSDESC") else None

    def counted(self, part: str, count: int, made: Described, desc: object) -> None:
        match part:
            case "UTF":
                self.take(self.number(2))
            case "n bytes":
                self.take(count)
            case "n UTF names":
                for _ in range(count):
                    self.take(self.number(2))
            case "n fields":
                made.fields = "".join([self.field() for _ in range(count)])
            case "n elements":
                self.elements(desc, count)
            case "annotation":
                self.annotation()
            case "string object":
                self.element()
            case "data of each class from the topmost superclass down":
                self.class_data(desc)
            case _:
                raise AssertionError(f"the table has an unknown part {part!r}")

    def described(self) -> Described | None:
        found = self.element()
        if found is not None and not isinstance(found, Described):
            raise BrokenStream("no class")
        return found

    def field(self) -> str:
        kind = chr(self.number(1))
        self.take(self.number(2))
        if kind in "[L":
            self.element()
        elif kind not in grammar.PRIMITIVE_SIZES:
            raise BrokenStream(f"no field is of the type {kind!r}")
        return kind

    def elements(self, desc: object, count: int) -> None:
        if not isinstance(desc, Described):
            raise BrokenStream("no array")
        size = grammar.PRIMITIVE_SIZES.get(desc.name[1:])
        if size is not None:
            self.take(size * count)
            return
        for _ in range(count):
            self.element()

    def annotation(self) -> None:
        while (code := self.data[self.position]) != grammar.TC_ENDBLOCKDATA:
            if code in (grammar.TC_BLOCKDATA, grammar.TC_BLOCKDATALONG):
                self.position += 1
                self.take(self.number(1 if code == grammar.TC_BLOCKDATA else 4))
            else:
                self.element()
        self.position += 1

    def class_data(self, desc: object) -> None:
        if not isinstance(desc, Described):
            raise BrokenStream("no object")
        if desc.flags & grammar.SC_EXTERNALIZABLE:
            self.annotation()
            return
        if desc.above is not None:
            self.class_data(desc.above)
        for kind in desc.fields:
            if kind in "[L":
                self.element()
            else:
                self.take(grammar.PRIMITIVE_SIZES[kind])
        if desc.flags & grammar.SC_WRITE_METHOD:
            self.annotation()

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> bytes:
        start, self.position = self.position, self.position + size
        if self.position > len(self.data):
            raise BrokenStream("the stream ends too early")
        return self.data[start : self.position]
