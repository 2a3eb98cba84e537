"""A worker's way to the keeper."""

from collections.abc import Callable

from catalina.workers.frames import encode_message
from catalina.workers.keeper_channel import KeeperChannel
from tests.support.waiting import wait_until
from tests.workers.links import listening_socket, running_reactor
from tests.workers.small_node import KEY, SmallNode

MakeNode = Callable[..., SmallNode]


def test_a_worker_waits_until_the_keeper_is_ready() -> None:
    with listening_socket() as listening, running_reactor() as reactor:
        channel = KeeperChannel(listening.getsockname(), 0, reactor, lambda: None)
        channel.open()
        assert not channel.wait_ready(0.05)
        channel.close()


def test_what_waits_for_its_acknowledgement_waits_no_more_when_the_worker_leaves(make_node: MakeNode) -> None:
    node = make_node(workers=1)
    channel = node.workers[0].channel
    node.kill_keeper()
    wait_until(lambda: not channel.is_up, "the worker notices")
    delivery = channel.post(KEY, [encode_message(13, None, b"x", None, None, 1)], True)
    assert not delivery.done
    channel.close()
    assert delivery.wait(15)


def test_messages_for_an_application_that_has_stopped_are_left_out(make_node: MakeNode) -> None:
    node = make_node(workers=1)
    worker = node.workers[0]
    (member,) = node.keeper.links.members
    node.keeper.links.show(member, b"another application", [encode_message(13, None, b"x", None, None, 1)])
    session = worker.request(count=1)
    assert session is not None
    assert worker.channel.is_up
