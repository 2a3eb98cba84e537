from __future__ import annotations

from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import given

from catalina.errors import ProtocolError
from catalina.tribes.ledger.record import Record
from catalina.tribes.ledger.version_table import MAGIC, decode_version_table, encode_version_table
from tests.support.work import assert_linear
from tests.tribes.ledger.support import at, value


def a_record(fields: int = 3) -> Record:
    record = Record("X.n1", at(0))
    for number in range(fields):
        record.take(f"field{number}", value("x"), at(number))
    record.take("gone", None, at(1))
    record.take((1, ""), value("joe"), at(2))
    record.rename("X.n1", "Y.n2", at(3))
    return record


def test_the_versions_come_back_without_values() -> None:
    record = a_record()
    read = decode_version_table(encode_version_table(record), "X", "Y.n2")
    assert read is not None
    assert read.versions == record.versions
    assert (read.values, read.extras) == ({}, {})
    assert (read.names, read.id_version, read.born, read.floor) == (
        record.names, record.id_version, record.born, record.floor
    )  # fmt: skip


def test_other_bytes_are_no_table() -> None:
    assert decode_version_table(b"", "X", "X") is None
    assert decode_version_table(b"anything", "X", "X") is None


def test_a_table_that_is_cut_is_broken() -> None:
    data = encode_version_table(a_record())
    for size in range(len(MAGIC), len(data)):
        with pytest.raises(ProtocolError, match="a table of versions of"):
            decode_version_table(data[:size], "X", "X")


@given(st.binary(max_size=80))
def test_any_bytes_are_a_table_or_an_error(data: bytes) -> None:
    try:
        decode_version_table(MAGIC + data, "X", "X")
    except ProtocolError:
        pass


def test_reading_costs_what_there_is_to_read() -> None:
    def reading(count: int) -> Callable[[], object]:
        data = encode_version_table(a_record(count))
        return lambda: decode_version_table(data, "X", "X")

    assert_linear(reading, 200)
