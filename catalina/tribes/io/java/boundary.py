"""The boundary of the decoders: what leaves one of them is a value or a ProtocolError, whatever the bytes were.

The decoders check what they read and say what is wrong with it. This is the net below: a combination that nobody
thought of ends in an exception of Python itself, and who called the decoder is prepared for ProtocolError alone. A
``try`` costs nothing as long as nothing is raised, so each public decoder has one of its own::

    try:
        ...
    except FAULTS as fault:
        raise broken("a delta", fault) from fault
"""

from __future__ import annotations

import struct

from catalina.errors import LimitError, ProtocolError

__all__ = ["FAULTS", "broken"]

#: Errors of Python on numbers, texts, structures and nesting that do not fit. Not OSError: no decoder does I/O.
FAULTS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


def broken(what: str, fault: BaseException) -> ProtocolError:
    """The documented error for one of :data:`FAULTS`.

    Args:
        what: what was being read, such as ``a delta``.
    """
    text = f"{what} cannot be read: {type(fault).__name__}: {fault!s:.200}"
    return LimitError(text) if isinstance(fault, (MemoryError, RecursionError)) else ProtocolError(text)
