from __future__ import annotations

import struct

import pytest

from catalina.errors import LimitError, ProtocolError
from catalina.tribes.io.java import EncodedValue, decode_value, value_decoder
from catalina.tribes.io.java.boundary import FAULTS, broken


@pytest.mark.parametrize(
    "fault",
    [
        struct.error("unpack requires a buffer of 4 bytes"),
        KeyError("name"),
        IndexError("list index out of range"),
        TypeError("unhashable type"),
        OverflowError("too large"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        AttributeError("no attribute"),
    ],
    ids=lambda fault: type(fault).__name__,
)
def test_what_python_raises_becomes_the_documented_error(fault: Exception) -> None:
    assert isinstance(fault, FAULTS)
    error = broken("a delta", fault)
    assert isinstance(error, ProtocolError)
    assert str(error).startswith(f"a delta cannot be read: {type(fault).__name__}: ")


@pytest.mark.parametrize("fault", [RecursionError("too deep"), MemoryError()], ids=["depth", "memory"])
def test_what_is_too_deep_or_too_large_exceeds_a_limit(fault: Exception) -> None:
    assert isinstance(fault, FAULTS)
    assert isinstance(broken("a delta", fault), LimitError)


def test_the_text_of_a_fault_is_cut() -> None:
    assert len(str(broken("a delta", ValueError("x" * 10_000)))) < 300


def test_a_decoder_that_has_forgotten_a_case_still_raises_the_documented_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forgetful(self: object, node: object) -> object:
        raise KeyError("a case that nobody thought of")

    monkeypatch.setattr(value_decoder.Converter, "convert", forgetful)
    with pytest.raises(ProtocolError, match=r"a value of class java.lang.String cannot be read: KeyError"):
        decode_value(EncodedValue(b"\x7c" + bytes(7) + b"\x01x", 1))
