"""The W3C access log: header, and patterns that are wrong."""

from catalina.valves.extended_access_log_valve import ExtendedAccessLogValve
from tests.valves.exchange import make_request


def make(tmp_path, pattern):
    return ExtendedAccessLogValve(pattern=pattern, directory=str(tmp_path), rotatable=False, prefix="x.log")


def test_a_new_file_says_its_fields_first(tmp_path):
    valve = make(tmp_path, "cs-method sc-status")
    valve.start()
    request, response = make_request()
    valve.log(request, response, 1)
    valve.stop()
    fields, version, software, line = (tmp_path / "x.log").read_text().splitlines()
    assert (fields, version, line) == ("#Fields: cs-method sc-status", "#Version: 2.0", "GET 200")
    assert software.startswith("#Software: ")


def test_a_line_ends_before_a_field_that_there_is_not(tmp_path, caplog):
    valve = make(tmp_path, "cs-method cs-nothing sc-status")
    valve.start()
    valve.log(*make_request(), 1)
    valve.stop()
    assert (tmp_path / "x.log").read_text().splitlines()[-1] == "GET "
    assert "Unable to decode the field [cs-nothing]" in caplog.text


def test_an_empty_pattern_logs_nothing(tmp_path):
    valve = make(tmp_path, "  ")
    valve.start()
    request, response = make_request()
    valve.log(request, response, 1)
    valve.stop()
    assert "GET" not in (tmp_path / "x.log").read_text()
