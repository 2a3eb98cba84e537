"""Compressed messages."""

from __future__ import annotations

import gzip
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import LimitError, ProtocolError
from catalina.tribes.group.interceptors.gzip_interceptor import GzipInterceptor, compress, decompress
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
