"""When a request is logged."""

import logging
import re
import sys

from catalina.valves.abstract_access_log_valve import AbstractAccessLogValve
from tests.valves.exchange import make_request


class Lines(AbstractAccessLogValve):
    def __init__(self, **values):
        super().__init__(**values)
        self.lines = []

    def write(self, line):
        self.lines.append(line)


def log_one(valve, **attributes):
    valve.start()
    request, response = make_request("/shop")
    request.attributes.update(attributes)
    valve.log(request, response, 1_000_000)
    return valve.lines


def test_a_finished_request_makes_one_line():
    assert log_one(Lines(pattern="%m %U %s")) == ["GET /shop 200"]


def test_common_names_a_pattern():
    assert log_one(Lines(pattern="common"))[0].endswith('] "GET /shop HTTP/1.1" 200 -')


def test_nothing_is_logged_before_the_start_and_when_disabled():
    valve = Lines(pattern="%m")
    request, response = make_request()
    valve.log(request, response, 1)
    assert valve.lines == []
    assert log_one(Lines(pattern="%m", enabled=False)) == []


def test_condition_excludes_requests_with_the_attribute():
    assert log_one(Lines(pattern="%m", condition="quiet"), quiet="yes") == []
    assert log_one(Lines(pattern="%m", condition="quiet")) == ["GET"]


def test_condition_if_wants_the_attribute():
    assert log_one(Lines(pattern="%m", condition_if="loud")) == []
    assert log_one(Lines(pattern="%m", condition_if="loud"), loud=1) == ["GET"]


def test_condition_unless_is_the_same_as_condition():
    valve = Lines(pattern="%m")
    assert valve.set_attribute("conditionUnless", "quiet")
    assert valve.condition == "quiet"


def test_an_attribute_that_cannot_be_written_costs_its_line_only(caplog):
    class Broken:
        def __str__(self):
            raise ValueError("no text")

    with caplog.at_level(logging.ERROR):
        assert log_one(Lines(pattern="%{x}r"), x=Broken()) == []
    assert "Failed to write log message for [/shop]" in caplog.text


def test_a_wrong_date_pattern_costs_its_place_in_the_line(caplog):
    with caplog.at_level(logging.ERROR):
        assert log_one(Lines(pattern="%m %{usec}t %s")) == ["GET ??? 200"]
    assert "Invalid date pattern in %{usec}t" in caplog.text


def test_dates_have_names_of_the_locale():
    clock = staticmethod(lambda: 1_720_000_000_000_000_000)
    valve = type("Noon", (Lines,), {"clock": clock})(pattern="%{EEEE d MMMM}t %t", locale="fr")
    (line,) = log_one(valve)
    assert line.startswith("mercredi 3 juillet [03/Jul/2024:")  # the common log format knows no locales


def test_an_unknown_locale_is_an_error_and_english(caplog):
    (line,) = log_one(Lines(pattern="%{MMM}t", locale="xx_YY"))
    assert re.fullmatch("[A-Z][a-z]{2}", line)
    assert "Failed to set locale to [xx_YY], writing English names: unknown locale" in caplog.text


def test_without_the_package_the_log_says_what_installs_it(caplog, monkeypatch):
    monkeypatch.setitem(sys.modules, "babel", None)
    assert log_one(Lines(pattern="%m", locale="fr")) == ["GET"]
    assert "Failed to set locale to [fr]" in caplog.text
    caplog.clear()
    log_one(Lines(pattern="%m", locale="en_GB"))
    assert caplog.text == ""
