"""The moving part of the page as HTML."""

from __future__ import annotations

import re
from typing import Any

import pytest

from catalina.ha.tcp.live_facts import LiveTransfer
from catalina.manager.cluster.picture import GroupPicture
from catalina.manager.cluster.view import event_stream_frame, live_part, remote_orders_note
from catalina.manager.page import Html
from tests.manager.cluster.nodes import application, java, node


def shown(*looks: Any, guarded: Any = True) -> str:
    group = GroupPicture("shop")
    for moment, look in enumerate(looks):
        group.update(look, 1000.0 + moment)
    return str(live_part(group, guarded))


def row(page: str, name: str) -> str:
    rows: list[str] = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    return next(each for each in rows if name in each)


def test_members_are_shown_with_their_software_uptime_heartbeat_and_clock():
    page = shown([node(1, is_local=True), node(2), java(3)])
    assert "2 of" not in page
    assert "3 of 3 serve" in page
    assert "0.2 s ago" in row(page, "<b>n2</b>")
    assert "this one" in row(page, "<b>n1</b>")
    assert "Java" in row(page, "tcp://10.0.0.3:4000")
    assert "1 min 30 s" in row(page, "tcp://10.0.0.3:4000")


def test_sessions_are_shown_by_role_and_what_is_owed():
    page = shown([node(1, applications=(application(primary=1111, backup=22, proxy=33, owed=44),))])
    assert [f"<td>{text}</td>" in row(page, "localhost/shop") for text in ("1,111", "22", "33", "44")] == [True] * 4


def test_charts_have_a_line_for_each_node_and_say_their_numbers():
    page = shown([node(1, 1.0), node(2, 1.0)], [node(1, 2.0, requests=30), node(2, 2.0)])
    charts = re.findall(r"<figure>.*?</figure>", page)
    assert len(charts) == 4
    assert charts[0].count("<polyline") == 2
    assert 'aria-label="Requests per second: n1 30.0, n2 0.0"' in charts[0]


def test_a_line_is_broken_where_a_node_did_not_answer():
    page = shown(*([node(1, float(moment))] if moment % 3 else [java(2)] for moment in range(9)))
    assert re.findall(r"<figure>.*?</figure>", page)[0].count("<polyline") == 3


def test_buttons_do_what_the_state_calls_for():
    page = shown([node(1, is_local=True), node(2, draining=True, turnover="off")])
    assert "Drain: n1" in page
    assert "Turnover off: n1" in page
    assert "Take back: n2" in page
    assert "Turnover on: n2" in page


def test_other_nodes_have_buttons_only_where_they_take_orders():
    for look, guarded in ((node(2), False), (node(2, operable=False), True)):
        page = shown([node(1, is_local=True), look], guarded=guarded)
        assert "Drain: n1" in page
        assert "Drain: n2" not in page
    assert "keeps strangers out" in remote_orders_note(guarded=False, alone=False)
    assert not remote_orders_note(guarded=True, alone=False)
    assert not remote_orders_note(guarded=False, alone=True)


def test_only_the_newest_of_several_versions_can_be_rolled_back():
    versions = tuple(application(f"localhost/shop##{number}") for number in (1, 2, 3))
    page = shown([node(1, is_local=True, applications=(*versions, application("localhost/blog")))])
    assert re.findall(r'"Roll back: (\S+) on n1"', page) == ["localhost/shop##3"]


def test_the_manager_has_no_button_to_redeploy_itself():
    page = shown([node(1, is_local=True, applications=(application("localhost/manager", privileged=True),))])
    assert "Expire: localhost/manager" in page
    assert "Redeploy: localhost/manager" not in page


def test_an_application_that_waits_or_has_failed_says_so():
    waits = application("localhost/a", received=5, expected=10)
    failed = application("localhost/b", runs=False, failure="no module named <shop>")
    page = shown([node(1, applications=(waits, failed))])
    assert '<progress max="10" value="5"></progress> 5 of 10' in row(page, "localhost/a")
    assert "no module named &lt;shop&gt;" in row(page, "localhost/b")


def test_the_farm_is_shown_with_how_far_it_is():
    transfer = LiveTransfer("shop.war", 512, 2048, 2)
    page = shown([node(1, archives=("shop.war",), transfers=(transfer,)), node(2, receiving=("shop.war 25%",))])
    assert "on 1 of 2 nodes" in page
    assert '<progress max="2048" value="512" aria-label="shop.war"></progress> 512 B of 2.0 KiB' in page
    assert "arrives: 25%" in page


def test_events_are_the_newest_first_and_escaped():
    page = shown([node(1)], [node(1, 2.0, silent=("<x>",))], [node(1, 3.0, silent=("<x>",), draining=True)])
    assert re.findall(r"</time> (.*?)</li>", page) == [
        "n1 is being drained", "&lt;x&gt; does not acknowledge messages of n1",
    ]  # fmt: skip


def test_a_cluster_that_does_not_run_is_told():
    assert "does not run on this node" in live_part(GroupPicture("shop"), guarded=True)


def test_a_large_group_is_cut():
    page = shown([node(last) for last in range(1, 120)])
    assert page.count('id="node-') == 60


@pytest.mark.parametrize("content", ["one", "a\nb", "a\r\n\r\nevent: x", "a\rb\u2028c\x0bd"])
def test_a_frame_is_one_event_whatever_line_ends_its_content_has(content):
    frame = event_stream_frame(Html(content)).decode()
    assert frame.startswith("event: live\ndata: ")
    assert frame.endswith("\n\n")
    fields = frame[:-2].split("\n")
    assert all(field.startswith("data: ") for field in fields[1:])
    assert "\r" not in frame
    assert "\n\n" not in frame[:-2]
