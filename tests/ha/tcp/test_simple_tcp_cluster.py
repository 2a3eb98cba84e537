from __future__ import annotations

import pytest

from catalina.errors import LifecycleError
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.session.jvm_route_binder_valve import JvmRouteBinderValve
from catalina.ha.tcp.replication_valve import ReplicationValve
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.session.standard_manager import StandardManager
from catalina.tribes.channel import ChannelMessage
from catalina.tribes.member import Member
from catalina.valves.valve_base import ValveBase
from tests.ha.support import FakeNetwork, FakePipelineContainer, Node
from tests.session.support import FakeContext, FakeEngine, FakeHost


def test_the_bare_element_brings_the_howtos_defaults() -> None:
    node = Node(FakeNetwork())
    cluster = node.cluster
    assert isinstance(cluster.create_manager("/app"), DeltaManager)
    assert [type(valve) for valve in node.host.valves] == [JvmRouteBinderValve, ReplicationValve]
    assert [type(listener).__name__ for listener in cluster.cluster_listeners] == ["ClusterSessionListener"]
    assert [type(part).__name__ for part in node.channel.interceptors] == [
        "MessageDispatchInterceptor",
        "TcpFailureDetector",
    ]
    assert cluster.channel_send_options == 8
    assert node.channel.name == "localhost-Channel"
    assert node.channel.started == 15


def test_what_is_configured_is_not_added_to() -> None:
    cluster = SimpleTcpCluster()
    valve = ReplicationValve()
    cluster.add_valve(valve)
    cluster.container = FakePipelineContainer()
    network = FakeNetwork()
    cluster.channel = Node(network).channel  # type: ignore[assignment]
    cluster.start()
    assert cluster.container.valves == [valve]
    assert valve.cluster is cluster


def test_a_restart_does_not_add_the_valves_again_and_the_end_takes_them_out() -> None:
    node = Node(FakeNetwork())
    node.cluster.stop()
    node.cluster.start()
    assert len(node.host.valves) == 2
    node.cluster.stop()
    node.cluster.destroy()
    assert node.host.valves == []
    assert node.channel.started == 0


def test_under_a_host_a_manager_has_the_contexts_name() -> None:
    cluster = SimpleTcpCluster()
    cluster.container = FakeHost()
    manager = DeltaManager()
    manager.context = FakeContext("/app##2")
    cluster.register_manager(manager)
    assert manager.name == "/app##2"
    assert cluster.get_manager("/app##2") is manager
    cluster.remove_manager(manager)
    assert cluster.get_manager("/app##2") is None


@pytest.mark.parametrize(("context", "expected"), [("/app", "localhost#/app"), ("", "localhost#")])
def test_under_an_engine_the_hosts_name_stands_in_front(context: str, expected: str) -> None:
    from catalina.core.standard_engine import StandardEngine

    cluster = SimpleTcpCluster()
    cluster.container = StandardEngine(name="Catalina")
    manager = DeltaManager()
    manager.context = FakeContext(context, parent=FakeHost("localhost", FakeEngine()))
    cluster.register_manager(manager)
    assert manager.name == expected
    cluster.register_manager(manager)
    assert manager.name == expected


def test_a_manager_that_cannot_replicate_is_not_registered(caplog: pytest.LogCaptureFixture) -> None:
    cluster = SimpleTcpCluster()
    cluster.register_manager(StandardManager())
    assert "does not implement ClusterManager" in caplog.text
    assert cluster.managers == {}


def test_the_old_attributes_go_to_the_template() -> None:
    node = Node(FakeNetwork(), expire_sessions_on_shutdown=True, use_dirty_flag=True)
    manager = node.cluster.create_manager("/app")
    assert isinstance(manager, DeltaManager)
    assert (manager.expire_sessions_on_shutdown, manager.use_dirty_flag) == (True, True)


def test_send_options_are_a_number_or_names() -> None:
    cluster = SimpleTcpCluster()
    cluster.set_attribute("channelSendOptions", "sync,use_ack")
    assert cluster.channel_send_options == 6


def test_a_broken_message_is_logged_and_goes_no_further(caplog: pytest.LogCaptureFixture) -> None:
    node = Node(FakeNetwork())
    name = b"org.apache.catalina.ha.session.SessionMessageImpl"
    data = bytes.fromhex("aced00057372") + len(name).to_bytes(2, "big") + name + b"rubbish"
    sender = Member(b"\x0a\x00\x00\x09", 4000)
    message = ChannelMessage(data, 8, 0, bytes(16), sender)
    assert node.cluster.accept(message, sender)
    node.cluster.message_received(message, sender)
    assert "Unable to read a message of tcp://10.0.0.9:4000" in caplog.text


def test_raw_bytes_and_other_objects_are_left_to_other_listeners() -> None:
    node = Node(FakeNetwork())
    sender = Member(b"\x0a\x00\x00\x09", 4000)
    for data, options in ((b"hello", 1), (b"\xac\xed\x00\x05t\x00\x01x", 8), (b"", 8)):
        assert not node.cluster.accept(ChannelMessage(data, options, 0, bytes(16), sender), sender)


def test_members_that_come_and_go_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    cluster = SimpleTcpCluster()
    member = Member(b"\x0a\x00\x00\x09", 4000)
    cluster.member_added(member)
    cluster.member_disappeared(member)
    assert "Replication member added:[tcp://10.0.0.9:4000]" in caplog.text
    assert "Received member disappeared:[tcp://10.0.0.9:4000]" in caplog.text


def test_a_channel_that_cannot_start_fails_the_cluster(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(FakeNetwork())
    node.cluster.stop()

    def fail(level: int) -> None:
        raise OSError("no such address")

    monkeypatch.setattr(node.channel, "start", fail)
    with pytest.raises(LifecycleError, match="no such address"):
        node.cluster.start()
    assert "Unable to start cluster." in caplog.text


def test_the_heartbeat_can_run_on_the_containers_tick() -> None:
    node = Node(FakeNetwork(), heartbeat_background_enabled=True)
    assert not node.channel.heartbeat_enabled
    node.cluster.background_process()
    assert node.channel.sent == [(b"heartbeat", 0)]


def test_nobody_to_send_to_is_no_failure() -> None:
    from catalina.ha.session.session_message import SessionMessage

    node = Node(FakeNetwork())
    message = SessionMessage(1, "/app", None, "S", "x", 1)
    assert node.cluster.post(message) is None
    assert not node.cluster.send(message)


MEMBER = Member(bytes((10, 0, 0, 9)), 4000)


def started_with(caplog: pytest.LogCaptureFixture, *valves: ValveBase) -> str:
    """The words of a cluster with these parts at its start."""
    network = FakeNetwork()
    cluster = SimpleTcpCluster()
    for valve in valves:
        cluster.add_valve(valve)
    cluster.container = FakePipelineContainer()
    cluster.channel = Node(network).channel  # type: ignore[assignment]
    assert cluster.channel is not None
    caplog.clear()
    cluster.start()
    return caplog.text


def test_own_valves_without_replication_are_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    assert "no ReplicationValve: nothing that a request changes" in started_with(caplog, JvmRouteBinderValve())
    assert "ReplicationValve" not in started_with(caplog, JvmRouteBinderValve(), ReplicationValve())
    assert "ReplicationValve" not in started_with(caplog)


def test_broken_messages_in_any_number_are_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    node = Node(FakeNetwork())
    broken = b"\xac\xed\x00\x05sr\x00\x32org.apache.catalina.ha.session.SessionMessageImpl"
    for _ in range(1000):
        node.cluster.message_received(ChannelMessage(broken, 0, 0, bytes(16), MEMBER), MEMBER)
    assert caplog.text.count("Unable to read a message of tcp://10.0.0.9:4000") == 5
