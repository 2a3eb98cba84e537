from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from catalina.juli.file_handler import FileHandler
from tests.juli.records import record

DAY = 86_400


def handler(tmp_path: Path, **values: object) -> FileHandler:
    return FileHandler(directory=str(tmp_path / "logs"), prefix="catalina.", **values)


def test_a_record_is_appended_to_the_file_of_its_day(tmp_path: Path) -> None:
    made = handler(tmp_path)
    made.handle(record("one"))
    made.handle(record("two"))
    assert (tmp_path / "logs" / "catalina.2023-11-14.log").read_text() == "one\ntwo\n"
    made.close()


def test_no_file_is_made_before_the_first_record(tmp_path: Path) -> None:
    handler(tmp_path).close()
    assert not (tmp_path / "logs").exists()


def test_at_midnight_another_file_begins(tmp_path: Path) -> None:
    made = handler(tmp_path)
    made.handle(record("one"))
    made.handle(record("two", created=1_700_000_000 + DAY))
    made.close()
    assert sorted(path.name for path in (tmp_path / "logs").iterdir()) == [
        "catalina.2023-11-14.log",
        "catalina.2023-11-15.log",
    ]


def test_without_rotation_the_name_has_no_date(tmp_path: Path) -> None:
    made = handler(tmp_path, rotatable=False, suffix="out")
    made.handle(record("one"))
    made.handle(record("two", created=1_700_000_000 + DAY))
    made.close()
    assert (tmp_path / "logs" / "catalina.out").read_text() == "one\ntwo\n"


def test_old_files_of_this_log_are_deleted_when_a_file_is_opened(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    yesterday = time.strftime("%Y-%m-%d", time.localtime(time.time() - DAY))
    for name in ("catalina.2001-01-01.log", f"catalina.{yesterday}.log", "other.2001-01-01.log", "catalina.out"):
        (logs / name).touch()
    made = handler(tmp_path, max_days=90)
    made.handle(record("now", created=time.time()))
    made.close()
    names = {path.name for path in logs.iterdir()}
    assert "catalina.2001-01-01.log" not in names
    assert {f"catalina.{yesterday}.log", "other.2001-01-01.log", "catalina.out"} <= names


def test_a_buffer_keeps_records_until_it_is_flushed(tmp_path: Path) -> None:
    made = handler(tmp_path, buffer_size=16384)
    made.handle(record("one"))
    path = tmp_path / "logs" / "catalina.2023-11-14.log"
    assert path.read_text() == ""
    made.flush()
    assert path.read_text() == "one\n"
    made.close()


def test_the_encoding_is_that_of_the_attribute(tmp_path: Path) -> None:
    made = handler(tmp_path, encoding="iso-8859-1")
    made.handle(record("é €"))
    made.close()
    assert (tmp_path / "logs" / "catalina.2023-11-14.log").read_bytes() == b"\xe9 ?\n"


def test_a_disk_that_refuses_is_reported_and_the_caller_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").touch()
    handler(tmp_path).handle(record("one"))
    assert "FileExistsError" in capsys.readouterr().err


def test_two_processes_with_buffers_write_whole_records(tmp_path: Path) -> None:
    handlers = [handler(tmp_path, buffer_size=10_000) for _ in range(2)]
    for number in range(200):
        for made in handlers:
            made.handle(record(f"{number} " + "x" * 300))
    for made in handlers:
        made.close()
    lines = (tmp_path / "logs" / "catalina.2023-11-14.log").read_text().splitlines()
    assert len(lines) == 400
    assert all(line.endswith(" " + "x" * 300) for line in lines)


def test_a_forked_process_does_not_repeat_what_waited(tmp_path: Path) -> None:
    made = handler(tmp_path, buffer_size=10_000)
    made.handle(record("one"))
    child = os.fork()
    if child == 0:
        made.close()
        os._exit(0)
    os.waitpid(child, 0)
    made.close()
    assert (tmp_path / "logs" / "catalina.2023-11-14.log").read_text() == "one\n"


def test_a_file_that_goes_on_has_one_byte_order_mark(tmp_path: Path) -> None:
    for text in ("one", "two"):
        made = handler(tmp_path, encoding="utf-16")
        made.handle(record(text))
        made.close()
    assert (tmp_path / "logs" / "catalina.2023-11-14.log").read_bytes().decode("utf-16") == "one\ntwo\n"
