"""The grammar of Java's object streams: codes, flags, limits (Java Object Serialization Specification, chapter 6).

::

    stream      aced 0005, then contents until the end
    70 NULL
    71 REFERENCE       int handle (the first is 7e0000)
    72 CLASSDESC       UTF name, long suid, [handle], byte flags, short n, n fields, annotation, superdesc
    73 OBJECT          classdesc, [handle], data of each class from the topmost superclass down
    74 STRING          [handle], UTF                 7c LONGSTRING  [handle], long n, n bytes
    75 ARRAY           classdesc, [handle], int n, n elements
    76 CLASS           classdesc, [handle]
    77 BLOCKDATA       byte n, n bytes               7a BLOCKDATALONG  int n, n bytes
    78 ENDBLOCKDATA    ends an annotation
    79 RESET           forgets all handles; only between the contents of the stream itself
    7b EXCEPTION       the writer gave up: handles are forgotten, a Throwable follows, handles are forgotten
    7d PROXYCLASSDESC  [handle], int n, n UTF names, annotation, superdesc
    7e ENUM            classdesc, [handle], string object

At ``[handle]`` the element takes the next number of the handle table, by which a later REFERENCE names it.

Two readers walk over a stream: ``node_reader`` makes nodes, ``skim`` finds the end of a value quickly. Each is written
out for its purpose, and the tests, which read this table, hold both to it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

STREAM_HEADER = b"\xac\xed\x00\x05"

TC_NULL = 0x70
TC_REFERENCE = 0x71
TC_CLASSDESC = 0x72
TC_OBJECT = 0x73
TC_STRING = 0x74
TC_ARRAY = 0x75
TC_CLASS = 0x76
TC_BLOCKDATA = 0x77
TC_ENDBLOCKDATA = 0x78
TC_RESET = 0x79
TC_BLOCKDATALONG = 0x7A
TC_EXCEPTION = 0x7B
TC_LONGSTRING = 0x7C
TC_PROXYCLASSDESC = 0x7D
TC_ENUM = 0x7E

#: Handles on the wire start here, so that a stray small int is not taken for one.
BASE_HANDLE = 0x7E0000

SC_WRITE_METHOD = 0x01
SC_SERIALIZABLE = 0x02
SC_EXTERNALIZABLE = 0x04
SC_BLOCK_DATA = 0x08
SC_ENUM = 0x10

#: Size in bytes of a primitive field or array element by its type character.
PRIMITIVE_SIZES = {"B": 1, "C": 2, "D": 8, "F": 4, "I": 4, "J": 8, "S": 2, "Z": 1}
#: The same types as ``struct`` calls them.
PRIMITIVE_CODES = {"B": "b", "C": "H", "D": "d", "F": "f", "I": "i", "J": "q", "S": "h", "Z": "?"}

#: Java's own writer cuts block data at this size.
MAX_BLOCK = 1024

U16 = struct.Struct(">H")
I32 = struct.Struct(">i")
U32 = struct.Struct(">I")
I64 = struct.Struct(">q")


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits to the work that a stream from outside may cause. Lengths are also always checked against the bytes at
    hand.

    Args:
        depth: nesting of objects; each level costs the reader some stack.
        superclasses: classes above one another; an object of the lowest has a part for each. Java's own classes need 8.
        expansion: bytes of all values cut out of one stream together, and at most EXPANSION_PER_BYTE for each byte of
            the stream. A reference to an earlier value is five bytes on the wire, but as large as that value when it is
            cut out.
    """

    depth: int = 100
    superclasses: int = 32
    expansion: int = 256 * 2**20

    def expansion_of(self, size: int) -> int:
        """The bytes that may be cut out of a stream of ``size`` bytes."""
        return min(self.expansion, EXPANSION_FLOOR + EXPANSION_PER_BYTE * size)


#: The least value of :attr:`Limits.expansion`, for small streams. Above it, twice the stream may cost twice the work
#: and no more.
EXPANSION_FLOOR = 2**20
EXPANSION_PER_BYTE = 32


DEFAULT_LIMITS = Limits()
