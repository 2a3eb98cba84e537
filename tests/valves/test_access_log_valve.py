"""AccessLogValve: names of files, retention, background work."""

import os
import time

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_server import StandardServer
from catalina.errors import LifecycleError
from catalina.valves.access_log_valve import AccessLogValve
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request


def make(tmp_path, **values):
    valve = AccessLogValve(pattern="%m %U", **values)
    valve.container = stand_in(
        StandardContext, server=stand_in(StandardServer, catalina_base=tmp_path), name="localhost"
    )
    valve.start()
    return valve


def log(valve, uri="/"):
    request, response = make_request(uri)
    valve.log(request, response, 1)


def test_the_file_is_below_catalina_base_with_the_date_in_its_name(tmp_path):
    valve = make(tmp_path, prefix="localhost_access_log", suffix=".txt")
    log(valve)
    valve.stop()
    (file,) = (tmp_path / "logs").iterdir()
    assert file.name == f"localhost_access_log{time.strftime('.%Y-%m-%d')}.txt"
    assert file.read_text() == "GET /\n"


def test_an_absolute_directory_is_taken_as_it_is(tmp_path):
    valve = make(tmp_path, directory=str(tmp_path / "elsewhere"), rotatable=False)
    log(valve)
    valve.stop()
    assert (tmp_path / "elsewhere" / "access_log").read_text() == "GET /\n"


def test_the_background_tick_writes_what_waits(tmp_path):
    valve = make(tmp_path, rotatable=False)
    log(valve)
    file = tmp_path / "logs" / "access_log"
    assert file.read_text() == ""
    valve.background_process()
    assert file.read_text() == "GET /\n"
    valve.stop()


def test_rename_on_rotate_writes_to_the_plain_name_and_takes_up_the_dated_one_after_a_restart(tmp_path):
    stamp = time.strftime(".%Y-%m-%d")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / f"access_log{stamp}").write_text("before the restart\n")
    valve = make(tmp_path, rename_on_rotate=True)
    log(valve)
    valve.stop()
    assert (tmp_path / "logs" / "access_log").read_text() == "before the restart\nGET /\n"


def test_old_files_of_this_log_are_deleted_after_max_days(tmp_path):
    directory = tmp_path / "logs"
    directory.mkdir()
    for name in ("access_log.2020-01-01", "other_log.2020-01-01", "access_log.2020-01-02.gz"):
        (directory / name).write_text("")
        os.utime(directory / name, (0, 0))
    valve = make(tmp_path, max_days=5)
    valve.background_process()
    valve.stop()
    names = {path.name for path in directory.iterdir()}
    assert "access_log.2020-01-01" not in names
    assert "other_log.2020-01-01" in names


def test_without_max_days_nothing_is_deleted(tmp_path):
    (tmp_path / "logs").mkdir()
    old = tmp_path / "logs" / "access_log.2020-01-01"
    old.write_text("")
    os.utime(old, (0, 0))
    valve = make(tmp_path)
    valve.background_process()
    valve.stop()
    assert old.exists()


def test_an_unknown_charset_is_said_and_utf8_used(tmp_path, caplog):
    valve = make(tmp_path, encoding="klingon", rotatable=False)
    log(valve)
    valve.stop()
    assert "Failed to set encoding to [klingon]" in caplog.text


def test_a_wrong_date_format_stops_the_start(tmp_path):
    with pytest.raises(LifecycleError, match="fileDateFormat"):
        make(tmp_path, file_date_format="yyyy'")


def test_lines_after_the_stop_are_dropped(tmp_path):
    valve = make(tmp_path, rotatable=False)
    valve.stop()
    log(valve)
    valve.write("x")
    assert (tmp_path / "logs" / "access_log").read_text() == ""
    assert not valve.rotate(str(tmp_path / "y"))
