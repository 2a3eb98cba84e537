"""Encrypted messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalina.attributes import AttributeRefused
from catalina.errors import ChannelError, ProtocolError
from catalina.tribes.channel import ChannelMessage, Delivery
from catalina.tribes.group.interceptors.encrypt_interceptor import MAX_UNOPENED, EncryptInterceptor, ReplayWindow
from catalina.tribes.group.interceptors.gzip_interceptor import GzipInterceptor, compress
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.transport.nio.parallel_nio_sender import THIS_PEER
from tests.support.narrowing import there
from tests.tribes.fakes import PEER, Stack, a_member
from tests.tribes.wire import cases

KEY = bytes(range(16))
NOW = 1_700_000_000_000


def make(now: int = NOW, **settings: Any) -> tuple[Stack, EncryptInterceptor]:
    layer = EncryptInterceptor(**{"encryption_key": KEY, "allow_insecure_algorithms": True} | settings)
    layer.clock_ms = lambda: now
    return _Timed(layer, now), layer


class _Timed(Stack):
    """A stack whose messages were all made at the same time."""

    def __init__(self, layer: EncryptInterceptor, now: int) -> None:
        self._now = now
        super().__init__(layer)

    def message(self, *args: Any, **named: Any) -> ChannelMessage:
        message = super().message(*args, **named)
        message.timestamp_ms = self._now
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
    stack.receive(stack.message(there(layer._cipher).seal(b"1234567", b"")))
    assert (stack.delivered, layer.refused_count) == ([], 1)


def test_senders_with_another_key_are_counted_and_only_so_many():
    stack, layer = make()
    other, _ = make(encryption_key=bytes(16))
    other.send(b"x")
    stack.receive(other.sent[0])
    stack.receive(other.sent[0])
    assert layer.unopened == {other.sent[0].address: 2}
    for last in range(200):
        stack.receive(replace(other.sent[0], address=a_member(last)))
    assert len(layer.unopened) == MAX_UNOPENED


def test_a_flood_of_bad_messages_does_not_flood_the_log(caplog):
    stack, layer = make()
    for _ in range(100):
        stack.receive(stack.message(b"rubbish"))
    assert caplog.text.count("Failed to decrypt message") == 1
    stack.reactor.time += 61
    stack.receive(stack.message(b"rubbish"))
    assert "... 99 more messages that do not open in 60 s" in caplog.text
    assert "101 refused so far" in caplog.text
    assert layer.refused_count == 101


def test_a_message_without_its_time_gets_one():
    stack, _ = make()
    message = stack.message(b"x")
    message.timestamp_ms = 0
    there(stack.top.next).send_message([], message, Delivery(0))
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


# ---- what goes with a message in clear

OURS = replace(PEER, payload=THIS_PEER)
OTHER = a_member(9, payload=THIS_PEER)


def sealed_by_ours(layer: EncryptInterceptor, stack: Stack, options: int = 7) -> ChannelMessage:
    """As a member of this software sends it."""
    message = replace(stack.message(b"secret", options), address=OURS)
    plain = NOW.to_bytes(8, "big") + message.data
    return message.with_data(there(layer._cipher).seal(plain, layer._envelope(message)))


@pytest.mark.parametrize("algorithm", ["AES/GCM/NoPadding", "AES/CBC/PKCS5Padding"])
@pytest.mark.parametrize(
    "change",
    [
        {"options": 6},
        {"options": 7 | 0x4000},
        {"unique_id": b"x" * 16},
        {"address": OTHER},
        {"address": replace(OURS, port=4001)},
        {"address": PEER, "options": 6},
    ],
)
def test_what_goes_in_clear_with_a_message_of_this_software_cannot_be_changed(change, algorithm, caplog):
    """The last one says that it is of Java; the group's own record knows better."""
    stack, layer = make(encryption_algorithm=algorithm)
    stack.bottom.known = [OURS]
    message = sealed_by_ours(layer, stack)
    stack.receive(replace(message, **change))
    assert stack.delivered == []
    assert "sender, options or id are not those that were sealed" in caplog.text
    stack.receive(message)
    assert stack.delivered == [b"secret"]


def test_flags_of_layers_below_may_come_and_go():
    layer = EncryptInterceptor(encryption_key=KEY)
    layer.clock_ms = lambda: NOW
    stack = Stack(layer, GzipInterceptor(option_flag=0x100, compression_min_size=10_000))
    stack.bottom.known = [OURS]
    message = sealed_by_ours(layer, stack)
    stack.receive(replace(message, data=compress(message.data), options=message.options | 0x100))
    assert stack.delivered == [b"secret"]


def test_messages_of_java_are_taken_unless_all_must_be_sealed(caplog):
    [case] = [case for case in cases("encrypt") if case["algorithm"].startswith("AES/GCM")][:1]
    for required, taken in ((False, 1), (True, 0)):
        stack, _ = make(
            case["timestamp_ms"], encryption_key=bytes.fromhex(case["key"]), require_sealed_envelope=required
        )
        stack.receive(stack.message(bytes.fromhex(case["wire"])))
        assert len(stack.delivered) == taken


def test_a_cipher_that_notices_no_change_must_be_asked_for(caplog):
    for algorithm in ("AES/CBC/PKCS5Padding", "AES/CFB/PKCS5Padding", "AES/OFB/PKCS5Padding"):
        with pytest.raises(ChannelError, match="set allowInsecureAlgorithms='true'"):
            Stack(EncryptInterceptor(encryption_key=KEY, encryption_algorithm=algorithm))


def test_the_start_says_that_there_is_something_better(caplog):
    make()
    assert "The EncryptInterceptor is deprecated. TLS with a pre-shared key protects more" in caplog.text


def test_a_message_is_taken_once():
    window = ReplayWindow(10_000, 100, NOW)
    assert window.admit(b"a", NOW, NOW)
    assert not window.admit(b"a", NOW, NOW)
    assert window.admit(b"b", NOW, NOW)


@pytest.mark.parametrize(
    ("timestamp", "taken"),
    [(NOW - 10_001, False), (NOW - 9_999, True), (NOW, True), (NOW + 10_000, True), (NOW + 10_001, False)],
)
def test_only_times_near_now_are_taken(timestamp, taken):
    assert ReplayWindow(10_000, 100, NOW - 60_000).admit(b"a", timestamp, NOW) is taken


def test_nothing_from_before_the_start_is_taken_later():
    window = ReplayWindow(10_000, 100, NOW)
    assert not window.admit(b"a", NOW - 10_000, NOW)


def test_when_full_the_oldest_is_forgotten_and_nothing_older_is_taken():
    window = ReplayWindow(10_000, 2, NOW - 60_000)
    assert window.admit(b"1", NOW + 1, NOW)
    assert window.admit(b"3", NOW + 3, NOW)
    assert window.admit(b"2", NOW + 2, NOW)
    assert not window.admit(b"1", NOW + 1, NOW), "forgotten, and refused by its time"
    assert not window.admit(b"0", NOW, NOW)
    assert not window.admit(b"3", NOW + 3, NOW)


def test_memory_stays_bounded():
    window = ReplayWindow(10_000, 50, NOW)
    for number in range(1000):
        window.admit(b"%d" % number, NOW + number, NOW)
    assert len(window._seen) == len(window._by_time) == 50
