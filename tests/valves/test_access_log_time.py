"""Dates and durations of the access log."""

import re
from datetime import datetime

import pytest

from catalina.valves.access_log_time import date_element, elapsed_element, once_a_second
from tests.valves.exchange import make_request

END_NS = 1_704_207_845_678_901_234
TOOK_NS = 1_234_567_890


def write(element):
    request, response = make_request()
    return element(request, response, TOOK_NS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sec", "1704207845"),
        ("msec", "1704207845678"),
        ("msec_frac", "678"),
        ("begin:sec", "1704207844"),
        ("begin:msec", "1704207844444"),
        ("end:msec_frac", "678"),
        ("yyyy", "2024"),
        ("SSS", "678"),
        ("SS", "678678"),
        ("yyyy'S'", "2024S"),
        ("SSSS", "678678"),
    ],
)
def test_each_form_of_the_time_is_written(name, text):
    assert write(date_element(name, lambda: END_NS)) == text


@pytest.mark.parametrize(("millisecond", "text"), [(5, "005 5"), (45, "045 45")])
def test_three_letters_pad_milliseconds_and_one_does_not(millisecond, text):
    assert write(date_element("SSS S", lambda: 1_704_207_845_000_000_000 + millisecond * 1_000_000)) == text


def test_without_a_name_it_is_the_common_log_format():
    text = write(date_element("", lambda: END_NS))
    assert re.fullmatch(r"\[\d\d/[A-Z][a-z]{2}/2024:\d\d:\d\d:05 [+-]\d{4}\]", text)
    assert datetime.strptime(text, "[%d/%b/%Y:%H:%M:%S %z]").timestamp() == 1_704_207_845


def test_quotes_of_a_date_pattern_are_escaped():
    assert write(date_element('yyyy"', lambda: END_NS)) == '2024\\"'


@pytest.mark.parametrize(
    ("style", "text"),
    [("ns", "1234567890"), ("us", "1234567"), ("ms", "1234"), ("fracsec", "1.234"), ("s", "1"), ("other", "1")],
)
def test_the_time_taken_has_the_unit_that_was_asked_for(style, text):
    assert write(elapsed_element(style)) == text


def test_a_date_is_formatted_once_a_second():
    formatted = []
    write_date = once_a_second(lambda epoch_ms: formatted.append(epoch_ms) or str(epoch_ms))
    assert [write_date(ms) for ms in (1000, 1500, 1999, 2000)] == ["1000", "1000", "1000", "2000"]
    assert formatted == [1000, 2000]
