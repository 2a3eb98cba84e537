from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalina.juli.async_file_handler import AsyncFileHandler
from tests.juli.records import record


def writer_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "AsyncFileHandlerWriter"]


def log_path(tmp_path: Path) -> Path:
    return tmp_path / "catalina.2023-11-14.log"


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[AsyncFileHandler]:
    made = AsyncFileHandler(directory=str(tmp_path), prefix="catalina.")
    yield made
    made.close()


def test_what_was_logged_is_in_the_file_after_a_flush_and_in_order(handler: AsyncFileHandler, tmp_path: Path) -> None:
    for number in range(1000):
        handler.handle(record(str(number)))
    handler.flush()
    assert log_path(tmp_path).read_text().split() == [str(number) for number in range(1000)]


def test_closing_writes_the_rest_and_ends_the_thread(handler: AsyncFileHandler, tmp_path: Path) -> None:
    handler.handle(record("one"))
    assert writer_threads() == ["AsyncFileHandlerWriter"]
    handler.close()
    assert log_path(tmp_path).read_text() == "one\n"
    assert writer_threads() == []


def test_several_handlers_share_one_thread_that_the_last_one_ends(handler: AsyncFileHandler, tmp_path: Path) -> None:
    other = AsyncFileHandler(directory=str(tmp_path), prefix="other.")
    handler.handle(record("one"))
    other.handle(record("two"))
    other.close()
    assert writer_threads() == ["AsyncFileHandlerWriter"]


def test_a_formatted_record_does_not_change_when_its_arguments_do(handler: AsyncFileHandler, tmp_path: Path) -> None:
    values = [1]
    handler.handle(record("%s", args=(values,)))
    values.append(2)
    handler.flush()
    assert log_path(tmp_path).read_text() == "[1]\n"


@pytest.mark.parametrize(("overflow", "kept"), [(1, ["0", "1", "4"]), (2, ["2", "3", "4"]), (4, ["0", "1", "2"])])
def test_a_full_queue_loses_what_the_drop_type_says(tmp_path: Path, overflow: int, kept: list[str]) -> None:
    class Blocked(AsyncFileHandler):
        def write_now(self, text: str, date: str) -> None:
            entered.set()
            assert go_on.wait(10)
            super().write_now(text, date)

    entered, go_on = threading.Event(), threading.Event()
    made = Blocked(directory=str(tmp_path), prefix="catalina.", overflow_drop_type=overflow, max_record_count=3)
    made.handle(record("first"))
    assert entered.wait(10)
    for number in range(5):
        made.handle(record(str(number)))
    go_on.set()
    made.close()
    assert log_path(tmp_path).read_text().split() == ["first", *kept]


def test_a_forked_child_writes_its_own_records_once(handler: AsyncFileHandler, tmp_path: Path) -> None:
    handler.handle(record("before"))
    child = os.fork()
    if child == 0:
        handler.handle(record("child"))
        handler.flush()
        os._exit(0)
    os.waitpid(child, 0)
    handler.handle(record("parent"))
    handler.flush()
    assert log_path(tmp_path).read_text().split() == ["before", "child", "parent"]
