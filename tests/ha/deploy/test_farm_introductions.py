"""Members that come are told what there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.ha.deploy import farm_introductions
from catalina.ha.deploy.farm_introductions import (
    FarmHello,
    FarmIntroductions,
    FarmOffer,
    FarmReturn,
    FarmTrial,
    FarmWant,
    decode_farm_message,
)
from catalina.ha.deploy.farm_state import FarmState, Removal
from tests.ha.deploy.farm import channel_message, farm_file, member

ONE = member(1)


class Sender:
    def __init__(self):
        self.bytes, self.files, self.missed, self.removals = [], [], set(), []

    def submit_bytes(self, data, to):
        self.bytes.append((decode_farm_message(data), to))

    def submit_file(self, file, members):
        self.files.append((file, members))

    def submit_removal(self, removal, members):
        self.files.append((removal, members))

    def has_missed(self, member):
        return self.missed

    def has_missed_removals(self, member):
        return tuple(self.removals)

    def heard_of_removals(self, member):
        self.removals.clear()


class FarmNode:
    """A node of a farm that lacks an archive."""

    def __init__(self) -> None:
        sender: Any = Sender()
        self.sender = sender
        self.state = FarmState()
        self.lacking = {"a.war"}
        self.removed: list[object] = []
        self.trials: list[object] = []

        def at_once(work: Callable[[], object]) -> None:
            work()

        self.introductions = FarmIntroductions(
            sender, self.state, lambda file: file.name in self.lacking, self.removed.append,
            lambda trial, sender: self.trials.append((trial, sender)), at_once,
        )  # fmt: skip


@pytest.fixture
def node() -> FarmNode:
    return FarmNode()


def hear(node, message, sender=ONE):
    received = channel_message(message.encode(), sender)
    assert node.introductions.accept(received, sender)
    node.introductions.message_received(received, sender)


def test_a_member_that_comes_is_offered_files_and_removals(node):
    node.state.put(farm_file())
    node.state.remove(Removal("/b", 3))
    node.introductions.member_added(ONE)
    assert node.sender.bytes == [(FarmOffer((farm_file(),), (Removal("/b", 3),)), ONE)]


def test_with_nothing_to_offer_nothing_is_said(node):
    node.introductions.member_added(ONE)
    assert node.sender.bytes == []


def test_a_hello_is_answered_with_an_offer(node):
    node.state.put(farm_file())
    hear(node, FarmHello())
    assert node.sender.bytes == [(FarmOffer((farm_file(),), ()), ONE)]


def test_members_that_are_here_are_greeted(node):
    node.introductions.greet([ONE])
    assert node.sender.bytes == [(FarmHello(), ONE)]


def test_what_is_lacking_is_wanted_once_and_removals_are_followed(node):
    offer = FarmOffer((farm_file(), farm_file("b.war")), (Removal("/c", 3),))
    hear(node, offer)
    hear(node, offer)
    assert [message for message, _ in node.sender.bytes] == [FarmWant(("a.war",)), FarmWant(())]
    assert node.removed == [Removal("/c", 3)] * 2


def test_after_a_cut_it_is_wanted_again(node):
    offer = FarmOffer((farm_file(),), ())
    hear(node, offer)
    node.introductions.member_disappeared(ONE)
    hear(node, offer)
    assert [message for message, _ in node.sender.bytes] == [FarmWant(("a.war",))] * 2


def test_what_is_wanted_is_sent(node):
    node.state.put(farm_file())
    hear(node, FarmWant(("a.war", "unknown.war")))
    assert node.sender.files == [(farm_file(), [ONE])]


@pytest.mark.parametrize(
    ("alive_ms", "missed", "sent"), [(1000, set(), True), (10**7, set(), False), (10**7, {"a.war"}, True)]
)
def test_a_java_node_gets_all_when_it_is_fresh_and_else_what_it_missed(node, monkeypatch, alive_ms, missed, sent):
    java = member(2, alive_ms)
    node.state.put(farm_file())
    node.sender.missed = missed
    node.introductions.member_added(java)
    node.introductions.look([java])
    assert node.sender.files == []
    monkeypatch.setattr(farm_introductions, "ANSWER_SECONDS", -1.0)
    node.introductions.look([java])
    assert node.sender.files == ([(farm_file(), [java])] if sent else [])


def test_a_member_that_is_here_and_has_missed_something_is_offered_it_again(node):
    node.state.put(farm_file())
    node.introductions.look([ONE])
    assert node.sender.bytes == []
    node.sender.removals.append(Removal("/b", 1))
    node.introductions.look([ONE])
    assert len(node.sender.bytes) == 1
    hear(node, FarmWant(()))
    node.introductions.look([ONE])
    assert len(node.sender.bytes) == 1


def test_other_messages_are_left_to_others(node, caplog):
    assert not node.introductions.accept(channel_message(b"hello", ONE), ONE)
    assert not node.introductions.accept(channel_message(FarmHello().encode(), ONE, options=0), ONE)
    assert not node.introductions.accept(channel_message(b"catalina-farm/1 want\nx", ONE), ONE)
    assert "cannot be read" in caplog.text


def test_trials_are_heard_and_a_return_is_one_line_of_the_log(node, caplog):
    trial = FarmTrial(farm_file(), "it does not start")
    hear(node, trial)
    assert node.trials == [(trial, ONE)]
    hear(node, FarmReturn("a.war", "every node\ngoes back"))
    assert [record.getMessage() for record in caplog.records] == ["[a.war]: every node goes back"]


def test_what_was_asked_for_and_does_not_come_is_asked_for_again(node, monkeypatch):
    offer = channel_message(FarmOffer((farm_file("a.war"),), ()).encode(), ONE)
    for _ in range(2):
        node.introductions.message_received(offer, ONE)
    monkeypatch.setattr(farm_introductions, "ASK_AGAIN_SECONDS", 0.0)
    node.introductions.message_received(offer, ONE)
    assert [content.names for content, _ in node.sender.bytes] == [("a.war",), (), ("a.war",)]


@pytest.mark.parametrize(
    "message",
    [
        FarmHello(),
        FarmOffer((), ()),
        FarmOffer((farm_file(), farm_file("b.whl")), (Removal("/c", 3),)),
        FarmWant(("a",)),
        FarmTrial(farm_file(), "it does not start"),
        FarmReturn("a.war", "it does not start on two"),
    ],
)
def test_what_is_encoded_is_decoded(message):
    assert decode_farm_message(message.encode()) == message


@given(st.binary(max_size=100).filter(lambda data: not data.startswith(b"catalina-farm/1 ")))
def test_other_messages_are_none(data):
    assert decode_farm_message(data) is None


@given(st.sampled_from([b"offer\n", b"want\n", b"trial\n", b"return\n", b"", b"other\n"]), st.binary(max_size=60))
def test_broken_messages_are_the_documented_error(kind, body):
    try:
        decode_farm_message(b"catalina-farm/1 " + kind + body)
    except ProtocolError:
        return


@pytest.mark.parametrize(
    "body",
    [b"offer\n{}", b'want\n["a", 1]', b'offer\n{"files": [["a"]], "removals": []}', b"offer\n" + b"[" * 100_000,
     b'offer\n{"files": [["a", "/a", -1, "00", 1]], "removals": []}', b"want\n[" + b'"a",' * 20_000 + b'"a"]',
     b'want\n["' + b"a" * 2**21 + b'"]', b"sell\n[]", b'trial\n[["a", "/a", 1, "00", 1]]',
     b'trial\n[["../a", "/a", 1, "00", 1], ""]', b'return\n["../a", ""]', b'return\n["a", 1]',
     b'return\n["a", "' + b"a" * 2001 + b'"]'],
)  # fmt: skip
def test_what_does_not_fit_is_refused(body):
    with pytest.raises(ProtocolError):
        decode_farm_message(b"catalina-farm/1 " + body)


@pytest.mark.parametrize(
    "body",
    [
        '{"files": [["../../x.war", "/a", 1, "00", 1]], "removals": []}',
        '{"files": [["a.war", "/..", 1, "00", 1]], "removals": []}',
        '{"files": [], "removals": [["/a/../..", 1]]}',
    ],
)
def test_names_that_would_lead_elsewhere_are_refused(body):
    with pytest.raises(ProtocolError):
        decode_farm_message(b"catalina-farm/1 offer\n" + body.encode())
