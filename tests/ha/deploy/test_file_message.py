from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import pytest

from catalina.errors import ProtocolError
from catalina.ha.deploy.file_message import CHUNK_SIZE, FileMessage
from catalina.tribes.io.java import dumps
from tests.tribes.wire import cases

WIRE = next(bytes.fromhex(case["hex"]) for case in cases("file_messages") if case["name"].startswith("FileMessage"))
#: sha256 of the only piece of a file of one byte 0, as Java sends it with its whole buffer.
ONE_BYTE = "09422e27cef30692085610f09f985e7afa73da69f9792d372ff063146152e265"


def test_a_captured_piece_is_read_and_written_to_the_byte() -> None:
    message = FileMessage.decode(WIRE)
    assert message == FileMessage("a##2.war", "/a##2", b"abcd", 3, 9, 77, b"ef")
    assert message.encode() == WIRE
    assert FileMessage.matches(WIRE)


def test_a_piece_with_java_s_whole_buffer_is_written_to_the_byte() -> None:
    message = FileMessage("app.war", "/app", b"\0", 1, 1, padding=bytes(CHUNK_SIZE - 1))
    assert hashlib.sha256(message.encode()).hexdigest() == ONE_BYTE


def test_only_the_bytes_that_count_are_data() -> None:
    assert FileMessage.decode(WIRE).data == b"abcd"


@pytest.mark.parametrize(
    "change",
    [{"message_number": 0}, {"message_number": 10}, {"message_number": -1}, {"total_messages": 0}],
)
def test_numbers_that_contradict_each_other_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError, match="messageNumber"):
        FileMessage.decode(dataclasses.replace(FileMessage.decode(WIRE), **change).encode())


def test_more_data_than_there_is_cannot_count() -> None:
    at = WIRE.index(b"\0\0\0\x04\0\0\0\x03")
    for length in (b"\0\0\0\x07", b"\xff\xff\xff\xff"):
        with pytest.raises(ProtocolError, match="dataLength"):
            FileMessage.decode(WIRE[:at] + length + WIRE[at + 4 :])


@pytest.mark.parametrize("data", [b"", dumps(1), WIRE[:-3], dumps({"fileName": "x"})])
def test_other_messages_are_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        FileMessage.decode(data)
