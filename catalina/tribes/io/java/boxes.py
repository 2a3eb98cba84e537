"""Numbers and booleans as Java's boxed objects, one after the other, described by a table of their classes.

The first ones of a stream bring their classes along. From then on only the values differ, so a run is packed and
unpacked in one piece. A reader that finds them in another form takes them from the stream one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any

from catalina.tribes.io.java.descriptors import BOOLEAN, INTEGER, LONG, new_object
from catalina.tribes.io.java.encoded_value import reference
from catalina.tribes.io.java.grammar import PRIMITIVE_CODES
from catalina.tribes.io.java.nodes import ClassDesc
from catalina.tribes.io.java.object_input_stream import ObjectInputStream
from catalina.tribes.io.java.object_output_stream import ObjectOutputStream

__all__ = ["Boxes"]

_READERS = {
    BOOLEAN: ObjectInputStream.read_boxed_bool,
    INTEGER: ObjectInputStream.read_boxed_int,
    LONG: ObjectInputStream.read_boxed_int,
}


class Boxes:
    """Objects of these classes, in this order.

    Args:
        descs: BOOLEAN, INTEGER or LONG, each.
    """

    def __init__(self, *descs: ClassDesc) -> None:
        self._descs = descs
        self._names = {desc.name for desc in descs}
        self._readers = [_READERS[desc] for desc in descs]
        #: Each box has the code of an object, that of a reference and the class's handle; then comes the value.
        forms = [f"6s{PRIMITIVE_CODES[desc.fields[0].kind]}" for desc in descs]
        self._form = struct.Struct(">" + "".join(forms))
        sizes = [struct.calcsize(">" + form) for form in forms]
        self._offsets = [sum(sizes[:number]) for number in range(len(sizes))]

    def write(self, out: ObjectOutputStream, values: Sequence[int | bool]) -> None:
        """Append them."""
        heads = out.heads_of_boxes.get(self)
        if heads is not None:
            out.write_raw(self._form.pack(*chain.from_iterable(zip(heads, values, strict=True))), len(values))
            return
        for desc, value in zip(self._descs, values, strict=True):
            out.write_node(new_object(desc, value=value))
        out.heads_of_boxes[self] = self._heads({desc.name: out.handle_of(desc) for desc in self._descs})

    def read(self, stream: ObjectInputStream) -> Sequence[Any]:
        """The values of the next objects; a Long may stand for an Integer, and the other way round.

        Raises:
            ProtocolError: they are of other classes.
        """
        heads = stream.heads_of_boxes.get(self)
        if heads:
            start, form = stream.position, self._form
            if len(stream.data) - start >= form.size:
                found = form.unpack_from(stream.data, start)
                if found[::2] == heads:
                    stream.advance(start + form.size, map(start.__add__, self._offsets))
                    return found[1::2]
        values = [read(stream) for read in self._readers]
        if heads is None:  # else it is known that the classes have no handles; to find them, all handles are looked at
            handles = stream.handles_of_classes(self._names)
            stream.heads_of_boxes[self] = self._heads(handles) if len(handles) == len(self._names) else ()
        return values

    def _heads(self, handles: dict[str, int]) -> tuple[bytes, ...]:
        return tuple([b"\x73\x71" + reference(handles[desc.name]) for desc in self._descs])
