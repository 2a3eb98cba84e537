"""A layer that passes everything on."""

from __future__ import annotations

from typing import Any

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
    assert stack.top.below_that_sends() == stack.bottom.send_messages


def test_a_layer_in_no_stack_says_so():
    with pytest.raises(ChannelError, match="ChannelInterceptorBase is in no stack"):
        _ = ChannelInterceptorBase().local_member


class OneByOne(ChannelInterceptorBase):
    """A layer that looks at each message, and refuses one."""

    def send_message(self, to: Any, message: Any, delivery: Any) -> None:
        if message.data == b"bad":
            raise ChannelError("refused")
        super().send_message(to, message.with_data(message.data.upper()), delivery)


def test_messages_that_go_together_reach_a_layer_that_knows_single_ones_one_by_one():
    stack = Stack(ChannelInterceptorBase(), OneByOne())
    stack.bottom.unanswered = []
    delivery = stack.send_together(b"a", b"b")
    assert [message.data for message in stack.sent] == [b"A", b"B"]
    stack.bottom.answer(*stack.bottom.unanswered.pop())
    assert not delivery.done
    stack.bottom.answer_all()
    assert delivery.done
    assert not delivery.faulty


def test_one_of_them_that_is_refused_counts_as_failed_and_the_others_go():
    stack = Stack(OneByOne())
    delivery = stack.send_together(b"a", b"bad", b"c")
    stack.reactor.run()
    assert [message.data for message in stack.sent] == [b"A", b"C"]
    assert delivery.done
    assert str(delivery.faulty[PEER]) == "refused"


def test_the_only_one_that_is_refused_is_the_senders_to_know():
    with pytest.raises(ChannelError, match="refused"):
        Stack(OneByOne()).send_together(b"bad")
