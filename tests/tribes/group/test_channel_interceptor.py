"""A layer that passes everything on."""

from __future__ import annotations

import pytest

from catalina.errors import ChannelError
from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase
from tests.tribes.fakes import LOCAL, PEER, Stack


@pytest.fixture
def stack():
    return Stack(ChannelInterceptorBase())


def test_messages_pass_both_ways(stack):
    assert stack.send(b"down").done
    stack.receive(stack.message(b"up"))
    assert [message.data for message in stack.sent] == [b"down"]
    assert stack.delivered == [b"up"]


def test_news_of_members_pass_upwards(stack):
    below = stack.bottom.previous
    below.member_added(PEER)
    below.member_disappeared(PEER)
    below.member_send_failed(PEER, OSError())
    assert stack.top.events == [("added", PEER), ("gone", PEER)]


def test_questions_pass_downwards(stack):
    layer = stack.top.next
    assert layer.members == (PEER,)
    assert layer.has_members
    assert layer.get_member(PEER) is PEER
    assert layer.local_member is LOCAL
    assert not layer.is_static(PEER)


def test_start_and_stop_pass_downwards(stack):
    stack.top.next.stop(7)
    assert stack.bottom.levels == [15, -7]


@pytest.mark.parametrize(
    ("flag", "options", "acts"),
    [(0, 0, True), (0, 5, True), (8, 8, True), (8, 10, True), (12, 8, False), (8, 0, False)],
)
def test_the_option_flag_says_which_messages_it_acts_on(flag, options, acts):
    assert ChannelInterceptorBase(option_flag=flag).ok_to_process(options) is acts


def test_layers_that_do_nothing_are_left_out_on_the_way_down(stack):
    assert stack.top.below_that_sends() == stack.bottom.send_message


def test_a_layer_in_no_stack_says_so():
    with pytest.raises(ChannelError, match="ChannelInterceptorBase is in no stack"):
        _ = ChannelInterceptorBase().local_member
