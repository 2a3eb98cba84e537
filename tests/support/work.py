"""How much a call computes, without a clock: the same number on every machine, busy or idle.

``instructions`` counts the bytecode instructions that this thread executes in Python code. ``assert_linear`` states
the bound that every decoder of bytes from outside keeps: twice the input, about twice the instructions. Work inside
of one call of C code (a copy, a regular expression) does not count: look for those by reading.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

#: Factor by which twice the input may cost more than twice: buffers and dictionaries that grow now and then.
SLACK = 1.25

#: Instructions below which a difference says nothing.
NOISE = 500


def instructions(call: Callable[[], object]) -> int:
    """The bytecode instructions that ``call()`` executes. Exceptions of the call pass."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if event == "call":
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
        elif event == "opcode":
            count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def assert_linear(make: Callable[[int], Callable[[], object]], size: int, slack: float = SLACK) -> None:
    """``make(n)`` returns a call that works on an input of size n; it is measured for ``size`` and twice ``size``.

    Make the input outside of the call, so that only the decoder is counted. A call that refuses its input has to
    catch the documented error itself.
    """
    make(8)()  # imports and caches
    once, twice = instructions(make(size)), instructions(make(2 * size))
    assert twice <= 2 * once * slack + NOISE, f"input {size}: {once} instructions, input {2 * size}: {twice}"
