"""Encrypted messages."""

from __future__ import annotations

import pytest

from catalina.attributes import AttributeRefused
from catalina.errors import ChannelError, ProtocolError
from catalina.tribes.channel import Delivery
from catalina.tribes.group.interceptors.encrypt_interceptor import EncryptInterceptor
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from tests.tribes.fakes import Stack
from tests.tribes.wire import cases

KEY = bytes(range(16))
NOW = 1_700_000_000_000


def make(now: int = NOW, **settings) -> tuple[Stack, EncryptInterceptor]:
    layer = EncryptInterceptor(**{"encryption_key": KEY} | settings)
    layer.clock_ms = lambda: now
    stack = Stack(layer)
    original = stack.message
    stack.message = lambda *args, **named: _at(original(*args, **named), now)
    return stack, layer


def _at(message, now):
    message.timestamp_ms = now
    return message


@pytest.mark.parametrize("case", cases("encrypt"), ids=lambda case: case["algorithm"])
def test_messages_of_tomcat_open(case):
    stack, layer = make(
        case["timestamp_ms"],
        encryption_key=bytes.fromhex(case["key"]),
        encryption_algorithm=case["algorithm"],
    )
    stack.receive(stack.message(bytes.fromhex(case["wire"])))
    assert stack.delivered == [bytes.fromhex(case["data"])]
    assert layer.refused_count == 0


def test_messages_come_back_and_are_unreadable_on_the_way():
    stack, _ = make()
    stack.send(b"secret")
    assert b"secret" not in stack.sent[0].data
    stack.receive(stack.sent[0])
    assert stack.delivered == [b"secret"]


def test_one_message_to_several_members_is_sealed_once():
    stack, _ = make()
    stack.send(b"x", to=[stack.bottom.known[0]] * 2)
    assert len(stack.sent) == 1


def test_a_repeated_message_goes_no_further(caplog):
    stack, layer = make()
    stack.send(b"once")
    stack.receive(stack.sent[0])
    stack.receive(stack.sent[0])
    assert stack.delivered == [b"once"]
    assert layer.refused_count == 1
    assert "replay attack detected" in caplog.text


def test_a_message_of_another_time_goes_no_further():
    stack, layer = make()
    stack.send(b"old")
    layer.clock_ms = lambda: NOW + 10_001
    stack.receive(stack.sent[0])
    assert (stack.delivered, layer.refused_count) == ([], 1)


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:-1], lambda data: data + b"x", lambda data: b"y" + data[1:]]
)
def test_what_does_not_open_goes_no_further_and_is_counted(damage):
    stack, layer = make()
    stack.send(b"x")
    stack.receive(stack.sent[0].with_data(damage(stack.sent[0].data)))
    assert (stack.delivered, layer.refused_count) == ([], 1)


def test_a_message_without_a_time_goes_no_further():
    stack, layer = make()
    stack.receive(stack.message(layer._cipher.seal(b"1234567")))
    assert (stack.delivered, layer.refused_count) == ([], 1)


def test_a_flood_of_bad_messages_does_not_flood_the_log(caplog):
    stack, layer = make()
    for _ in range(100):
        stack.receive(stack.message(b"rubbish"))
    assert caplog.text.count("Failed to decrypt message") == 1
    stack.reactor.time += 11
    stack.receive(stack.message(b"rubbish"))
    assert "101 refused so far" in caplog.text
    assert layer.refused_count == 101


def test_a_message_without_its_time_gets_one():
    stack, _ = make()
    message = stack.message(b"x")
    message.timestamp_ms = 0
    stack.top.next.send_message([], message, Delivery(0))
    assert stack.sent[0].timestamp_ms == NOW


def test_nothing_passes_when_it_is_stopped():
    stack, layer = make()
    stack.send(b"x")
    layer.stop(15)
    with pytest.raises(ChannelError, match="is not started"):
        stack.send(b"y")
    with pytest.raises(ProtocolError, match="is not started"):
        stack.receive(stack.sent[0])


def test_it_must_stand_above_the_failure_detector():
    with pytest.raises(ChannelError, match="must be upstream of TcpFailureDetector"):
        Stack(TcpFailureDetector(), EncryptInterceptor(encryption_key=KEY))


def test_a_key_and_a_safe_cipher_are_required():
    with pytest.raises(ChannelError, match="Encryption key is required"):
        Stack(EncryptInterceptor())
    with pytest.raises(ChannelError, match="does not support algorithm"):
        Stack(EncryptInterceptor(encryption_key=KEY, encryption_algorithm="AES/ECB/PKCS5Padding"))


def test_attributes_are_checked():
    layer = EncryptInterceptor()
    assert layer.set_attribute("encryptionKey", " 00ff ")
    assert layer.encryption_key == b"\0\xff"
    with pytest.raises(AttributeRefused, match="hex digits"):
        layer.set_attribute("encryptionKeyString", "0g")
    with pytest.raises(AttributeRefused, match="at least 1"):
        layer.set_attribute("replayWindowMessageCount", "0")
