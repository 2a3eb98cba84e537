"""Members from the configuration that are asked, on real sockets."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.errors import ChannelError
from catalina.tribes.group.interceptors.message_dispatch_interceptor import MessageDispatchInterceptor
from catalina.tribes.membership.static_member import StaticMember
from catalina.tribes.membership.static_membership_service import StaticMembershipService
from tests.support.ports import free_port
from tests.tribes.groups import LOOPBACK, make_channel, until


def make(ports: list[int], own: int, name: str = "group", **settings: Any) -> Any:
    """The channel at ``ports[own]``, with all of them in its configuration."""
    service = StaticMembershipService(**{"connect_timeout": 200, "rpc_timeout": 1000} | settings)
    for number, port in enumerate(ports):
        service.add_static_member(StaticMember(host=LOOPBACK, port=port, unique_id=bytes([number + 1]) * 16))
    channel, seen = make_channel(1, MessageDispatchInterceptor())
    channel.set_membership_service(service)
    channel.name = name
    channel.coordinator.receiver.port = ports[own]
    return channel, seen


@pytest.fixture
def ports():
    return [free_port() for _ in range(2)]


def test_the_defaults_are_tomcats():
    service = StaticMembershipService()
    assert (service.connect_timeout, service.expiration_time, service.rpc_timeout) == (500, 5000, 3000)
    assert (service.use_thread, service.ping_interval) == (False, 1000)


def test_members_know_each_other_when_the_second_has_started(ports):
    (one, seen), (two, _) = make(ports, 0), make(ports, 1)
    one.start()
    try:
        assert one.members == ()
        two.start()
        try:
            assert [member.unique_id for member in two.members] == [bytes([1]) * 16]
            until(lambda: one.members == (two.local_member,))
            assert one.membership_service.is_static(two.local_member)
            assert one.membership_service.get_member(two.local_member) == two.local_member
            assert one.membership_service.silence_of(two.local_member) is not None
            one.send(one.members, b"hello", 2)
        finally:
            two.stop()
        until(lambda: seen.gone)
        assert seen.gone[0].is_leaving
    finally:
        one.stop()


def test_a_configured_member_can_be_removed_and_taken_back(ports):
    (one, seen), (two, _) = (make(ports, number, use_thread=True, ping_interval=50) for number in range(2))
    one.start()
    try:
        two.start()
        try:
            until(lambda: one.members)
            service, member = one.membership_service, two.local_member
            service.remove_member_named(member.name)
            assert one.members == ()
            assert not service.is_static(member)
            assert seen.gone == [member]
            service.readmit_member_named(member.name)
            until(lambda: one.members == (member,))
            assert service.is_static(member)
        finally:
            two.stop()
    finally:
        one.stop()


def test_another_name_is_another_group(ports):
    (one, _), (two, _) = make(ports, 0, "shop"), make(ports, 1, "blog")
    one.start()
    try:
        two.start()
        try:
            assert two.members == ()
        finally:
            two.stop()
    finally:
        one.stop()


def test_a_member_that_does_not_answer_any_more_is_gone(ports):
    (one, seen), (two, _) = (
        make(ports, number, expiration_time=300, use_thread=True, ping_interval=50) for number in range(2)
    )
    one.start()
    try:
        two.start()
        until(lambda: seen.added)
        two.membership_service._provider.stop = lambda: None  # it dies: no farewell
        two.stop()
        until(lambda: seen.gone)
        assert not seen.gone[0].is_leaving
    finally:
        one.stop()


def test_the_heartbeat_of_the_channel_asks_unless_a_timer_does(ports):
    (one, seen), (two, _) = make(ports, 0), make(ports, 1)
    one.start()
    try:
        two.start()
        try:
            until(lambda: seen.added)
            provider = one.membership_service._provider
            before = next(iter(provider.membership._entries.values())).heard
            one.running_reactor.call_soon(one.heartbeat)
            until(lambda: next(iter(provider.membership._entries.values())).heard > before)
        finally:
            two.stop()
    finally:
        one.stop()


def test_a_local_member_can_be_configured_apart(ports):
    service = StaticMembershipService()
    service.set_local_member(StaticMember(unique_id=b"l" * 16, domain=b"shop"))
    service.set_local_member_properties(b"\x7f\0\0\1", ports[0], -1, -1)
    assert (service.local_member.unique_id, service.local_member.domain) == (b"l" * 16, b"shop")


def test_without_an_entry_for_itself_it_says_so(ports):
    service = StaticMembershipService()
    service.add_static_member(StaticMember(host=LOOPBACK, port=ports[1]))
    with pytest.raises(ChannelError, match=r"no localMember in static member list.*127\.0\.0\.1"):
        service.set_local_member_properties(b"\x7f\0\0\1", ports[0], -1, -1)
