from __future__ import annotations

import datetime
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.tribes.io.java.java_time import from_ser, to_ser, zone

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
PLUS_2 = datetime.timezone(datetime.timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (datetime.timedelta(seconds=3661, microseconds=5), "01 0000000000000e4d 00001388"),
        (datetime.timedelta(microseconds=-1), "01 ffffffffffffffff 3b9ac618"),
        (datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.UTC), "02 0000000000000001 00000000"),
        (datetime.date(2024, 2, 29), "03 000007e8 02 1d"),
        (datetime.time(0, 0), "04 ff"),
        (datetime.time(13, 0), "04 f2"),
        (datetime.time(13, 14), "04 0d f1"),
        (datetime.time(13, 14, 15), "04 0d 0e f0"),
        (datetime.time(13, 14, 15, 1), "04 0d 0e 0f 000003e8"),
        (datetime.datetime(2024, 2, 29, 13, 0), "05 000007e8 02 1d f2"),
        (datetime.datetime(2024, 2, 29, 13, 0, tzinfo=PARIS), "06 000007e8021d f2 04 07 000c 4575726f70652f5061726973"),
        (datetime.time(10, 0, tzinfo=PLUS_2), "09 f5 08"),
        (datetime.datetime(2024, 2, 29, 13, 0, tzinfo=PLUS_2), "0a 000007e8021d f2 08"),
    ],
)
def test_a_time_is_written_as_java_writes_it(value: datetime.date, wire: str) -> None:
    assert to_ser(value) == bytes.fromhex(wire)
    assert from_ser(bytes.fromhex(wire)) == value


def test_an_offset_of_seconds_is_written_in_full() -> None:
    odd = datetime.timezone(datetime.timedelta(hours=1, minutes=2, seconds=3))
    wire = to_ser(datetime.time(10, 0, tzinfo=odd))
    assert wire == bytes.fromhex("09 f5 7f 00000e8b")
    assert from_ser(wire) == datetime.time(10, 0, tzinfo=odd)


def test_both_times_of_the_hour_that_occurs_twice_come_back() -> None:
    for fold in (0, 1):
        value = datetime.datetime(2024, 10, 27, 2, 30, fold=fold, tzinfo=PARIS)
        wire = to_ser(value)
        assert wire is not None
        back = from_ser(wire)
        assert isinstance(back, datetime.datetime)
        assert back.utcoffset() == value.utcoffset()
        assert back.tzinfo is PARIS


@pytest.mark.parametrize(
    "value",
    [
        datetime.datetime(2024, 1, 1, fold=1),
        datetime.time(1, fold=1),
        datetime.time(1, tzinfo=PARIS),
        datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=20))),
        datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=2), "CEST")),
        datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(microseconds=1))),
        datetime.datetime(2024, 1, 1, fold=1, tzinfo=PARIS),
    ],
)
def test_what_java_time_cannot_say_has_no_form(value: datetime.datetime) -> None:
    assert to_ser(value) is None


@pytest.mark.parametrize("wire", ["0b000007e8", "0c000007e802", "0e000000010000000200000003", "07000161", "63"])
def test_classes_without_counterpart_are_none(wire: str) -> None:
    assert from_ser(bytes.fromhex(wire)) is None


@pytest.mark.parametrize("wire", ["", "01", "0300", "040d0e0f00", "06000007e8021df20407"])
def test_bytes_cut_short_are_the_documented_error(wire: str) -> None:
    with pytest.raises((ProtocolError, ValueError)):
        from_ser(bytes.fromhex(wire))


@pytest.mark.parametrize(
    "wire", ["03 00004e20 01 01", "03 000007e8 0d 01", "04 7f0000 00000000", "02 7fffffffffffffff 00000000"]
)
def test_dates_that_python_has_not_are_value_errors(wire: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        from_ser(bytes.fromhex(wire))


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "No/Where", "", "\0", "Europe"])
def test_a_zone_name_from_outside_opens_no_file_of_its_choice(name: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        zone(name)


@given(st.binary(max_size=40))
def test_any_bytes_give_a_time_or_a_documented_error(data: bytes) -> None:
    try:
        from_ser(data)
    except (ProtocolError, ValueError, OverflowError):
        pass
