"""The doctor's findings about a group."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from catalina.ha.tcp.node_facts import Answer
from catalina.startup.group_findings import (
    Heard,
    Reach,
    facts_findings,
    group_mtu,
    key_findings,
    listen,
    multicast_findings,
    own_address_findings,
    reach,
    reach_finding,
)
from catalina.tribes.member import BEGIN, Member
from catalina.tribes.membership.mcast_service import McastService
from catalina.tribes.membership.multicast_socket import open_multicast_socket
from catalina.tribes.transport.nio.parallel_nio_sender import ORDERED_PEER
from catalina.tribes.transport.tribes_ssl_context import TribesSslContext
from tests.support.ports import free_port, free_udp_port
from tests.tribes.transport.nio.test_tls_channel import KEY, a_node, alone

LOOPBACK = bytes((127, 0, 0, 1))


def member(last: int, first: int = 10, payload: bytes = ORDERED_PEER) -> Member:
    return Member(bytes((first, 0, 0, last)), 4000, unique_id=bytes([last]) * 16, payload=payload)


HERE, THERE = member(1), member(2)
GROUP = McastService(address="228.0.0.4", port=45564, bind="10.0.0.1")


def verdicts(findings):
    return [(each.check, each.verdict) for each in findings]


def test_heartbeats_that_come_back_and_come_from_others_are_fine():
    heard = Heard({HERE: "10.0.0.1", THERE: "10.0.0.2"}, 2)
    (found,) = multicast_findings(GROUP, HERE, heard)
    assert (found.verdict, found.text) == ("ok", "this node's heartbeat to 228.0.0.4:45564 on 10.0.0.1 comes back")


def test_a_heartbeat_that_does_not_come_back_is_this_machines_fault():
    own, _ = multicast_findings(GROUP, HERE, Heard())
    assert own.verdict == "error"
    assert "allow UDP port 45564" in own.advice
    quiet = McastService(address="228.0.0.4", port=45564, local_loopback_disabled=True)
    assert verdicts(multicast_findings(quiet, HERE, Heard())) == [("multicast", "unknown"), ("multicast", "warning")]


def test_nobody_else_may_be_the_networks_fault():
    _, nobody = multicast_findings(GROUP, HERE, Heard({HERE: "10.0.0.1"}, 1))
    assert (nobody.verdict, nobody.text) == ("warning", "nobody else is heard on 228.0.0.4:45564 on 10.0.0.1")


def test_a_node_that_announces_its_loopback_to_others_is_named():
    wrong = member(9, first=127)
    *_, found = multicast_findings(GROUP, HERE, Heard({HERE: "10.0.0.1", wrong: "10.0.0.9"}, 2))
    assert found.text == "the node at 10.0.0.9 announces tcp://127.0.0.9:4000, which only it can reach"


def test_another_program_in_the_group_is_seen():
    *_, found = multicast_findings(GROUP, HERE, Heard({HERE: "10.0.0.1", THERE: "10.0.0.2"}, 5, broken=3))
    assert found.text == "3 datagrams to 228.0.0.4:45564 on 10.0.0.1 are broken announcements"


@pytest.mark.parametrize(
    ("local", "others", "verdict"),
    [
        (HERE, [THERE], "ok"),
        (member(1, first=127), [THERE], "error"),
        (member(1, first=127), [member(2, first=127)], "warning"),
        (Member(bytes(4), 4000), [], "error"),
    ],
)
def test_what_this_node_announces_others_can_reach(local, others, verdict):
    (found,) = own_address_findings(local, others)
    assert found.verdict == verdict


def test_a_node_that_cannot_be_connected_to_and_whose_fault_that_is():
    assert reach_finding(THERE, Reach(0.001, 1500), True).verdict == "ok"
    silent = reach_finding(THERE, Reach(None, error="timeout"), True)
    assert (silent.verdict, silent.advice) == ("error", "a firewall drops it: allow TCP port 4000 on 10.0.0.2")
    refused = reach_finding(THERE, Reach(None, error="refused"), False)
    assert "has ended, or listens on another address" in refused.advice
    other = reach_finding(THERE, Reach(None, error="Network is unreachable"), True)
    assert other.text == "tcp://10.0.0.2:4000 Network is unreachable"
    stranger = reach_finding(THERE, Reach(0.001, 1500), False)
    assert stranger.verdict == "error"
    assert "is heard, and is no member here" in stranger.text


def facts(applications=(), **changed):
    alike = {"channelSendOptions": "8", "interceptors": "A, B"}
    return {"now": 0.0, "software": "Catalina/1", "alike": alike, "applications": list(applications)} | changed


def application(name, manager="DeltaManager", runs=True, distributable=True):
    return {"name": name, "manager": manager, "runs": runs, "distributable": distributable}


def test_nodes_that_are_alike_are_fine():
    rows = [application("localhost/shop")]
    findings = facts_findings(facts(rows), [Answer(THERE, facts(rows), offset=0.2, accuracy=0.1)])
    assert verdicts(findings) == [("clock", "ok")]


@pytest.mark.parametrize(
    ("offset", "accuracy", "verdict"),
    [(0.9, 0, "ok"), (1.5, 0.1, "warning"), (1.5, 1, "ok"), (-1.5, 0.1, "warning"), (3600, 0.1, "error")],
)
def test_clocks_that_differ(offset, accuracy, verdict):
    (found,) = facts_findings(facts(), [Answer(THERE, facts(), offset=offset, accuracy=accuracy)])
    assert (found.check, found.verdict) == ("clock", verdict)
    assert ("ahead of" in found.text) == (offset > 0)


def test_settings_that_differ_are_named_with_both_values():
    theirs = facts(alike={"channelSendOptions": "6", "interceptors": "A, B", "new": "x"}, software="Catalina/2")
    found = [each.text for each in facts_findings(facts(), [Answer(THERE, theirs)])][1:]
    assert found == [
        "channelSendOptions: 8 here, 6 on tcp://10.0.0.2:4000",
        "tcp://10.0.0.2:4000 runs Catalina/2, this node Catalina/1",
    ]


def test_an_application_that_is_not_everywhere_and_one_whose_managers_differ():
    mine = [application("localhost/shop"), application("localhost/cart"), application("localhost/own", "", True, False)]
    theirs = [application("localhost/shop", runs=False), application("localhost/cart", "BackupManager")]
    found = [each for each in facts_findings(facts(mine), [Answer(THERE, facts(theirs))]) if each.check == "everywhere"]
    assert [(each.verdict, each.text) for each in found] == [
        ("error", "[localhost/cart] has different managers: BackupManager, DeltaManager"),
        (
            "warning",
            "[localhost/shop] does not run on tcp://10.0.0.2:4000: its sessions end when clients are sent there",
        ),
    ]


def test_a_node_without_answers_is_unknown_and_a_java_node_is_called_one():
    java = member(3, payload=b"")
    assert [each.text for each in facts_findings(facts(), [Answer(java), Answer(THERE)])] == [
        "tcp://10.0.0.3:4000 is a Java node: it answers no questions; its clock and settings are not known",
        "tcp://10.0.0.2:4000 does not answer questions; its clock and settings are not known",
    ]


def test_a_member_with_another_key_of_the_encrypt_interceptor_is_named():
    answered = Answer(HERE, facts={})
    (found,) = key_findings({THERE: 3, HERE: 1}, [answered, Answer(THERE)])
    assert (found.check, found.verdict) == ("keys", "error")
    assert found.text == "this node's key does not open the messages of tcp://10.0.0.2:4000, 3 so far"
    assert "encryptionKey" in found.advice


def test_a_member_that_takes_a_question_and_cannot_open_it_is_suspected_and_one_of_java_is_not():
    (found,) = key_findings({}, [Answer(THERE), Answer(member(3, payload=b""))])
    assert found.verdict == "warning"
    assert found.text.startswith("tcp://10.0.0.2:4000 takes a question and does not answer it")


def test_keys_that_are_alike_are_fine_and_strangers_with_another_one_are_told():
    (found,) = key_findings({}, [Answer(THERE, facts={})])
    assert found.verdict == "ok"
    (found,) = key_findings({member(9): 5}, [Answer(THERE, facts={})])
    assert found.text == "this node's key did not open messages of tcp://10.0.0.9:4000, no members now"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            "key: TLSV1_ALERT_DECRYPT_ERROR",
            "has another key, or none: the TLS handshake fails (TLSV1_ALERT_DECRYPT_ERROR)",
        ),
        ("no securePort", "announces no securePort, and this node sends over TLS only"),
    ],
)
def test_a_member_with_another_pre_shared_key_is_named(error, text):
    found = reach_finding(THERE, Reach(None, error=error), is_member=False)
    assert (found.check, found.verdict, found.text) == ("keys", "error", f"tcp://10.0.0.2:4000 {text}")
    assert "pskKey" in found.advice


@pytest.fixture
def group():
    return McastService(address="228.0.0.4", port=free_udp_port(), bind="127.0.0.1")


def test_whoever_announces_himself_is_heard_and_noise_is_counted(group):
    member = Member(LOOPBACK, 4000, unique_id=b"m" * 16)
    done = threading.Event()

    def announce():
        with contextlib.closing(open_multicast_socket((group.address, group.port), group.bind, -1, True)) as sock:
            while not done.wait(0.02):
                for data in (member.encode(), BEGIN + b"broken", b"a broadcast"):
                    sock.sendto(data, (group.address, group.port))

    announcing = threading.Thread(target=announce)
    announcing.start()
    try:
        heard = listen(group, 1.0)
    finally:
        done.set()
        announcing.join()
    assert heard.members == {member: "127.0.0.1"}
    assert heard.broken > 0
    assert heard.datagrams > heard.broken + 1


def test_silence_is_heard_as_such(group):
    heard = listen(group, 0.05)
    assert (heard.members, heard.datagrams) == ({}, 0)


def test_a_group_that_is_none_cannot_be_joined():
    with pytest.raises(OSError, match="not a multicast address"):
        listen(McastService(address="127.0.0.1", port=4567), 0.05)


def test_a_receiver_takes_a_connection_or_refuses_it():
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = reach(Member(LOOPBACK, server.getsockname()[1]), 5.0)
    assert found.seconds is not None
    assert found.mtu >= 1280
    assert reach(Member(LOOPBACK, free_port()), 5.0).error == "refused"


def test_a_receiver_that_does_not_answer():
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        with contextlib.ExitStack() as waiting:
            for _ in range(2):  # datagrams that the system has queued
                sock = waiting.enter_context(socket.socket())
                sock.setblocking(False)
                sock.connect_ex(address)
            assert reach(Member(LOOPBACK, address[1]), 0.2).error == "timeout"


def test_the_system_says_how_long_a_packet_to_the_group_may_be(group):
    assert group_mtu(group) >= 1280
    assert group_mtu(McastService(address="ff02::4", port=4567)) == 0


@pytest.mark.parametrize(("key", "error"), [(KEY, ""), (bytes(32), "key: ")])
def test_a_receiver_over_tls_is_reached_by_who_has_its_key(key, error):
    channel, _ = a_node(free_udp_port())
    with alone(channel):
        found = reach(channel.local_member, 5.0, TribesSslContext("cluster", key))
    assert (found.seconds is None) is bool(error)
    assert found.error.startswith(error)


def test_a_node_without_a_secure_port_is_not_reached_over_tls():
    assert reach(Member(LOOPBACK, 4000), 5.0, TribesSslContext("cluster", KEY)).error == "no securePort"
