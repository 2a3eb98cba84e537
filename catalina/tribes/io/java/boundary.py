"""The boundary of the decoders: each returns a value or raises ProtocolError, whatever the bytes were.

The decoders check what they read and say what is wrong with it. This module is the net below: a combination that nobody
thought of ends in an exception of Python itself, and the callers of a decoder are prepared for ProtocolError alone. A
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

#: Python's exceptions for numbers, texts, structures and nesting that do not fit. OSError is not among them: no decoder
#: does I/O.
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
    """The documented error that replaces one of :data:`FAULTS`.

    Args:
        what: what was being read, such as ``a delta``.
    """
    text = f"{what} cannot be read: {type(fault).__name__}: {fault!s:.200}"
    return LimitError(text) if isinstance(fault, (MemoryError, RecursionError)) else ProtocolError(text)
