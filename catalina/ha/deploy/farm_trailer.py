"""The trailer that Python nodes add to each FileMessage, in the part of its buffer that Java sends and ignores.

It follows the ``dataLength`` bytes of the file and is big-endian (docs/wire.md 7.2)::

    8 bytes  "CATFARM1"
    16       id of this transfer
    8        offset of the piece in the file
    8        size of the file
    8        stamp: when the file came into the watched directory, ms since 1970; of two files of a name the newer wins
    32       SHA-256 of the file
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

__all__ = ["FarmTrailer"]

_FORM = struct.Struct(">8s16sQQQ32s")
_MAGIC = b"CATFARM1"


@dataclass(frozen=True, slots=True)
class FarmTrailer:
    """The place of one piece in a file, and the identity of the whole file."""

    transfer: bytes
    offset: int
    size: int
    stamp_ms: int
    sha256: bytes

    def encode(self) -> bytes:
        """The bytes of the trailer."""
        return _FORM.pack(_MAGIC, self.transfer, self.offset, self.size, self.stamp_ms, self.sha256)

    @classmethod
    def decode(cls, padding: bytes) -> FarmTrailer | None:
        """Decode the bytes behind a piece; None when a Java node sent them."""
        if len(padding) != _FORM.size or not padding.startswith(_MAGIC):
            return None
        return cls(*_FORM.unpack(padding)[1:])
