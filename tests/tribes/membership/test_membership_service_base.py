"""What every membership service has."""

from __future__ import annotations

import pytest

from catalina.errors import ChannelError
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.membership.membership_service_base import MembershipServiceBase
from catalina.tribes.transport.nio.parallel_nio_sender import THIS_PEER
from tests.tribes.fakes import PEER, a_member


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
