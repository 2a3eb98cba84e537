"""Names of an entry whose key may change: a session's id, with the route of the node that serves it.

An entry stays the same for its whole life, and every node finds it by its first bare name. The part of a key behind the
bare name is presentation: ``X.n1`` and ``X.n2`` are one entry. A bare name that was replaced (at a login) leads nowhere
any more. Java knows none of this: it reads the whole key, and is told that the old key is removed and a new one exists.

The names of an entry are a value: two nodes that have heard the same changes, in whatever order, have the same names.
They travel as block data between the key and the stamp, where Java does not read, and only for renamed entries::

    short    block data, "Pn", u8 length, first bare name          so that the entry is found
    whole    ... and 16 bytes version, u8 count, count x [u8 length, bare name, 16 bytes: the version that replaced it]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from catalina.errors import ProtocolError
from catalina.tribes.tipis.map_stamp import NAMES_MAGIC, NO_VERSION, VERSION_SIZE

__all__ = ["MAX_NAMES", "Bare", "Names", "decode_names"]

#: Returns the bare name of a key.
Bare = Callable[[str], str]

#: The number of bare names of one entry that are remembered; the name that was replaced first is forgotten first.
MAX_NAMES = 16
#: The largest number of bytes of a bare name; a longer one is not told to other nodes.
MAX_NAME = 255

_BLOCK_DATA, _BLOCK_DATA_LONG = 0x77, 0x7A
_ABSENT = bytes(VERSION_SIZE)


class Names(NamedTuple):
    """The names of one entry.

    Args:
        id: the bare name that the entry was made with, by which every node finds it.
        key: the key that clients see and Java knows.
        version: the version of the rename that gave it this key; empty when it never had another, or Java renamed it.
        replaced: each bare name with the version that replaced it, empty while it leads to the entry. None: only the
            first bare name of the entry is known to be one of its names.
    """

    id: str
    key: str
    version: bytes = NO_VERSION
    replaced: Mapping[str, bytes] | None = None

    @property
    def all(self) -> Mapping[str, bytes]:
        """Every bare name with the version that replaced it."""
        return {self.id: NO_VERSION} if self.replaced is None else self.replaced

    def leads(self, bare: str) -> bool:
        """True when a client with this bare name may use the entry."""
        return self.all.get(bare) == NO_VERSION

    def renamed(self, new_key: str, version: bytes, bare: Bare) -> Names:
        """The names after the entry was given another key; the rename is later than every known change."""
        old, new = bare(self.key), bare(new_key)
        if old == new:
            return self._replace(key=new_key, version=version)
        replaced = {name: when or version for name, when in self.all.items()} | {old: version, new: NO_VERSION}
        return Names(self.id, new_key, version, _bounded(replaced))

    def merged(self, other: Names, bare: Bare) -> Names:
        """These names after another node's names were heard."""
        version, key = max((self.version, self.key), (other.version, other.key))
        route = key[len(bare(key)) :]
        replaced = dict(self.all)
        for name, when in other.all.items():
            replaced[name] = max(replaced.get(name, NO_VERSION), when)
        # Several bare names are in use when two changes have crossed. A node may have made a key without knowing that
        # its bare name had been replaced; the route in that key is the latest all the same.
        in_use = max((name for name, when in replaced.items() if not when), default=None)
        key = key if in_use is None else in_use + route
        return Names(min(self.id, other.id), key, version, _bounded(replaced) if len(replaced) > 1 else None)

    def encode(self, bare: Bare, *, is_whole: bool) -> bytes:
        """Encode the block. A short block is empty when the key itself shows the first bare name."""
        if (not is_whole and bare(self.key) == self.id) or len(_utf8(self.id)) > MAX_NAME:
            return b""
        body = bytearray(NAMES_MAGIC)
        _write(body, self.id)
        if is_whole:
            body += self.version or _ABSENT
            names = [(name, when) for name, when in self.all.items() if len(_utf8(name)) <= MAX_NAME]
            body.append(len(names))
            for name, when in names:
                _write(body, name)
                body += when or _ABSENT
        if len(body) < 256:
            return bytes((_BLOCK_DATA, len(body))) + body
        return bytes((_BLOCK_DATA_LONG,)) + len(body).to_bytes(4, "big") + body


def _bounded(replaced: dict[str, bytes]) -> dict[str, bytes]:
    while len(replaced) > MAX_NAMES:
        del replaced[min(replaced, key=lambda name: (not replaced[name], replaced[name], name))]
    return replaced


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _write(body: bytearray, name: str) -> None:
    data = _utf8(name)
    body.append(len(data))
    body += data


def decode_names(block: bytes, key: str) -> tuple[Names, bool]:
    """Read a block.

    Returns:
        the names, and True if the block was whole; a short block gives only the first bare name and the key.

    Raises:
        ProtocolError: the bytes are no such block.
    """
    if block[:1] == bytes((_BLOCK_DATA,)):
        body, size = 2, block[1] if len(block) > 1 else 0
    else:
        body, size = 5, int.from_bytes(block[1:5], "big")
    is_block = block[:1] in (bytes((_BLOCK_DATA,)), bytes((_BLOCK_DATA_LONG,))) and body + size == len(block)
    if not is_block or block[body : body + 2] != NAMES_MAGIC:
        raise ProtocolError(f"expected the names of an entry, got {block[:16].hex()} ({len(block)} bytes)", 0)
    try:
        return _read(block, body + len(NAMES_MAGIC), key)
    except (IndexError, UnicodeDecodeError) as error:
        raise ProtocolError(f"the names of an entry are cut or broken: {error}", body) from None


def _read(data: bytes, at: int, key: str) -> tuple[Names, bool]:
    end = len(data)
    first, at = _name_at(data, at)
    if at == end:
        return Names(first, key), False
    version, at = _version_at(data, at)
    count, at = data[at], at + 1
    replaced: dict[str, bytes] = {}
    for _ in range(count):
        name, at = _name_at(data, at)
        replaced[name], at = _version_at(data, at)
    if at != end or count > MAX_NAMES:
        raise IndexError(f"{end - at} bytes behind {count} names")
    return Names(first, key, version, replaced if len(replaced) > 1 or first not in replaced else None), True


def _name_at(data: bytes, at: int) -> tuple[str, int]:
    stop = at + 1 + data[at]
    if stop > len(data):
        raise IndexError(f"expected a name of {data[at]} bytes, got {len(data) - at - 1}")
    return data[at + 1 : stop].decode("utf-8", "surrogatepass"), stop


def _version_at(data: bytes, at: int) -> tuple[bytes, int]:
    version = data[at : at + VERSION_SIZE]
    if len(version) < VERSION_SIZE:
        raise IndexError(f"expected a version of {VERSION_SIZE} bytes, got {len(version)}")
    return (NO_VERSION if version == _ABSENT else version), at + VERSION_SIZE
