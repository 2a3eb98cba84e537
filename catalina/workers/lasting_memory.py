"""Memory that outlives a keeper: what the next one could learn neither from files nor from workers nor from the group.

The arbiter makes it before it forks the first keeper, so it lasts as long as the node. It has texts and the values that
JSON can say. One process writes at a time, the keeper. The kernel may kill it at any moment: a record counts only when
it is there in whole, because its length is written last.
"""

from __future__ import annotations

import json
import logging
import mmap
import os
import struct
import threading
import zlib
from typing import Any

from catalina.repeated_messages import RepeatedMessages

__all__ = ["LastingMemory", "Section"]

log = logging.getLogger("org.apache.catalina.workers.LastingMemory")
_repeated = RepeatedMessages(log)

#: In front of each record: its length, and its checksum.
_HEAD = struct.Struct("<II")
#: How many bytes of the file count, and in the lowest bit which of the two files.
_STATE = struct.Struct("<Q")
#: A file is written anew when it is longer than this, and than twice what is still needed.
COMPACT_BYTES = 2**20


class LastingMemory:
    """All values of a node; a component takes a :meth:`section`. Any thread of one process at a time."""

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)
        self._files = [os.memfd_create(f"catalina-kept-{number}") for number in (0, 1)]
        self._lock = threading.Lock()
        #: As this process knows them; None before it has looked.
        self._known: dict[str, Any] | None = None

    def section(self, name: str) -> Section:
        """The values whose names begin in one way."""
        return Section(self, f"{name}\0")

    def close(self) -> None:
        """Close the descriptors of this process."""
        for descriptor in self._files:
            os.close(descriptor)

    def items(self) -> dict[str, Any]:
        """A copy of all values, in the order in which they were last set."""
        with self._lock:
            return dict(self._values())

    def put(self, name: str, value: object) -> None:
        """Keep a value, or forget it (None). If the machine has no memory left, the log says so, and the next keeper
        will not have the value.
        """
        with self._lock:
            values = self._values()
            old = values.pop(name, None)
            if value is not None:
                values[name] = value
            elif old is None:
                return
            try:
                self._append(_record(name, value))
            except OSError as error:
                _repeated.log(
                    logging.ERROR, "values that cannot be kept",
                    "The next keeper of this node will not know of [%s]: %s", name.replace("\0", " "), error,
                )  # fmt: skip

    # -- the files. Under the lock

    def _state(self) -> tuple[int, int]:
        """The file in use, and its length."""
        state: int = _STATE.unpack_from(self._page)[0]
        return state & 1, state >> 1

    def _values(self) -> dict[str, Any]:
        if self._known is None:
            number, length = self._state()
            self._known, whole = _read(os.pread(self._files[number], length, 0))
            if whole < length:
                log.error("The last keeper has left a broken record at [%d]; what comes after it is lost", whole)
                _STATE.pack_into(self._page, 0, whole << 1 | number)
        return self._known

    def _append(self, record: bytes) -> None:
        number, length = self._state()
        _write(self._files[number], record, length)
        _STATE.pack_into(self._page, 0, (length + len(record)) << 1 | number)
        if length > COMPACT_BYTES:
            self._compact(number, length)

    def _compact(self, number: int, length: int) -> None:
        needed = b"".join(_record(name, value) for name, value in self._values().items())
        if length < 2 * len(needed):
            return
        _write(self._files[1 - number], needed, 0)
        _STATE.pack_into(self._page, 0, len(needed) << 1 | (1 - number))
        os.ftruncate(self._files[number], 0)


class Section:
    """Some of the values of a node."""

    def __init__(self, memory: LastingMemory, prefix: str) -> None:
        self._memory = memory
        self._prefix = prefix

    def section(self, name: str) -> Section:
        """Some of these values."""
        return Section(self._memory, f"{self._prefix}{name}\0")

    def items(self) -> dict[str, Any]:
        """A copy of all values, in the order in which they were last set."""
        start = len(self._prefix)
        return {name[start:]: value for name, value in self._memory.items().items() if name.startswith(self._prefix)}

    def put(self, name: str, value: object) -> None:
        """Keep a value, or forget it (None)."""
        self._memory.put(self._prefix + name, value)


def _record(name: str, value: object) -> bytes:
    payload = json.dumps([name, value]).encode()
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def _write(descriptor: int, data: bytes, position: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, position)
        data, position = data[written:], position + written


def _read(data: bytes) -> tuple[dict[str, Any], int]:
    """The values of a file, up to the first record that is not whole, and where that begins."""
    found: dict[str, Any] = {}
    position = 0
    while position + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, position)
        payload = data[position + _HEAD.size : position + _HEAD.size + length]
        if zlib.crc32(payload) != checksum or len(payload) != length:
            break
        name, value = json.loads(payload)
        found.pop(name, None)
        if value is not None:
            found[name] = value
        position += _HEAD.size + length
    return found, position
