"""The versions of a record as bytes, without its values. They travel behind a value that Java reads, too.

::

    "Pr", u16 n, n x version of 16 bytes           the table; below, an index into it, 0 for none
    u16 id version, u16 born, u16 access, u16 floor
    u16 n, n x [text, u16 version that replaced the name]
    u32 n, n x [u8 kind (0 an attribute, else 1 + the number of the kind), text, u16 version]

A text is its length in bytes (u32) and UTF-8. A record with more than 65,535 versions is written without them; its
reader takes everything in it as changed just now.
"""

from __future__ import annotations

import struct

from catalina.errors import ProtocolError
from catalina.tribes.ledger.record import Field, Record, Snapshot
from catalina.tribes.ledger.version import NO_VERSION, VERSION_SIZE, Version

__all__ = ["decode_version_table", "encode_version_table"]

MAGIC = b"Pr"
_U8, _U16, _U32 = struct.Struct(">B"), struct.Struct(">H"), struct.Struct(">I")
_FOUR = struct.Struct(">HHHH")


def encode_version_table(record: Record) -> bytes:
    """The versions of everything in a record."""
    versions: dict[Version, int] = {NO_VERSION: 0}

    def index(version: Version) -> bytes:
        return _U16.pack(versions.setdefault(version, len(versions)))

    try:
        body = [index(version) for version in (record.id_version, record.born, record.access, record.floor)]
        body.append(_U16.pack(len(record.names)))
        for name, replaced in record.names.items():
            body += [_text(name), index(replaced)]
        body.append(_U32.pack(len(record.versions)))
        for field, version in record.versions.items():
            kind, text = (0, field) if isinstance(field, str) else (1 + field[0], field[1])
            body += [_U8.pack(kind), _text(text), index(version)]
    except struct.error:
        return b""
    return b"".join((MAGIC, _U16.pack(len(versions) - 1), *list(versions)[1:], *body))


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return _U32.pack(len(data)) + data


def decode_version_table(data: bytes, key: str, full_id: str) -> Snapshot | None:
    """A record with these versions and without values; None when the bytes are no table.

    Raises:
        ProtocolError: it is a table, and broken.
    """
    if not data.startswith(MAGIC):
        return None
    reader = _Reader(data)
    try:
        return reader.snapshot(key, full_id)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise ProtocolError(f"a table of versions of {len(data)} bytes is cut or broken: {error}", reader.at) from None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = len(MAGIC)
        self._versions: list[Version] = [NO_VERSION]

    def _number(self, form: struct.Struct) -> int:
        (number,) = form.unpack_from(self._data, self.at)
        self.at += form.size
        return int(number)

    def _take(self, size: int) -> bytes:
        taken = self._data[self.at : self.at + size]
        if len(taken) != size:
            raise IndexError(f"expected {size} bytes, got {len(taken)}")
        self.at += size
        return taken

    def _text(self) -> str:
        return self._take(self._number(_U32)).decode("utf-8", "surrogatepass")

    def _version(self) -> Version:
        return self._versions[self._number(_U16)]

    def snapshot(self, key: str, full_id: str) -> Snapshot:
        for _ in range(self._number(_U16)):
            self._versions.append(self._take(VERSION_SIZE))
        id_version, born, access, floor = (self._versions[index] for index in _FOUR.unpack(self._take(_FOUR.size)))
        names = {self._text(): self._version() for _ in range(self._number(_U16))}
        versions: dict[Field, Version] = {}
        for _ in range(self._number(_U32)):
            kind, text = self._number(_U8), self._text()
            versions[(kind - 1, text) if kind else text] = self._version()
        return Snapshot(key, full_id, id_version, born, access, names, versions, {}, {}, floor)
