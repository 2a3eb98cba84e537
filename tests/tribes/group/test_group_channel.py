"""Channels on real sockets."""

from __future__ import annotations

import logging
import socket
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from catalina.errors import ChannelError, RemoteProcessError
from catalina.reactor import Reactor
from catalina.tribes.channel import ChannelMessage, Delivery, ObjectBytes
from catalina.tribes.group.group_channel import GroupChannel
from catalina.tribes.group.interceptors.throughput_interceptor import ThroughputInterceptor
from catalina.tribes.group.rpc_channel import ALL_REPLY, RpcChannel
from catalina.tribes.group.rpc_message import RpcMessage
from catalina.tribes.io.channel_data import PackageEncoder
from catalina.tribes.io.java import encode_value
from catalina.tribes.io.x_byte_buffer import ACK, FAIL_ACK
from catalina.tribes.logs import FINE
from catalina.tribes.member import Member
from catalina.tribes.membership.mcast_service import McastService
from tests.support.narrowing import of_type, there
from tests.support.ports import free_port, free_udp_port
from tests.tribes.groups import LOOPBACK, make_channel, started, until


@pytest.fixture(scope="module")
def pair():
    """Two channels that see each other, for tests that only send."""
    port = free_udp_port()
    (one, seen_by_one), (two, seen_by_two) = make_channel(port), make_channel(port)
    with started(one, two):
        yield one, two, seen_by_one, seen_by_two


@pytest.mark.parametrize("options", [0, 2, 6, 8, 10, 14])
def test_messages_arrive_in_order_with_every_way_to_send(pair, options):
    one, _, _, seen = pair
    seen.messages.clear()
    sent = [b"%d" % number for number in range(200)]
    for message in sent:
        one.send(one.members, message, options)
    until(lambda: len(seen.messages) == len(sent))
    assert seen.messages == sent
    assert seen.senders[-1] == one.local_member


def test_it_says_what_it_has_sent_to_whom(pair):
    one, two, _, _ = pair
    one.send(one.members, b"x", 2)
    given, done = one.traffic()[two.local_member]
    assert given == done > 0


class KeyLayer(ThroughputInterceptor):
    keeps_strangers_out = True


@pytest.mark.parametrize(("secure", "layers", "guarded"), [(False, "-", False), (True, "-", True), (False, "-+", True)])
def test_a_channel_is_guarded_by_a_key_or_by_a_layer_that_has_one(secure, layers, guarded):
    channel = GroupChannel(secure=secure)
    for layer in layers:
        channel.add_interceptor(KeyLayer() if layer == "+" else ThroughputInterceptor())
    assert channel.is_guarded is guarded


@pytest.mark.parametrize("options", [0x01, 0x07, 0x09, 0x0F])
def test_messages_that_are_posted_together_arrive_in_order_and_are_done_together(pair, options):
    one, _, _, seen = pair
    seen.messages.clear()
    sent = [b"%d" % number for number in range(50)]
    delivery = one.post_all(one.members, [(message, "key") for message in sent], options)
    assert delivery.wait(5)
    assert not delivery.faulty
    until(lambda: seen.messages == sent)


@pytest.mark.parametrize("options", [2, 6])
def test_an_acknowledged_message_has_arrived_when_send_returns(pair, options):
    one, _, _, seen = pair
    seen.messages.clear()
    one.send(one.members, b"now", options)
    if options == 6:
        assert seen.messages == [b"now"]
    else:
        until(lambda: seen.messages == [b"now"])


def test_values_travel_as_java_objects(pair):
    _, two, seen, _ = pair
    seen.messages.clear()
    two.send(two.members, {"name": "Ada", "years": [1815, 1852]}, 6)
    two.send(two.members, ObjectBytes.fromhex("aced000574000568656c6c6f"), 6)
    assert seen.messages == [{"name": "Ada", "years": [1815, 1852]}, "hello"]


def test_a_large_message_arrives_whole(pair):
    one, _, _, seen = pair
    seen.messages.clear()
    large = bytes(range(256)) * 16_384  # 4 MiB
    one.send(one.members, large, 6)
    assert seen.messages == [large]


def test_a_post_from_another_thread_is_confirmed(pair):
    one, _, _, seen = pair
    seen.messages.clear()
    deliveries: list[Delivery] = []

    def post() -> None:
        deliveries.extend(one.post(one.members, b"x", 6) for _ in range(100))

    threads = [threading.Thread(target=post) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(delivery.wait(5) and not delivery.faulty for delivery in deliveries)
    assert len(seen.messages) == 400


def test_a_listener_that_fails_makes_a_synchronous_send_fail(pair, caplog):
    one, _, _, seen = pair
    seen.fault = ValueError("not mine")
    try:
        with pytest.raises(ChannelError) as caught:
            one.send(one.members, b"x", 6)
    finally:
        seen.fault = None
    assert isinstance(next(iter(caught.value.faulty.values())), RemoteProcessError)
    assert "Processing of a message" in caplog.text


def test_a_listener_may_send_and_wait_inside_the_loop(pair):
    one, two, _, seen = pair

    class Answering:
        def __init__(self) -> None:
            self.answered = threading.Event()

        def accept(self, message: Any, sender: Any) -> bool:
            return bool(message.payload() == b"question")

        def message_received(self, message: Any, sender: Any) -> None:
            one.send([sender], b"answer", 6)
            self.answered.set()

    listener = Answering()
    one.add_channel_listener(listener)
    seen.messages.clear()
    try:
        two.send(two.members, b"question", 6)
    finally:
        one.remove_channel_listener(listener)
    assert listener.answered.is_set()
    assert b"answer" in seen.messages


def test_bytes_that_are_no_object_are_logged_and_acknowledged(pair, caplog):
    one, _, _, seen = pair
    seen.messages.clear()
    one.send(one.members, ObjectBytes(b"rubbish"), 6)
    assert seen.messages == []
    assert "Unable to deserialize message" in caplog.text


def test_a_request_for_an_rpc_channel_that_is_not_there_is_answered_so(pair):
    one, two, _, _ = pair

    class Nobody:
        """Never asked: the other side has no such channel."""

        def reply_request(self, message: object, sender: Member, uuid: bytes) -> None: ...

        def left_over(self, message: object, sender: Member) -> None: ...

    rpc = RpcChannel(one, b"only here", Nobody())
    began = time.monotonic()
    assert rpc.send([two.local_member], encode_value("anybody?"), ALL_REPLY, 2, 10.0) == []
    assert time.monotonic() - began < 5.0
    rpc.close()


def test_a_broadcast_reaches_the_group_but_not_the_sender(pair):
    one, _, seen_by_one, seen_by_two = pair
    seen_by_one.messages.clear()
    seen_by_two.messages.clear()
    one.send(one.members, b"to all", 0x40)
    until(lambda: seen_by_two.messages == [b"to all"])
    assert seen_by_one.messages == []


def test_a_broadcast_larger_than_a_datagram_is_refused(pair):
    one = pair[0]
    with pytest.raises(ChannelError, match="exceeds max packet size"):
        one.send(one.members, bytes(70_000), 0x40)


def test_nobody_and_nothing_cannot_be_sent(pair):
    one = pair[0]
    with pytest.raises(ChannelError, match="No destination given"):
        one.send([], b"x", 0)
    with pytest.raises(ChannelError, match="Cannot send a NULL message"):
        one.send(one.members, None, 0)


def test_every_message_can_be_traced(pair, caplog):
    one = pair[0]
    with caplog.at_level(FINE, "org.apache.catalina.tribes.MESSAGES"):
        unique_id = one.send(one.members, b"traced", 6)
    for step in ("Sent msg", "Received msg", "delivered[True]"):
        assert any(step in record.getMessage() and unique_id.hex() in record.getMessage() for record in caplog.records)


def test_an_error_handler_is_told_about_an_asynchronous_message(pair):
    one = pair[0]

    class Handler:
        def __init__(self) -> None:
            self.done: list[bytes] = []
            self.failed: list[ChannelError] = []

        def handle_completion(self, unique_id: bytes) -> None:
            self.done.append(unique_id)

        def handle_error(self, error: ChannelError, unique_id: bytes) -> None:
            self.failed.append(error)

    handler = Handler()
    unique_id = one.send(one.members, b"x", 8, handler)
    until(lambda: handler.done == [unique_id])
    nobody = one.members[0].__class__(bytes([127, 0, 0, 1]), free_port())
    one.send([nobody], b"x", 8, handler)
    until(lambda: handler.failed)
    assert nobody in handler.failed[0].faulty


def test_members_that_leave_in_order_are_told_at_once():
    port = free_udp_port()
    (one, seen), (two, _) = make_channel(port), make_channel(port, drop_time=60_000)
    with started(one, two):
        leaving = two.local_member
        two.stop()
        until(lambda: seen.gone == [leaving])
        assert one.members == ()


def test_a_message_to_a_member_that_is_not_there_names_it():
    one, _ = make_channel(free_udp_port())
    nobody = one.coordinator.membership_service._new_local_member(bytes([127, 0, 0, 1]), free_port())
    with started(one), pytest.raises(ChannelError) as caught:
        one.send([nobody], b"x", 2)
    assert caught.value.faulty.keys() == {nobody}
    assert isinstance(caught.value.faulty[nobody], ConnectionRefusedError)


def test_a_channel_works_in_a_loop_that_it_was_given():
    reactor = Reactor("test-given")
    reactor.start()
    try:
        one, _ = make_channel(free_udp_port())
        one.reactor = reactor
        with started(one):
            assert one.running_reactor is reactor
        assert one.reactor is reactor
    finally:
        reactor.stop()


def test_a_channel_can_be_started_again():
    port = free_udp_port()
    (one, _), (two, seen) = make_channel(port), make_channel(port)
    with started(one, two):
        pass
    seen.messages.clear()
    with started(one, two):
        one.send(one.members, b"again", 6)
    assert seen.messages == [b"again"]


def test_a_stopped_channel_refuses_to_send():
    with pytest.raises(ChannelError, match="is not started"):
        GroupChannel(name="idle").post(
            [make_channel(1)[0].coordinator.membership_service._new_local_member(b"", 1)], b"", 0
        )


def test_equal_option_flags_are_refused_when_checked():
    one, _ = make_channel(
        free_udp_port(), ThroughputInterceptor(option_flag=0x300), ThroughputInterceptor(option_flag=0x100)
    )
    one.option_check = True
    with pytest.raises(ChannelError, match=r"conflict: \[ThroughputInterceptor:768 == ThroughputInterceptor:256\]"):
        one.start()


def test_a_listener_is_added_once():
    one, recorder = make_channel(1)
    with pytest.raises(ValueError, match="Listener already exists"):
        one.add_channel_listener(recorder)
    one.remove_channel_listener(recorder)
    one.add_channel_listener(recorder)


def test_the_heartbeat_reaches_listeners_and_goes_on_when_one_fails(caplog, monkeypatch):
    one, recorder = make_channel(free_udp_port())
    one.heartbeat_sleeptime = 10
    beats = []

    def beat() -> None:
        beats.append(1)
        raise ValueError("tired")

    monkeypatch.setattr(recorder, "heartbeat", beat, raising=False)
    with started(one):
        until(lambda: len(beats) >= 2)
    assert "Unable to send heartbeat" in caplog.text


def test_a_membership_listener_that_fails_keeps_nobody_else_from_the_news(caplog):
    port = free_udp_port()
    (one, seen), (two, _) = make_channel(port), make_channel(port)

    class Failing:
        def member_added(self, member: Any) -> None:
            raise ValueError("no")

        member_disappeared = member_added

    one.remove_membership_listener(seen)
    one.add_membership_listener(Failing())
    one.add_membership_listener(seen)
    with started(one, two):
        two.stop()
        until(lambda: seen.gone)
    assert seen.added
    assert caplog.text.count("A membership listener failed") == 2


def test_logging_is_tomcats(caplog):
    one, _ = make_channel(free_udp_port())
    with caplog.at_level(logging.INFO), started(one):
        port = one.coordinator.receiver.bound_port
    assert f"Receiver Server Socket bound to:[/127.0.0.1:{port}]" in caplog.text
    assert "Sleeping for [100] milliseconds to establish cluster membership, start level:[4]" in caplog.text
    assert "Done sleeping, membership established, start level:[8]" in caplog.text


# ---- who is listened to


def say(channel: GroupChannel, sender: Member, *messages: bytes, options: int = 6) -> bytes:
    """A process that calls itself ``sender`` sends these messages; returns the answers."""
    frames = [
        PackageEncoder().frame(ChannelMessage(data, options | 1, 1, bytes([number]) * 16, sender))
        for number, data in enumerate(messages)
    ]
    with socket.create_connection((LOOPBACK, channel.local_member.port)) as connection:
        connection.settimeout(5)
        connection.sendall(b"".join(frames))
        answer = b""
        while len(answer) < 21 * len(frames):
            answer += connection.recv(1000)
        return answer


def test_a_process_that_is_no_member_is_not_listened_to(pair):
    _, two, _, seen = pair
    seen.messages.clear()
    stranger = Member(socket.inet_aton(LOOPBACK), 9, unique_id=bytes(16))
    question = RpcMessage(b"unknown", bytes(16), encode_value("who are you?")).encode()
    assert say(two, stranger, b"a session of my choice", bytes(question)) == ACK * 2
    until(lambda: stranger in two._strangers._unheard.waiting)
    assert seen.messages == []
    assert two.coordinator.sender.transport._tables.strangers == {}, "and nobody connects to it"
    assert two.members == (pair[0].local_member,)


def test_a_members_address_with_another_id_is_a_stranger(pair):
    one, two, _, seen = pair
    seen.messages.clear()
    say(two, replace(one.local_member, unique_id=b"x" * 16), b"in the name of one")
    assert seen.messages == []


def test_a_node_that_joins_may_be_a_little_early():
    """Its heartbeat is late: what it said meanwhile is delivered, in its order, when it is a member."""
    one, seen = make_channel(free_udp_port())
    with started(one), socket.create_server((LOOPBACK, 0)) as receiver:
        joining = Member(socket.inet_aton(LOOPBACK), receiver.getsockname()[1], unique_id=b"j" * 16)
        say(one, joining, b"1", b"2", b"3")
        assert seen.messages == []
        impl = of_type(McastService, one.membership_service)._impl
        there(one.reactor).call_soon(lambda: there(impl).receive_datagram(joining.encode()))
        until(lambda: seen.messages == [b"1", b"2", b"3"])
        assert seen.added == [joining]
        say(one, joining, b"4")
        assert seen.messages[-1] == b"4"


def test_strangers_that_fill_the_room_are_told_so_and_members_are_not_harmed(pair, monkeypatch):
    one, two, _, seen = pair
    seen.messages.clear()
    monkeypatch.setattr(two._strangers._unheard, "_max_senders", 0)
    stranger = Member(socket.inet_aton(LOOPBACK), 9, unique_id=b"s" * 16)
    assert say(two, stranger, b"x") == FAIL_ACK
    one.send(one.members, b"of a member", 6)
    assert seen.messages == [b"of a member"]


def test_a_thousand_invented_senders_leave_the_connections_to_members_alone():
    port = free_udp_port()
    (one, seen_by_one), (two, _) = make_channel(port), make_channel(port)
    with started(one, two):
        ask = RpcMessage(b"unknown", bytes(16), encode_value("?")).encode()
        frames = [
            PackageEncoder().frame(
                ChannelMessage(ask, 0, 1, bytes(16), Member(bytes([10, 9, number // 256, number % 256]), 4000))
            )
            for number in range(1100)
        ]
        with socket.create_connection((LOOPBACK, one.local_member.port)) as connection:
            connection.settimeout(5)
            last = PackageEncoder().frame(ChannelMessage(ask, 6, 1, bytes(16), Member(bytes(4), 1)))
            connection.sendall(b"".join(frames) + last)
            assert connection.recv(21) == FAIL_ACK
        joining, seen = make_channel(port)
        try:
            joining.start()
            until(lambda: len(joining.members) == 2)
            until(lambda: len(one.members) == 2)
            one.send(one.members, b"to both", 6)
            assert seen.messages == [b"to both"]
        finally:
            joining.stop()
    assert seen_by_one.messages == []
