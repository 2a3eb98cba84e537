"""The common part of membership services."""

from __future__ import annotations

import pytest

from catalina.errors import ChannelError
from catalina.mbeans.managed_bean import ManagedBean
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.group.interceptors.tcp_failure_detector import TcpFailureDetector
from catalina.tribes.in_runner import run_in_runner
from catalina.tribes.membership.membership_service_base import MembershipServiceBase
from catalina.tribes.transport.nio.parallel_nio_sender import THIS_PEER
from tests.support.ports import free_udp_port
from tests.tribes.fakes import PEER, a_member
from tests.tribes.groups import make_channel, started, until


class Service(MembershipServiceBase):
    @property
    def members(self):
        return (PEER,)


def test_there_is_no_local_member_before_the_receiver():
    with pytest.raises(ChannelError, match="no local member before"):
        _ = Service().local_member


def test_the_local_member_is_where_the_receiver_listens_and_keeps_its_id():
    service = Service()
    service.set_local_member_properties(b"\x7f\0\0\1", 4001, -1, 5001)
    local = service.local_member
    assert (local.name, local.udp_port, len(set(local.unique_id)) > 4) == ("tcp://127.0.0.1:4001", 5001, True)
    service.set_local_member_properties(b"\x7f\0\0\1", 4002, -1, -1)
    assert service.local_member.unique_id == local.unique_id


def test_the_payload_says_what_software_this_is():
    service = Service()
    service.set_local_member_properties(b"\x7f\0\0\1", 4001, -1, -1)
    assert service.local_member.payload == THIS_PEER
    service.set_payload(b"mine")
    assert service.local_member.payload == THIS_PEER + b" mine"
    assert service.payload == THIS_PEER + b" mine"


def test_members_are_found():
    assert Service().get_member(PEER) is PEER
    assert Service().get_member(a_member(9)) is None


def test_most_services_cannot_broadcast():
    with pytest.raises(ChannelError, match="Service cannot broadcast"):
        Service().broadcast(ChannelMessage(b"", 0, 0, b"", PEER))


def test_a_removed_member_has_left_for_this_node_and_is_not_looked_for():
    port = free_udp_port()
    (one, seen), (two, seen_by_two) = make_channel(port), make_channel(port)
    with started(one, two):
        until(lambda: one.members and two.members)
        name = two.local_member.name
        beans = ManagedBean(one.membership_service)
        beans.invoke(beans.operation("removeMember", 1), [name])
        assert one.members == ()
        assert [member.is_leaving for member in seen.gone] == [True]
        assert beans.get("RemovedMembers") == [name]
        assert one.membership_service.silence_of(two.local_member) is None
        detector = next(layer for layer in one.interceptors if isinstance(layer, TcpFailureDetector))
        run_in_runner(one.running_reactor, detector.check_members)
        two.send(two.members, b"from a stranger", 8)
        one.heartbeat()
        assert seen.messages == []
        assert one.members == ()
        assert two.members == (one.local_member,)
        assert seen_by_two.gone == []
        with pytest.raises(ChannelError, match="No destination given"):
            one.send(one.members, b"x", 2)
        beans.invoke(beans.operation("readmitMember", 1), [name])
        until(lambda: one.members == (two.local_member,))
        until(lambda: seen.messages == [b"from a stranger"])
        assert beans.get("RemovedMembers") == []


def test_who_is_no_member_cannot_be_removed_nor_readmitted():
    one, _ = make_channel(free_udp_port())
    with started(one):
        with pytest.raises(ChannelError, match="no member"):
            one.membership_service.remove_member_named("tcp://10.0.0.9:1")
        with pytest.raises(ChannelError, match="was not removed, nobody was"):
            one.membership_service.readmit_member_named("tcp://10.0.0.9:1")
