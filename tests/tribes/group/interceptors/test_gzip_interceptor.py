"""Compressed messages."""

from __future__ import annotations

import gzip
import logging
import os
import zlib
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import LimitError, ProtocolError
from catalina.tribes.group.interceptors.gzip_interceptor import GzipInterceptor, compress, decompress
from tests.support.work import assert_linear
from tests.tribes.fakes import Stack
from tests.tribes.wire import cases


@pytest.mark.parametrize("case", cases("interceptors", "gzip"), ids=lambda case: len(case["data"]) // 2)
def test_messages_are_compressed_as_tomcat_does(case):
    stack = Stack(GzipInterceptor(compression_min_size=case["min_size"]))
    stack.send(bytes.fromhex(case["data"]), case["options"])
    assert [[message.options, message.data.hex()] for message in stack.sent] == case["sent"]


@given(st.binary(max_size=500))
def test_messages_come_back(data):
    stack = Stack(GzipInterceptor(compression_min_size=20))
    stack.send(data)
    stack.receive(stack.sent[0])
    assert stack.delivered == [data]


def test_short_messages_travel_without_the_flag_whatever_the_sender_set():
    stack = Stack(GzipInterceptor(compression_min_size=10))
    stack.send(b"short", 0x102)
    assert (stack.sent[0].data, stack.sent[0].options) == (b"short", 2)


def test_any_gzip_stream_is_taken_also_several_in_a_row():
    assert decompress(gzip.compress(b"one") + gzip.compress(b"two"), 100) == b"onetwo"


@pytest.mark.parametrize("data", [b"", b"rubbish", compress(b"hello")[:-1], compress(b"hello")[:5]])
def test_bad_streams_are_logged_and_dropped(data, caplog):
    stack = Stack(GzipInterceptor())
    stack.receive(stack.message(data, 0x100))
    assert stack.delivered == []
    assert "Unable to decompress byte contents" in caplog.text


def test_a_small_message_cannot_become_a_large_one():
    bomb = compress(bytes(10_000_000))
    with pytest.raises(LimitError, match="more than 1000000 bytes"):
        decompress(bomb, 1_000_000)
    assert len(decompress(bomb, 10_000_000)) == 10_000_000


def test_thousands_of_streams_in_one_message_are_refused():
    with pytest.raises(LimitError, match="more than 16 gzip streams"):
        decompress(gzip.compress(b"") * 80_000, 1000)


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=16))
def test_streams_of_any_length_are_found(contents):
    assert decompress(b"".join(gzip.compress(content) for content in contents), 10**6) == b"".join(contents)


def test_the_work_grows_with_the_message_and_no_faster():
    def read(size: int) -> Callable[[], object]:
        data = gzip.compress(os.urandom(size)) * 4
        return lambda: decompress(data, 10 * len(data))

    assert_linear(read, 400_000)


def test_what_lies_behind_a_stream_is_not_copied_again_and_again():
    """The bytes that go through zlib, counted: they came back whole after each stream."""
    fed = 0

    class Counting:
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def __getattr__(self, name):
            return getattr(self._inner, name)

        def decompress(self, data, limit):
            nonlocal fed
            fed += len(data)
            return self._inner.decompress(data, limit)

    data = gzip.compress(b"") * 15 + gzip.compress(os.urandom(1_000_000))
    make = zlib.decompressobj
    with mock.patch.object(zlib, "decompressobj", lambda window: Counting(make(window))):
        decompress(data, 2_000_000)
    assert fed < 1.2 * len(data)


@given(st.binary(max_size=100))
def test_any_bytes_give_content_or_the_documented_error(data):
    try:
        content = decompress(data, 1000)
    except ProtocolError:
        return
    assert len(content) <= 1000


def test_statistics_count_both_ways(caplog):
    layer = GzipInterceptor(stats_enabled=True, interval=4, compression_min_size=10)
    stack = Stack(layer)
    with caplog.at_level(logging.INFO):
        for data in (b"x" * 100, b"short"):
            stack.send(data)
        for message in tuple(stack.sent):
            stack.receive(message)
    assert (layer.count, layer.count_compressed_tx, layer.count_uncompressed_tx) == (4, 1, 1)
    assert (layer.count_compressed_rx, layer.count_uncompressed_rx) == (1, 1)
    assert (layer.size_tx, layer.size_rx, layer.uncompressed_size_tx) == (105, 105, 5)
    assert layer.compressed_size_tx == layer.compressed_size_rx == len(stack.sent[0].data)
    assert "GZip Interceptor Report[\n\tTotal Messages: 4" in caplog.text
    layer.reset()
    assert layer.count == 0


def test_nothing_is_counted_unless_asked():
    layer = GzipInterceptor()
    Stack(layer).send(b"x" * 100)
    assert layer.count == 0
