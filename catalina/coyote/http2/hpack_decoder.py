"""Decodes header blocks into fields (RFC 7541; Tomcat: HpackDecoder.java).

The library hpack also decodes, but copies the rest of a block for each field, and processes a whole block before it
finds it too large. Its tables and its Huffman code are used here.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache

from hpack import HPACKError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

__all__ = ["HpackDecoder", "HpackException", "OversizedException"]

Field = tuple[bytes, bytes]

STATIC: tuple[Field, ...] = ((b"", b""), *HeaderTable.STATIC_TABLE)
FIRST_DYNAMIC = len(STATIC)
#: Bytes that an entry costs beyond its name and value (section 4.1), and in Tomcat's count of a header list.
ENTRY_OVERHEAD, FIELD_OVERHEAD = 32, 3
#: Numbers over that are an attack or an error.
LARGEST = 2**31 - 1
#: Strings up to this size are decoded once: clients send the same again on each connection.
REMEMBERED_SIZE = 128


class HpackException(ValueError):
    """The block is invalid; the tables of both ends no longer agree."""


class OversizedException(ValueError):
    """The fields are larger than the limit."""


class HpackDecoder:
    """One direction of one connection.

    Args:
        table_size: the size of the dynamic table, in bytes.
    """

    def __init__(self, table_size: int = 4096) -> None:
        self._limit = self._table_limit = table_size
        self._table: deque[Field] = deque()  # the newest first
        self._table_size = 0
        #: The last block's number of fields, the parts of a cookie as one, and its bytes in Tomcat's count.
        self.count = self.size = 0

    def decode(self, block: bytes, largest: int = LARGEST) -> list[Field]:
        """The fields of a block.

        Args:
            largest: bytes, in Tomcat's count, after which the work stops.

        Raises:
            HpackException: the block cannot be decoded.
            OversizedException: the block is larger. After either error nothing more can be decoded.
        """
        fields: list[Field] = []
        at, end, size, cookies = 0, len(block), 0, 0
        try:
            while at < end:
                first = block[at]
                if first >= 0x80:
                    index = first & 0x7F
                    at += 1
                    if index == 0x7F:
                        index, at = _integer(block, at - 1, 7)
                    field = STATIC[index] if 0 < index < FIRST_DYNAMIC else self._dynamic(index)
                elif 0x20 <= first < 0x40:
                    if fields:
                        raise HpackException("a size of the table behind fields")
                    at = self._resize(block, at)
                    continue
                else:
                    field, at = self._literal(block, at, 6 if first >= 0x40 else 4)
                fields.append(field)
                name = field[0]
                size += FIELD_OVERHEAD + len(name) + len(field[1])
                if name == b"cookie":
                    cookies += 1
                if size > largest:
                    raise OversizedException(f"more than {largest} bytes of fields")
        except (IndexError, HPACKError) as exc:
            raise HpackException(f"the block cannot be decoded at byte {at} of {end}: {exc}") from exc
        self.count, self.size = len(fields) - max(0, cookies - 1), size
        return fields

    def _dynamic(self, index: int) -> Field:
        if index < FIRST_DYNAMIC:
            raise HpackException("the index 0")
        return self._table[index - FIRST_DYNAMIC]

    def _literal(self, block: bytes, at: int, prefix: int) -> tuple[Field, int]:
        index, at = _integer(block, at, prefix)
        if index == 0:
            name, at = _string(block, at)
        else:
            name = (STATIC[index] if index < FIRST_DYNAMIC else self._dynamic(index))[0]
        value, at = _string(block, at)
        if prefix == 6:
            self._add(name, value)
        return (name, value), at

    def _add(self, name: bytes, value: bytes) -> None:
        size = len(name) + len(value) + ENTRY_OVERHEAD
        self._evict(self._limit - size)
        if size <= self._limit:
            self._table.appendleft((name, value))
            self._table_size += size

    def _evict(self, size: int) -> None:
        """Make the table as small as ``size``."""
        while self._table and self._table_size > size:
            name, value = self._table.pop()
            self._table_size -= len(name) + len(value) + ENTRY_OVERHEAD

    def _resize(self, block: bytes, at: int) -> int:
        size, at = _integer(block, at, 5)
        if size > self._table_limit:
            raise HpackException(f"a table of {size} bytes, at most {self._table_limit}")
        self._limit = size
        self._evict(size)
        return at


def _integer(block: bytes, at: int, prefix: int) -> tuple[int, int]:
    """A number, and the position of its end (section 5.1)."""
    mask = (1 << prefix) - 1
    value = block[at] & mask
    at += 1
    if value < mask:
        return value, at
    shift = 0
    while True:
        byte = block[at]
        at += 1
        value += (byte & 0x7F) << shift
        if value > LARGEST or shift > 28:
            raise HpackException("a number that is too large")
        if byte < 0x80:
            return value, at
        shift += 7


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    """A string, and the position of its end (section 5.2)."""
    is_huffman = block[at] >= 0x80
    size, at = _integer(block, at, 7)
    end = at + size
    if end > len(block):
        raise HpackException("a string that is cut short")
    text = block[at:end]
    if is_huffman:
        text = _remembered(text) if size <= REMEMBERED_SIZE else bytes(decode_huffman(text))
    return text, end


@lru_cache(maxsize=1024)
def _remembered(text: bytes) -> bytes:
    return bytes(decode_huffman(text))
