"""Options, messages and deliveries."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from catalina.attributes import AttributeRefused
from catalina.errors import ChannelError
from catalina.reactor import Reactor
from catalina.tribes.channel import ChannelMessage, Delivery, ObjectBytes, parse_send_options, send_options_name
from tests.tribes.fakes import PEER, a_member


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("6", 6),
        ("-1", -1),
        ("sync,use_ack", 6),
        ("asynchronous", 8),
        ("async , multicast", 0x48),
        ("BYTE", 1),
        ("byte_message,udp,secure", 0x31),
        ("synchronized_ack", 4),
    ],
)
def test_options_are_read_as_a_number_or_by_name(text, bits):
    assert parse_send_options(text) == bits


@pytest.mark.parametrize("text", ["", "sync,fast", "6 7"])
def test_unknown_options_are_refused_with_the_names(text):
    with pytest.raises(AttributeRefused, match="use_ack"):
        parse_send_options(text)


def test_a_byte_message_is_its_bytes():
    assert ChannelMessage(b"abc", 1, 0, b"", PEER).payload() == b"abc"


def test_an_object_message_is_decoded_once():
    message = ChannelMessage(ObjectBytes.fromhex("aced000574000568656c6c6f"), 0, 0, b"", PEER)
    first = message.payload()
    assert first == "hello"
    assert message.payload() is first


def test_an_empty_object_message_is_none():
    assert ChannelMessage(b"", 0, 0, b"", PEER).payload() is None


def test_a_delivery_is_done_when_everybody_has_reported():
    delivery, calls = Delivery(2), list[Any]()
    delivery.add_done_callback(calls.append)
    delivery.succeeded()
    assert not delivery.done
    delivery.failed(PEER, TimeoutError("late"))
    assert delivery.done
    assert calls == [delivery]
    with pytest.raises(ChannelError, match=r"some text: .*late") as caught:
        delivery.raise_for_faults("some text")
    assert list(caught.value.faulty) == [PEER]


def test_a_callback_added_late_is_called_at_once():
    delivery, calls = Delivery(0), list[Any]()
    delivery.add_done_callback(calls.append)
    assert calls == [delivery]


def test_more_reports_can_be_expected():
    delivery = Delivery(1)
    delivery.expect(1)
    delivery.succeeded()
    assert not delivery.done
    delivery.succeeded()
    assert delivery.done


def test_reports_after_the_end_change_nothing():
    delivery, calls = Delivery(1), list[Any]()
    delivery.add_done_callback(calls.append)
    delivery.finish()
    delivery.succeeded()
    assert calls == [delivery]


def test_waiting_gives_up_after_the_timeout():
    assert Delivery(1).wait(0.01) is False


def test_the_runner_can_wait_for_what_only_the_loop_can_bring():
    reactor, seen, finished = Reactor("test-delivery"), [], threading.Event()
    delivery = Delivery(1, b"", reactor)

    def in_the_runner() -> None:
        reactor.call_later(0.01, delivery.succeeded)
        seen.append(delivery.wait(5))
        finished.set()

    reactor.start()
    reactor.call_soon(in_the_runner)
    assert finished.wait(5)
    reactor.stop()
    assert seen == [True]


def test_callbacks_run_once_each_whoever_finishes_and_adds_meanwhile():
    for _ in range(200):
        delivery, calls = Delivery(1), list[Any]()
        start = threading.Barrier(2)

        def add(start: Any = start, delivery: Any = delivery, calls: Any = calls) -> None:
            start.wait()
            for number in range(20):
                delivery.add_done_callback(lambda _, number=number: calls.append(number))

        thread = threading.Thread(target=add)
        thread.start()
        start.wait()
        delivery.succeeded()
        thread.join()
        assert sorted(calls) == list(range(20))


def test_a_message_in_another_form_keeps_its_envelope():
    message = ChannelMessage(b"abc", 2, 7, b"id", a_member(3))
    other = message.with_data(b"xyz", 258)
    assert (other.data, other.options, other.timestamp_ms, other.unique_id) == (b"xyz", 258, 7, b"id")
    assert message.with_data(b"q").options == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [(8, "async"), (6, "sync, use_ack"), (2, "use_ack"), (0, ""), (0x10 | 8, "secure, async")],
)
def test_send_options_have_tomcats_words(options: int, words: str) -> None:
    assert send_options_name(options) == words
    assert not words or parse_send_options(words) == options
