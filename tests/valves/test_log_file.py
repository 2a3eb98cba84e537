"""The file behind an access log: order, rotation, faults."""

import logging
import threading

from catalina.valves.log_file import BUFFERED_LINES, LogFile


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def make(tmp_path, clock=None, **arguments):
    clock = clock or Clock()
    arguments.setdefault("path_for", lambda stamp: tmp_path / f"access{stamp}.log")
    file = LogFile(stamp=lambda now: f".{int(now) // 100}", clock=clock, **arguments)
    file.open()
    return file, clock


def test_lines_reach_the_file_in_order_when_flushed(tmp_path):
    file, _ = make(tmp_path)
    file.write("one")
    file.write("two")
    assert (tmp_path / "access.10.log").read_text() == ""
    file.flush()
    assert (tmp_path / "access.10.log").read_text() == "one\ntwo\n"
    file.close()


def test_an_unbuffered_line_is_there_at_once(tmp_path):
    file, _ = make(tmp_path, buffered=False)
    file.write("one")
    assert (tmp_path / "access.10.log").read_text() == "one\n"
    file.close()


def test_a_full_buffer_flushes_itself(tmp_path):
    file, _ = make(tmp_path)
    for number in range(BUFFERED_LINES):
        file.write(str(number))
    assert (tmp_path / "access.10.log").read_text().count("\n") == BUFFERED_LINES
    file.close()


def test_a_new_date_starts_a_new_file(tmp_path):
    file, clock = make(tmp_path)
    file.write("old")
    clock.now += 100
    file.write("new")
    file.close()
    assert (tmp_path / "access.10.log").read_text() == "old\n"
    assert (tmp_path / "access.11.log").read_text() == "new\n"


def test_a_finished_file_gets_its_date_when_renamed(tmp_path):
    file, clock = make(
        tmp_path, path_for=lambda _: tmp_path / "access.log", renamed_to=lambda stamp: tmp_path / f"access{stamp}.log"
    )
    file.write("old")
    clock.now += 100
    file.write("new")
    file.close()
    assert (tmp_path / "access.10.log").read_text() == "old\n"
    assert (tmp_path / "access.log").read_text() == "new\n"


def test_a_name_that_is_taken_is_not_overwritten(tmp_path, caplog):
    (tmp_path / "access.10.log").write_text("somebody's\n")
    file, clock = make(
        tmp_path, path_for=lambda _: tmp_path / "access.log", renamed_to=lambda stamp: tmp_path / f"access{stamp}.log"
    )
    clock.now += 100
    with caplog.at_level(logging.ERROR):
        file.write("new")
    file.close()
    assert "file already exists" in caplog.text
    assert (tmp_path / "access.10.log").read_text() == "somebody's\n"


def test_an_existing_file_is_continued(tmp_path):
    (tmp_path / "access.10.log").write_text("before\n")
    file, _ = make(tmp_path, header=lambda: "# head\n")
    file.write("after")
    file.close()
    assert (tmp_path / "access.10.log").read_text() == "before\nafter\n"


def test_a_new_file_starts_with_the_header(tmp_path):
    file, _ = make(tmp_path, header=lambda: "# head\n")
    file.write("line")
    file.close()
    assert (tmp_path / "access.10.log").read_text() == "# head\nline\n"


def test_a_removed_file_is_made_again_with_check_exists(tmp_path):
    file, clock = make(tmp_path, check_exists=True, buffered=False)
    (tmp_path / "access.10.log").unlink()
    clock.now += 2
    file.write("again")
    file.close()
    assert (tmp_path / "access.10.log").read_text() == "again\n"


def test_a_file_that_cannot_be_opened_is_said_and_tried_again_with_the_next_date(tmp_path, caplog):
    (tmp_path / "access.10.log").mkdir()
    with caplog.at_level(logging.ERROR):
        file, clock = make(tmp_path)
    assert "Failed to open access log file" in caplog.text
    file.write("lost")
    file.flush()
    clock.now += 100
    file.write("kept")
    file.close()
    assert (tmp_path / "access.11.log").read_text() == "kept\n"


def test_the_file_can_be_renamed_by_hand(tmp_path):
    file, _ = make(tmp_path)
    file.write("old")
    assert file.rotate_to(tmp_path / "kept.log")
    file.write("new")
    file.close()
    assert (tmp_path / "kept.log").read_text() == "old\n"
    assert (tmp_path / "access.10.log").read_text() == "new\n"
    assert not file.rotate_to(tmp_path / "x.log")


def test_many_threads_lose_no_line(tmp_path):
    file, _ = make(tmp_path)

    def write(name):
        for number in range(500):
            file.write(f"{name}-{number}")
            if number % 50 == 0:
                file.flush()

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    file.close()
    lines = (tmp_path / "access.10.log").read_text().splitlines()
    assert len(lines) == len(set(lines)) == 2000


def test_a_disk_that_is_full_costs_the_lines_not_the_request(tmp_path, caplog):
    file, _ = make(tmp_path, path_for=lambda _: __import__("pathlib").Path("/dev/full"))
    with caplog.at_level(logging.WARNING):
        file.write("line")
        file.flush()
    file.close()
    assert "Failed to write log message" in caplog.text


def test_two_processes_that_rename_at_a_new_date_lose_no_line(tmp_path):
    arguments = {
        "path_for": lambda stamp: tmp_path / "access.log",
        "renamed_to": lambda stamp: tmp_path / f"access{stamp}.log",
    }
    first, clock = make(tmp_path, **arguments)
    second, _ = make(tmp_path, clock, **arguments)
    first.write("old 1")
    second.write("old 2")
    clock.now += 100
    first.write("new 1")
    first.flush()
    second.write("new 2")
    second.flush()
    assert sorted((tmp_path / "access.10.log").read_text().split("\n")) == ["", "old 1", "old 2"]
    assert sorted((tmp_path / "access.log").read_text().split("\n")) == ["", "new 1", "new 2"]
    first.close()
    second.close()


def test_a_file_that_one_process_has_rotated_by_hand_another_does_not_rotate_again(tmp_path):
    first, clock = make(tmp_path)
    second, _ = make(tmp_path, clock)
    first.write("one")
    second.write("two")
    for file in (first, second):
        assert file.rotate_to(tmp_path / "kept.log")
    assert sorted((tmp_path / "kept.log").read_text().split()) == ["one", "two"]
    second.write("three")
    second.flush()
    assert (tmp_path / "access.10.log").read_text() == "three\n"
    first.close()
    second.close()


def test_a_file_that_another_process_has_made_anew_is_noticed(tmp_path):
    first, clock = make(tmp_path, check_exists=True)
    second, _ = make(tmp_path, clock, check_exists=True)
    (tmp_path / "access.10.log").rename(tmp_path / "moved.log")
    for file in (first, second):
        clock.now += 2
        file.write("line")
        file.flush()
    assert (tmp_path / "access.10.log").read_text() == "line\nline\n"
    assert (tmp_path / "moved.log").read_text() == ""
    first.close()
    second.close()


def test_a_file_has_one_header_however_many_processes_open_it(tmp_path):
    files = [make(tmp_path, header=lambda: "#Fields\n")[0] for _ in range(3)]
    assert (tmp_path / "access.10.log").read_text() == "#Fields\n"
    for file in files:
        file.close()
