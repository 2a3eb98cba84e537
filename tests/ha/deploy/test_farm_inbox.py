"""Files that are arriving."""

from __future__ import annotations

import os

import pytest

from catalina.errors import LimitError, ProtocolError
from catalina.ha.deploy import farm_inbox
from catalina.ha.deploy.farm_inbox import FarmInbox
from catalina.ha.deploy.file_message import CHUNK_SIZE, FileMessage
from catalina.ha.deploy.file_message_factory import JAVA_QUIET, read_messages, sha256_of
from tests.ha.deploy.farm import farm_file, member

ONE = member(1)


@pytest.fixture
def inbox(tmp_path):
    inbox = FarmInbox(str(tmp_path), 10**6, 300)
    yield inbox
    inbox.discard_all()


def piece(name="a.war", number=1, total=2, data=b"x", buffer=CHUNK_SIZE):
    return FileMessage(name, "/a", data, number, total, padding=b"s" * (buffer - len(data)))


def test_a_file_of_ours_is_what_its_sender_says(tmp_path, inbox):
    source = tmp_path / "s.war"
    source.write_bytes(b"hello")
    file = farm_file("a.war", stamp=77, size=5, digest=sha256_of(str(source)))
    (message,) = read_messages(str(source), file)
    received = inbox.take(message, ONE, 0.0)
    received.check()
    assert received.file() == file
    received.discard()
    assert os.listdir(tmp_path) == ["s.war"]


def test_a_file_of_java_is_as_new_as_its_arrival(inbox):
    received = inbox.take(piece(total=1), ONE, 0.0)
    received.check()
    assert received.file().stamp_ms > 1_700_000_000_000


@pytest.mark.parametrize(
    "name",
    [
        "../a.war",
        "/etc/a.war",
        "a/b.war",
        "a.txt",
        "",
        ".a.war",
        "..",
        "a\n.war",
        "a\\b.war",
        "<b>.war",
        "x" * 300 + ".war",
    ],
)
def test_a_file_name_that_is_a_path_or_no_archives_is_refused(tmp_path, inbox, name):
    with pytest.raises(ProtocolError, match="file name"):
        inbox.take(piece(name), ONE, 0.0)
    assert os.listdir(tmp_path) == []


def test_transfers_of_two_senders_are_apart(inbox):
    inbox.take(piece(data=b"1" * CHUNK_SIZE), ONE, 0.0)
    inbox.take(piece(data=b"2" * CHUNK_SIZE), member(2), 0.0)
    received = inbox.take(piece(number=2, data=b"!"), ONE, 0.0)
    received.check()
    with open(received.path, "rb") as source:
        assert source.read() == b"1" * CHUNK_SIZE + b"!"


def test_a_stalled_transfer_is_dropped(tmp_path, inbox, caplog):
    inbox.take(piece(total=3), ONE, 0.0)
    assert inbox.sweep(300.0) == []
    assert inbox.progress()
    assert inbox.sweep(300.1) == []
    assert not inbox.progress()
    assert os.listdir(tmp_path) == []
    assert "the transfer is dropped" in caplog.text


def test_a_negative_time_keeps_transfers_for_ever(tmp_path):
    inbox = FarmInbox(str(tmp_path), 10**6, -1)
    inbox.take(piece(total=3), ONE, 0.0)
    inbox.sweep(10**9)
    assert inbox.progress()
    inbox.discard_all()


def test_what_lacks_only_javas_extra_piece_is_complete(inbox):
    inbox.take(piece(data=b"1" * CHUNK_SIZE), ONE, 0.0)
    (received,) = inbox.sweep(JAVA_QUIET)
    received.check()
    assert received.name == "a.war"
    assert not inbox.progress()


def test_a_refused_piece_ends_the_transfer(tmp_path, inbox):
    inbox.take(piece(total=200), ONE, 0.0)
    with pytest.raises(LimitError):
        inbox.take(piece(number=150, total=200), ONE, 0.0)
    assert os.listdir(tmp_path) == []


def test_the_number_of_transfers_is_bounded(inbox, monkeypatch):
    monkeypatch.setattr(farm_inbox, "MAX_TRANSFERS", 2)
    for number in range(2):
        inbox.take(piece(f"{number}.war"), ONE, 0.0)
    with pytest.raises(LimitError, match="2 transfers at a time, limit 2"):
        inbox.take(piece("3.war"), ONE, 0.0)


def test_what_an_earlier_run_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / "incoming-x").mkdir()
    (tmp_path / "kept").mkdir()
    FarmInbox(str(tmp_path), 1, 1)
    assert os.listdir(tmp_path) == ["kept"]


def test_discarding_all_leaves_nothing(tmp_path, inbox):
    inbox.take(piece(), ONE, 0.0)
    inbox.discard_all()
    assert os.listdir(tmp_path) == []


def test_a_transfer_that_goes_on_is_arriving(inbox):
    inbox.take(piece(), ONE, 100.0)
    assert inbox.is_arriving("a.war", 101.0)
    assert not inbox.is_arriving("b.war", 101.0)
    assert not inbox.is_arriving("a.war", 200.0)
