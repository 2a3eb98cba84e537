"""Files into messages and back, ours and Java's."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from catalina.errors import LimitError, ProtocolError
from catalina.ha.deploy.file_message import CHUNK_SIZE, FileMessage
from catalina.ha.deploy.file_message_factory import JAVA_QUIET, PIECE_SIZE, IncomingFile, read_messages, sha256_of
from tests.ha.deploy.farm import farm_file

SIZES = [0, 1, PIECE_SIZE - 1, PIECE_SIZE, PIECE_SIZE + 1, 3 * PIECE_SIZE]


@pytest.fixture
def written(tmp_path):
    def write(size: int) -> Any:
        path = tmp_path / "a.war"
        path.write_bytes(random.Random(size).randbytes(size))
        return path, farm_file(size=size, digest=sha256_of(str(path)))

    return write


@pytest.fixture
def incoming(tmp_path):
    """Begins a transfer; what is left of it is discarded."""
    begun = []

    def begin(first: FileMessage, max_size: int = 10**9) -> IncomingFile:
        (tmp_path / "in").mkdir()
        begun.append(IncomingFile(first, str(tmp_path / "in" / first.file_name), max_size, 0.0))
        return begun[-1]

    yield begin
    for each in begun:
        each.discard()


def java_messages(data: bytes) -> list[FileMessage]:
    """As Java sends a file: a buffer of 10240 bytes each time, one piece too many announced for multiples of it."""
    pieces = [data[at : at + CHUNK_SIZE] for at in range(0, len(data), CHUNK_SIZE)]
    total = len(data) // CHUNK_SIZE + 1
    return [
        FileMessage("a.war", "/a", piece, number, total, padding=b"s" * (CHUNK_SIZE - len(piece)))
        for number, piece in enumerate(pieces, 1)
    ]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("order", ["in order", "shuffled", "twice"])
def test_a_file_arrives_whole_whatever_the_order(tmp_path, written, size, order, incoming):
    path, file = written(size)
    messages = list(read_messages(str(path), file))
    if order == "shuffled":
        random.Random(1).shuffle(messages)
    target = incoming(messages[0])
    done = [target.add(message, 1.0) for message in messages for _ in range(2 if order == "twice" else 1)]
    assert done[-1]
    assert sum(done) <= (2 if order == "twice" else 1)
    target.finish()
    assert (tmp_path / "in/a.war").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("size", [1, CHUNK_SIZE - 1, CHUNK_SIZE + 1, 5 * CHUNK_SIZE + 7])
def test_what_java_sends_arrives_whole_in_any_order(tmp_path, size, incoming):
    data = random.Random(size).randbytes(size)
    messages = java_messages(data)
    random.Random(2).shuffle(messages)
    target = incoming(messages[0])
    assert [target.add(message, 0.0) for message in messages][-1]
    target.finish()
    assert (tmp_path / "in/a.war").read_bytes() == data


def test_a_multiple_of_javas_buffer_is_complete_when_nothing_more_comes(tmp_path, incoming):
    data = random.Random(3).randbytes(2 * CHUNK_SIZE)
    messages = java_messages(data)
    target = incoming(messages[0])
    assert not any(target.add(message, 10.0) for message in messages)
    assert not target.lacks_only_javas_extra_piece(10.0 + JAVA_QUIET - 0.1)
    assert target.lacks_only_javas_extra_piece(10.0 + JAVA_QUIET)
    target.finish()
    assert (tmp_path / "in/a.war").read_bytes() == data


def test_a_damaged_byte_is_found(tmp_path, written, incoming):
    path, file = written(100)
    (message,) = read_messages(str(path), file)
    bad = FileMessage("a.war", "/a", b"x" + message.data[1:], 1, 1, padding=message.padding)
    target = incoming(bad)
    assert target.add(bad, 0.0)
    with pytest.raises(ProtocolError, match="SHA-256"):
        target.finish()


def test_pieces_of_two_transfers_are_not_mixed(tmp_path, written, incoming):
    path, file = written(3 * PIECE_SIZE)
    one, other = list(read_messages(str(path), file)), list(read_messages(str(path), file))
    target = incoming(one[0])
    with pytest.raises(ProtocolError, match="another transfer"):
        target.add(other[1], 0.0)


@pytest.mark.parametrize("total", [1, 4])
def test_a_changed_total_is_refused(tmp_path, written, total, incoming):
    path, file = written(3 * PIECE_SIZE)
    messages = list(read_messages(str(path), file))
    target = incoming(messages[0])
    bad = FileMessage("a.war", "/a", b"", 1, total, padding=messages[0].padding)
    with pytest.raises(ProtocolError, match=f"{total} pieces, earlier 3"):
        target.add(bad, 0.0)


def test_a_file_that_is_too_large_is_refused_before_it_fills_the_disk(tmp_path, incoming):
    far = FileMessage("a.war", "/a", b"x", 900_000, 1_000_000, padding=b"s" * (CHUNK_SIZE - 1))
    target = incoming(far, max_size=10**6)
    with pytest.raises(LimitError, match="limit 1000000"):
        target.add(far, 0.0)
    assert os.path.getsize(target.path) == 0


def test_discarding_leaves_nothing(tmp_path, written, incoming):
    path, file = written(10)
    target = incoming(next(iter(read_messages(str(path), file))))
    target.discard()
    target.discard()
    assert not (tmp_path / "in").exists()


def test_a_file_that_shrinks_while_it_is_read_is_an_error(written):
    path, file = written(2 * PIECE_SIZE)
    path.write_bytes(b"short")
    with pytest.raises(ProtocolError, match=f"ends at byte 5, expected {2 * PIECE_SIZE}"):
        list(read_messages(str(path), file))


def test_progress_is_told_in_bytes(tmp_path, written, incoming):
    path, file = written(2 * PIECE_SIZE)
    messages = list(read_messages(str(path), file))
    target = incoming(messages[0])
    target.add(messages[0], 0.0)
    assert target.progress == (PIECE_SIZE, 2 * PIECE_SIZE)
