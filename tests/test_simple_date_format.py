"""SimpleDateFormat patterns; the expected texts were made with java.text.SimpleDateFormat (Locale.US)."""

import sys
from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from catalina.simple_date_format import CLF, date_formatter, date_names, split_pattern

AT = 1_704_207_845_678  # 2024-01-02T15:04:05.678Z, a Tuesday
EAST = timezone(timedelta(hours=5, minutes=30), "IST")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (".yyyy-MM-dd", ".2024-01-02"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2024-01-02T15:04:05.678Z"),
        (CLF, "02/Jan/2024:15:04:05 +0000"),
        ("EEE, d MMMM yy h:m a", "Tue, 2 January 24 3:4 PM"),
        ("'it''s' k K D F u w W", "it's 15 3 2 1 2 1 1"),
        ("EEEE G YYYY", "Tuesday AD 2024"),
        ("''yyyyMMddHH''", "'2024010215'"),
    ],
)
def test_a_date_is_written_as_java_writes_it(pattern, text):
    assert date_formatter(pattern, UTC)(AT) == text


@pytest.mark.parametrize(
    ("pattern", "text"), [("Z", "+0530"), ("X", "+05"), ("XX", "+0530"), ("XXX", "+05:30"), ("z", "IST")]
)
def test_the_zone_is_written_in_each_form(pattern, text):
    assert date_formatter(pattern, EAST)(AT) == text


def test_the_last_days_of_a_year_belong_to_the_first_week_of_the_next():
    assert date_formatter("YYYY w", UTC)(1_735_603_200_000) == "2025 1"  # Tuesday 2024-12-31


def test_without_a_zone_the_machine_decides():
    assert date_formatter("yyyy Z")(AT).startswith("2024 ")


@pytest.mark.parametrize("pattern", ["yyyy'", "yyyy-bb"])
def test_a_pattern_that_java_refuses_is_refused(pattern):
    with pytest.raises(ValueError, match="date pattern"):
        date_formatter(pattern)


def test_literals_and_fields_are_told_apart():
    assert split_pattern("yyyy'at'.dd") == [("y", 4), ("at", 0), (".", 0), ("d", 2)]


def test_the_last_day_of_the_calendar_has_a_week_year():
    assert date_formatter("YYYY w yyyy", UTC)(253_402_300_799_999) == "10000 1 9999"


@pytest.mark.parametrize("pattern", ["XXXX", "yyyy XXXXX"])
def test_a_zone_of_four_letters_is_refused(pattern):
    with pytest.raises(ValueError, match="XXX"):
        date_formatter(pattern)


@pytest.mark.parametrize(
    ("locale", "text"),
    [("", "Tuesday Tue January Jan PM"), ("en_GB", "Tuesday Tue January Jan PM"), ("fr", "mardi mar. janvier janv. PM"),
     ("de-DE", "Dienstag Di. Januar Jan. PM"), ("ja", "\u706b\u66dc\u65e5 \u706b 1\u6708 1\u6708 \u5348\u5f8c")],
)  # fmt: skip
def test_names_are_those_of_the_locale(locale, text):
    assert date_formatter("EEEE E MMMM MMM a", UTC, date_names(locale))(AT) == text


@pytest.mark.parametrize("locale", ["xx", "nonsense", "fr_FR_x_y_z_1", "../etc"])
def test_an_unknown_locale_is_refused(locale):
    with pytest.raises(ValueError, match="unknown locale"):
        date_names(locale)


def test_zones_have_long_names():
    assert date_formatter("zzzz", ZoneInfo("Europe/Berlin"))(AT) == "Central European Standard Time"
    assert date_formatter("zzzz", UTC)(AT) == "Coordinated Universal Time"
    assert (
        date_formatter("zzzz", ZoneInfo("Europe/Berlin"), date_names("de"))(AT) == "Mitteleurop\u00e4ische Normalzeit"
    )
    assert date_formatter("zzzz")(AT)


def test_without_the_package_zones_have_their_short_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "babel.dates", None)
    assert date_formatter("zzzz", ZoneInfo("Europe/Berlin"))(AT) == "CET"
