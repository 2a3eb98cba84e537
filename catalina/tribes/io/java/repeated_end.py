"""Messages of one class that differ in their numbers and first fields, and have the rest in common.

The bytes of the rest are remembered, both ways: from the values to the bytes, and from the bytes to the values. It is
bounded, and it is only what the form of the class has written or read itself.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Hashable, Sequence
from operator import call
from typing import Any

from catalina.tribes.io.java.object_form import BYTES, ObjectForm

__all__ = ["RepeatedEnd"]


class RepeatedEnd:
    """The messages of a form.

    Args:
        form: of the class.
        leading: how many fields, behind the numbers, are new in each message: byte arrays, none of them null.
    """

    #: How many ends are remembered each way, and how long one may be; the first one too many forgets all.
    LIMIT = 256
    MAX_SIZE = 4096

    def __init__(self, form: ObjectForm, leading: int) -> None:
        self._form = form
        first, again = BYTES, BYTES.again_at(form.head.handles)
        self._writers = (first.alone, *[again.alone] * (leading - 1))
        self._beginnings = (first.head.data, *[again.head.data] * (leading - 1))
        self._length = BYTES.length.unpack_from
        self._written: dict[Hashable, bytes] = {}
        self._read: dict[bytes, list[Any]] = {}

    def stream(
        self, numbers: Sequence[object], leading: Sequence[bytes], rest: Callable[[], Sequence[object]], by: Hashable
    ) -> bytes:
        """One message as a whole stream.

        Args:
            leading: the first fields.
            rest: gives the values of the others.
            by: equal where those values are.
        """
        form = self._form
        beginning = b"".join((form.start, form.pack(*numbers), *map(call, self._writers, leading)))
        end = self._written.get(by)
        if end is None:
            end = form.stream(numbers, (*leading, *rest()))[len(beginning) :]
            self._remember(self._written, by, end, len(end))
        return beginning + end

    def read(self, data: bytes) -> list[Any]:
        """The values of a message, as :meth:`ObjectForm.read` gives them.

        Raises:
            ProtocolError: it is no message of the class.
        """
        form, startswith = self._form, data.startswith
        if not startswith(form.start):
            return form.read(data)
        try:
            values = [*form.numbers(data)]
            at = form.others_at
            for beginning in self._beginnings:
                if not startswith(beginning, at):
                    return form.read(data)
                start = at + len(beginning) + 4
                at = start + self._length(data, start - 4)[0]
                values.append(data[start:at])
        except struct.error:  # it ends here
            return form.read(data)
        end = self._read.get(data[at:])
        if end is not None:
            return values + end
        found = form.read_usual(data)
        if found is None:
            return form.read(data)
        self._remember(self._read, data[at:], found[len(values) :], len(data) - at)
        return found

    def _remember(self, known: dict[Any, Any], key: Hashable, value: object, size: int) -> None:
        if size > self.MAX_SIZE:
            return
        if len(known) >= self.LIMIT:
            known.clear()
        known[key] = value
