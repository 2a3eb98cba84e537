from __future__ import annotations

import pytest

from catalina.errors import ChannelError, ProtocolError
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.group.rpc_channel import (
    ALL_REPLY,
    FIRST_REPLY,
    LATER,
    MAJORITY_REPLY,
    NO_REPLY,
    Response,
    RpcChannel,
)
from catalina.tribes.group.rpc_message import NoRpcChannelReply, RpcMessage
from catalina.tribes.io.java import EncodedValue, decode_value, dumps, encode_value
from catalina.tribes.member import Member
from tests.tribes.tipis.network import FakeChannel, Network


class Answers:
    """Answers with its name and the question."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[object] = []
        self.late: list[object] = []
        self.mode = "answer"
        self.waiting: list[tuple[Member, bytes]] = []

    def reply_request(self, message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue | None:
        self.asked.append(decode_value(message))
        if self.mode == "later":
            self.waiting.append((sender, uuid))
            return LATER
        return None if self.mode == "null" else encode_value([self.name, decode_value(message)])

    def left_over(self, message: EncodedValue, sender: Member) -> None:
        self.late.append(decode_value(message))


class Group:
    def __init__(self, size: int) -> None:
        self.network = Network()
        self.channels: list[FakeChannel] = [self.network.add(number + 1) for number in range(size)]
        self.answers = [Answers(f"n{number}") for number in range(size)]
        self.rpcs = [
            RpcChannel(channel, b"app", answers) for channel, answers in zip(self.channels, self.answers, strict=True)
        ]

    def ask(self, mode: int, question: object = "q", to: list[int] | None = None) -> list[Response]:
        members = [self.channels[number].local_member for number in (to or range(1, len(self.channels)))]
        return self.rpcs[0].send(members, encode_value(question), mode, 6, 3.0)


def values(responses: list[Response]) -> list[object]:
    return [decode_value(response.message) for response in responses]


def test_the_first_answer_is_enough() -> None:
    group = Group(3)
    responses = group.ask(FIRST_REPLY)
    assert values(responses) == [["n1", "q"]]
    assert responses[0].source == group.channels[1].local_member


def test_the_answers_after_the_first_are_left_over() -> None:
    group = Group(3)
    group.ask(FIRST_REPLY)
    group.network.settle()
    assert group.answers[0].late == [["n2", "q"]]


@pytest.mark.parametrize(("others", "wanted"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_a_majority_is_at_least_half(others: int, wanted: int) -> None:
    group = Group(others + 1)
    found: list[list[Response]] = []
    members = [channel.local_member for channel in group.channels[1:]]
    group.rpcs[0].request(members, encode_value(1), MAJORITY_REPLY, 6, 3.0, found.append)
    while not found:
        group.network.deliver(group.network.busy_links()[0])
    assert len(found[0]) == wanted


def test_all_answers_are_waited_for() -> None:
    group = Group(4)
    assert sorted(str(value) for value in values(group.ask(ALL_REPLY))) == [f"['n{n}', 'q']" for n in (1, 2, 3)]


def test_no_answer_is_waited_for_when_none_is_wanted() -> None:
    group = Group(2)
    assert group.ask(NO_REPLY) == []
    group.network.settle()
    assert group.answers[1].asked == ["q"]


def test_asking_nobody_gives_no_answer() -> None:
    group = Group(1)
    assert group.rpcs[0].send([], encode_value(1), ALL_REPLY, 6, 3.0) == []


def test_null_is_an_answer() -> None:
    group = Group(2)
    group.answers[1].mode = "null"
    assert values(group.ask(FIRST_REPLY)) == [None]


def test_an_answer_can_come_later() -> None:
    group = Group(2)
    group.answers[1].mode = "later"
    found: list[list[Response]] = []
    member = group.channels[1].local_member
    group.rpcs[0].request([member], encode_value("q"), FIRST_REPLY, 6, 3.0, found.append)
    group.network.settle()
    assert found == []
    asker, uuid = group.answers[1].waiting[0]
    group.rpcs[1].reply(asker, uuid, encode_value("late"))
    group.network.settle()
    assert values(found[0]) == ["late"]


def test_a_member_without_the_channel_is_not_waited_for() -> None:
    group = Group(3)
    group.rpcs[2].close()
    found: list[list[Response]] = []
    members = [channel.local_member for channel in group.channels[1:]]
    group.rpcs[0].request(members, encode_value("q"), ALL_REPLY, 6, 3.0, found.append)
    group.network.settle()
    assert found == []
    uuid = next(iter(group.rpcs[0]._collectors))
    group.channels[2].post([group.channels[0].local_member], NoRpcChannelReply(b"app", uuid).encode(), 8)
    group.network.settle()
    assert values(found[0]) == [["n1", "q"]]


def test_a_member_that_goes_is_not_waited_for() -> None:
    group = Group(3)
    group.answers[2].mode = "later"
    found: list[list[Response]] = []
    members = [channel.local_member for channel in group.channels[1:]]
    group.rpcs[0].request(members, encode_value("q"), ALL_REPLY, 6, 3.0, found.append)
    group.network.settle()
    group.network.kill(group.channels[2])
    assert values(found[0]) == [["n1", "q"]]


def test_a_member_that_cannot_be_reached_is_not_waited_for() -> None:
    group = Group(3)
    group.network.faults.extend(["drop", ""])
    assert values(group.ask(ALL_REPLY)) == [["n2", "q"]]
    assert group.network.now == 0


def test_waiting_ends_with_the_answers_that_came() -> None:
    group = Group(3)
    group.answers[2].mode = "later"
    assert values(group.ask(ALL_REPLY)) == [["n1", "q"]]
    assert group.network.now == 3.0


def test_the_same_answer_twice_counts_once() -> None:
    group = Group(3)
    group.network.faults.extend(["", "", "duplicate", "duplicate"])
    assert len(group.ask(ALL_REPLY)) == 2


def test_channels_of_another_name_do_not_hear() -> None:
    group = Group(2)
    other = Answers("other")
    RpcChannel(group.channels[1], b"other", other)
    group.ask(FIRST_REPLY)
    assert other.asked == []


def test_a_question_that_cannot_be_read_is_answered_with_null() -> None:
    group = Group(2)

    def refuse(message: EncodedValue, sender: Member, uuid: bytes) -> EncodedValue | None:
        raise ProtocolError("unreadable")

    group.answers[1].reply_request = refuse  # type: ignore[method-assign]
    assert values(group.ask(FIRST_REPLY)) == [None]


def test_other_messages_are_left_to_others() -> None:
    group = Group(2)
    sender = group.channels[1].local_member
    for data, options in ((dumps([1]), 0), (RpcMessage(b"app", bytes(16)).encode(), 1)):
        assert not group.rpcs[0].accept(ChannelMessage(bytes(data), options, 0, bytes(16), sender), sender)


def test_a_stopped_channel_refuses_at_once() -> None:
    group = Group(2)
    group.channels[0].stopped = True
    with pytest.raises(ChannelError):
        group.ask(FIRST_REPLY)
    assert group.rpcs[0]._collectors == {}


def test_closing_ends_the_waiting() -> None:
    group = Group(2)
    found: list[list[Response]] = []
    group.rpcs[0].request([group.channels[1].local_member], encode_value(1), FIRST_REPLY, 6, 3.0, found.append)
    group.rpcs[0].close()
    assert found == [[]]
