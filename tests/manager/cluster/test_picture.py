"""The picture that is made from looks at a group."""

from __future__ import annotations

from typing import Any

import pytest

from catalina.manager.cluster import picture
from catalina.manager.cluster.picture import GroupPicture, Seen
from tests.manager.cluster.nodes import application, java, member, node
from tests.support.narrowing import there


def states(group: GroupPicture) -> dict[str, str]:
    return {each.label: each.state for each in group.nodes}


def texts(group: GroupPicture) -> list[str]:
    return [event.text for event in reversed(group.events)]


def test_rates_are_what_has_happened_between_two_looks_by_the_nodes_own_clock():
    group = GroupPicture("g")
    group.update([node(1, 10.0, requests=100, given=5000, done=5000)], 1000.0)
    assert group.nodes[0].sample is None
    group.update([node(1, 12.0, requests=150, given=9000, done=8000, applications=(application(primary=7),))], 1001.0)
    assert group.nodes[0].sample == (25.0, 2000.0, 1000, 7)
    assert len(group.history) == 2


def test_a_node_that_has_started_anew_makes_no_negative_rate():
    group = GroupPicture("g")
    group.update([node(1, 10.0, requests=100)], 1000.0)
    group.update([node(1, 11.0, requests=3)], 1001.0)
    assert there(group.nodes[0].sample).requests == 0


def test_a_killed_node_is_shown_as_gone_for_a_while_and_told_of():
    group = GroupPicture("g")
    group.update([node(1, is_local=True), node(2)], 1000.0)
    group.update([node(1, 2.0, is_local=True)], 1001.0)
    assert states(group) == {"n1": "here", "n2": "gone"}
    assert texts(group) == ["n2 is gone"]
    group.update([node(1, 3.0, is_local=True)], 1001.0 + picture.GONE_SECONDS + 1)
    assert states(group) == {"n1": "here"}


def test_only_so_many_nodes_that_have_gone_are_kept():
    group = GroupPicture("g")
    group.update([node(1), *(node(last) for last in range(2, 60))], 1000.0)
    group.update([node(1, 2.0)], 1001.0)
    assert len(group.nodes) == 1 + picture.MAX_GONE


def test_one_answer_that_is_late_is_no_news_and_two_are():
    group = GroupPicture("g")
    group.update([node(1), node(2)], 1000.0)
    group.update([node(1, 2.0), Seen(member(2), False)], 1001.0)
    assert states(group) == {"n1": "here", "n2": "here"}
    group.update([node(1, 3.0), Seen(member(2), False)], 1002.0)
    assert states(group) == {"n1": "here", "n2": "no answer"}
    group.update([node(1, 4.0), node(2, 4.0)], 1003.0)
    assert texts(group) == ["n2 does not answer", "n2 serves again"]


def test_a_java_node_is_there_though_it_answers_nothing():
    group = GroupPicture("g")
    group.update([node(1)], 1000.0)
    for moment in range(3):
        group.update([node(1, 2.0 + moment), java(2)], 1001.0 + moment)
    assert states(group) == {"n1": "here", "tcp://10.0.0.2:4000": "here"}
    assert group.nodes[1].is_java
    assert texts(group) == ["tcp://10.0.0.2:4000 has joined (tcp://10.0.0.2:4000)"]


def test_a_node_keeps_its_colour_when_others_go():
    group = GroupPicture("g")
    group.update([node(1), node(2), node(3)], 1000.0)
    before = {each.label: each.place for each in group.nodes}
    group.update([node(1, 2.0), node(3, 2.0), node(4)], 1001.0)
    after = {each.label: each.place for each in group.nodes}
    assert [after["n1"], after["n3"]] == [before["n1"], before["n3"]]
    assert len(set(after.values())) == 4


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, {"draining": True}, "n1 is being drained"),
        ({"draining": True}, {}, "n1 serves again"),
        ({}, {"turnover": "off"}, "turnover of sessions on n1 is off"),
        ({}, {"silent": ("n9",)}, "n9 does not acknowledge messages of n1"),
        ({"silent": ("n9",)}, {}, "n9 acknowledges messages of n1 again, or is gone"),
        ({}, {"applications": (application(),)}, "localhost/shop runs on n1"),
        (
            {"applications": (application(),)},
            {"applications": (application(runs=False, failure="no module"),)},
            "localhost/shop does not run on n1: no module",
        ),
        ({"applications": (application(),)}, {}, "localhost/shop was removed from n1"),
        (
            {"applications": (application(received=3, expected=9),)},
            {"applications": (application(),)},
            "localhost/shop on n1 has the sessions of the group",
        ),
        (
            {"applications": (application(),)},
            {"applications": (application(owed=2),)},
            "n1 owes members changes of sessions of localhost/shop",
        ),
        ({"archives": ("a.war",)}, {"archives": ("a.war", "b.war")}, "b.war is in the farm of n1"),
        ({"archives": ("a.war",)}, {}, "a.war is no longer in the farm of n1"),
    ],
)
def test_what_changes_is_told(before: dict[str, Any], after: dict[str, Any], told: str) -> None:
    group = GroupPicture("g")
    group.update([node(1, 1.0, **before)], 1000.0)
    group.update([node(1, 2.0, **after)], 1001.0)
    assert texts(group) == [told]
    group.update([node(1, 3.0, **after)], 1002.0)
    assert texts(group) == [told]


def test_events_and_history_are_bounded():
    group = GroupPicture("g")
    for moment in range(300):
        group.update([node(1, float(moment), draining=bool(moment % 2))], 1000.0 + moment)
    assert len(group.events) == picture.EVENTS
    assert len(group.history) == picture.HISTORY
    assert group.events[0].number > group.events[-1].number
