"""The classes of java.time, which all travel as java.time.Ser: one type byte and packed numbers.

::

    1 Duration        long seconds, int nanoseconds         2 Instant     long seconds, int nanoseconds
    3 LocalDate       int year, byte month, byte day        5 LocalDateTime   date, time
    4 LocalTime       byte hour, byte minute, byte second, int nanoseconds; a value whose smaller units are all 0 is
                      written as its complement and ends there
    6 ZonedDateTime   date and time, offset, zone           7 ZoneRegion  UTF
    8 ZoneOffset      byte quarters of an hour, or 127 and int seconds
    9 OffsetTime      time, offset                         10 OffsetDateTime  date and time, offset

Python has no years beyond 9999 and no nanoseconds: a later date is not converted, and a time loses its last three
digits.
"""

from __future__ import annotations

import datetime
import re
import struct
import zoneinfo
from collections.abc import Callable
from typing import TypeAlias

from catalina.errors import ProtocolError
from catalina.tribes.io.java.modified_utf8 import decode_modified_utf8, encode_modified_utf8

__all__ = ["from_ser", "to_ser"]

JavaTime: TypeAlias = datetime.datetime | datetime.date | datetime.time | datetime.timedelta | datetime.timezone

DURATION, INSTANT, LOCAL_DATE, LOCAL_TIME, LOCAL_DATE_TIME, ZONED_DATE_TIME, ZONE_REGION, ZONE_OFFSET, OFFSET_TIME = (
    range(1, 10)
)
OFFSET_DATE_TIME = 10

_SECONDS = struct.Struct(">Bqi")
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
#: Names of files in the machine's tables, or of packages in ``tzdata``, and nothing else.
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,30}(/[A-Za-z][A-Za-z0-9_+-]{0,30}){0,3}")
#: Java's ZoneOffset goes to 18 hours, Python's to 24.
_MAX_OFFSET = 18 * 3600


def to_ser(value: datetime.date | datetime.time | datetime.timedelta) -> bytes | None:
    """The block data of java.time.Ser; None when java.time has no class for the value.

    A datetime in UTC becomes an Instant, one with another fixed offset an OffsetDateTime, one with a zone of zoneinfo a
    ZonedDateTime, and one without a zone a LocalDateTime. A LocalDateTime cannot express ``fold``, so java.time has no
    class for a naive datetime with a fold.
    """
    match value:
        case datetime.timedelta():
            return _SECONDS.pack(DURATION, value.days * 86400 + value.seconds, value.microseconds * 1000)
        case datetime.datetime():
            return _datetime_to_ser(value)
        case datetime.date():
            return bytes((LOCAL_DATE,)) + _date(value)
    if value.tzinfo is None:
        return None if value.fold else bytes((LOCAL_TIME,)) + _time(value)
    offset = _offset(value.utcoffset()) if type(value.tzinfo) is datetime.timezone and not value.fold else None
    return None if offset is None else bytes((OFFSET_TIME,)) + _time(value) + offset


def _datetime_to_ser(value: datetime.datetime) -> bytes | None:
    zone = value.tzinfo
    local = _date(value) + _time(value)
    if zone is None:
        return None if value.fold else bytes((LOCAL_DATE_TIME,)) + local
    if zone is datetime.UTC and not value.fold:
        delta = value - _EPOCH
        return _SECONDS.pack(INSTANT, delta.days * 86400 + delta.seconds, delta.microseconds * 1000)
    offset = _offset(value.utcoffset())
    if offset is None:
        return None
    if type(zone) is datetime.timezone and not value.fold and zone.tzname(None) == str(datetime.timezone(_utc(value))):
        return bytes((OFFSET_DATE_TIME,)) + local + offset
    if isinstance(zone, zoneinfo.ZoneInfo) and zone.key and _is_unambiguous(value):
        name = encode_modified_utf8(zone.key)
        return bytes((ZONED_DATE_TIME,)) + local + offset + bytes((ZONE_REGION,)) + struct.pack(">H", len(name)) + name
    return None


def _utc(value: datetime.datetime) -> datetime.timedelta:
    return value.utcoffset() or datetime.timedelta()


def _is_unambiguous(value: datetime.datetime) -> bool:
    """True when time and offset say everything: in the hour that occurs twice the offset tells ``fold``."""
    return not value.fold or value.replace(fold=0).utcoffset() != value.utcoffset()


def _date(value: datetime.date) -> bytes:
    return struct.pack(">iBB", value.year, value.month, value.day)


def _time(value: datetime.datetime | datetime.time) -> bytes:
    if value.microsecond:
        return struct.pack(">BBBi", value.hour, value.minute, value.second, value.microsecond * 1000)
    if value.second:
        return struct.pack(">BBb", value.hour, value.minute, ~value.second)
    if value.minute:
        return struct.pack(">Bb", value.hour, ~value.minute)
    return struct.pack(">b", ~value.hour)


def _offset(offset: datetime.timedelta | None) -> bytes | None:
    if offset is None or offset.microseconds or abs(offset.total_seconds()) > _MAX_OFFSET:
        return None
    seconds = int(offset.total_seconds())
    return struct.pack(">b", seconds // 900) if seconds % 900 == 0 else struct.pack(">bi", 127, seconds)


def from_ser(data: bytes) -> JavaTime | None:
    """The value of a java.time.Ser's block data; None for classes without a Python counterpart.

    Raises:
        ProtocolError: the bytes are too short or not a value.
        ValueError, OverflowError: Python has no such date, time or zone.
    """
    reader = _Reader(data)
    kind = reader.take("B")
    readers: dict[int, Callable[[], JavaTime]] = {
        DURATION: reader.read_duration,
        INSTANT: lambda: _EPOCH + reader.read_duration(),
        LOCAL_DATE: reader.read_date,
        LOCAL_TIME: reader.read_time,
        LOCAL_DATE_TIME: reader.read_datetime,
        ZONED_DATE_TIME: reader.read_zoned,
        ZONE_OFFSET: reader.read_offset,
        OFFSET_TIME: lambda: reader.read_time().replace(tzinfo=reader.read_offset()),
        OFFSET_DATE_TIME: lambda: reader.read_datetime().replace(tzinfo=reader.read_offset()),
    }
    method = readers.get(kind)
    return method() if method is not None else None


class _Reader:
    """Takes packed numbers and parts of times off the front of the bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, code: str) -> int:
        size = struct.calcsize(">" + code)
        piece = self._data[self._position : self._position + size]
        if len(piece) < size:
            raise ProtocolError(f"java.time.Ser: expected {size} more bytes, got {len(piece)}")
        self._position += size
        value: int = struct.unpack(">" + code, piece)[0]
        return value

    def read_duration(self) -> datetime.timedelta:
        seconds, nanos = self.take("q"), self.take("i")
        return datetime.timedelta(seconds=seconds, microseconds=nanos // 1000)

    def read_date(self) -> datetime.date:
        return datetime.date(self.take("i"), self.take("B"), self.take("B"))

    def read_time(self) -> datetime.time:
        fields = [0, 0, 0]
        for index in range(3):
            fields[index] = self.take("b")
            if fields[index] < 0:
                fields[index] = ~fields[index]
                return datetime.time(fields[0], fields[1], fields[2])
        return datetime.time(fields[0], fields[1], fields[2], self.take("i") // 1000)

    def read_datetime(self) -> datetime.datetime:
        return datetime.datetime.combine(self.read_date(), self.read_time())

    def read_offset(self) -> datetime.timezone:
        quarters = self.take("b")
        seconds = self.take("i") if quarters == 127 else quarters * 900
        return datetime.timezone(datetime.timedelta(seconds=seconds))

    def read_zoned(self) -> datetime.datetime:
        local, offset, kind = self.read_datetime(), self.read_offset(), self.take("B")
        if kind == ZONE_OFFSET:
            return local.replace(tzinfo=self.read_offset())
        size = self.take("H")
        name = decode_modified_utf8(self._data[self._position : self._position + size])
        found = local.replace(tzinfo=zone(name))
        if found.utcoffset() != offset.utcoffset(None):
            found = found.replace(fold=1)
        if found.utcoffset() != offset.utcoffset(None):
            raise ValueError(f"{name} has another offset at that time here")
        return found


def zone(name: str) -> zoneinfo.ZoneInfo:
    """The zone with this name in this machine's tables.

    Raises:
        ValueError: there is none.
    """
    if _ZONE_NAME.fullmatch(name) is None:
        raise ValueError(f"no time zone {name!r:.60}")
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError) as exc:
        raise ValueError(f"no time zone {name!r:.60} on this machine") from exc
