"""When a request is logged."""

import logging

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


def test_a_locale_other_than_english_is_mentioned(caplog):
    with caplog.at_level(logging.INFO):
        log_one(Lines(pattern="%m", locale="de"))
    assert "English" in caplog.text
