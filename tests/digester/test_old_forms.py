from __future__ import annotations

from pathlib import Path

import pytest

from catalina.digester.old_forms import modernise
from catalina.digester.xml_tree import XmlElement, read_xml


def modernised(tmp_path: Path, text: str) -> tuple[XmlElement, list[str]]:
    path = tmp_path / "server.xml"
    path.write_text(text)
    root = read_xml(path)
    return root, [str(finding) for finding in modernise(root)]


def shape(element: XmlElement) -> object:
    return (element.tag, [shape(child) for child in element.children]) if element.children else element.tag


def test_parts_of_a_channel_directly_in_a_cluster_are_put_into_one(tmp_path: Path) -> None:
    root, remarks = modernised(tmp_path, "<Cluster><Membership/><Receiver/><Sender/><Interceptor/><Valve/></Cluster>")
    # No version knew an Interceptor there: it stays where it is, and the digester says that nothing reads it.
    assert shape(root) == ("Cluster", [("Channel", ["Membership", "Receiver", "Sender"]), "Interceptor", "Valve"])
    assert root.children[0].get("className") == "org.apache.catalina.tribes.group.GroupChannel"
    assert len(remarks) == 1


def test_attributes_of_tomcat_5_5_get_their_names_of_today(tmp_path: Path) -> None:
    root, _ = modernised(
        tmp_path,
        '<Cluster><Membership className="org.apache.catalina.cluster.mcast.McastService" mcastAddr="228.0.0.4"'
        ' mcastPort="45564" mcastFrequency="500" mcastDropTime="3000"/></Cluster>',
    )
    membership = root.children[0].children[0]
    assert {name: membership.get(name) for name in membership.attributes if name != "className"} == {
        "address": "228.0.0.4",
        "port": "45564",
        "frequency": "500",
        "dropTime": "3000",
    }


def test_settings_of_tomcat_5_0_on_the_cluster_element_become_parts_of_a_channel(tmp_path: Path) -> None:
    root, _ = modernised(
        tmp_path,
        '<Cluster className="org.apache.catalina.cluster.tcp.SimpleTcpCluster" name="FilipsCluster" debug="10"'
        ' mcastAddr="228.0.0.4" tcpListenAddress="auto" tcpThreadCount="2" replicationMode="pooled"/>',
    )
    assert list(root.attributes) == ["className", "channelSendOptions"]
    assert shape(root) == ("Cluster", [("Channel", ["Membership", "Receiver", "Sender"])])
    membership, receiver, _sender = root.children[0].children
    assert membership.get("address") == "228.0.0.4"
    assert (receiver.get("address"), receiver.get("maxThreads")) == ("auto", "2")


def test_manager_settings_with_a_prefix_go_to_the_manager(tmp_path: Path) -> None:
    root, _ = modernised(tmp_path, '<Cluster manager.mapSendOptions="6"/>')
    assert root.children[0].get("mapSendOptions") == "6"


def test_tomcat_6_still_took_the_old_names(tmp_path: Path) -> None:
    root, remarks = modernised(
        tmp_path, '<Membership className="org.apache.catalina.tribes.membership.McastService" mcastAddr="228.0.0.9"/>'
    )
    assert root.get("address") == "228.0.0.9"
    assert remarks == ["server.xml:1 <Membership>: read by today's names: mcastAddr"]


@pytest.mark.parametrize(
    ("mode", "options"), [("pooled", "6"), ("synchronous", "6"), ("asynchronous", "8"), ("fastasyncqueue", "8")]
)
def test_the_replication_mode_becomes_send_options(tmp_path: Path, mode: str, options: str) -> None:
    root, _ = modernised(tmp_path, f'<Cluster><Sender replicationMode="{mode}" ackTimeout="15000"/></Cluster>')
    assert root.get("channelSendOptions") == options
    sender = root.children[0].children[0]
    assert sender.children[0].get("timeout") == "15000"


def test_a_named_manager_becomes_an_element(tmp_path: Path) -> None:
    root, _ = modernised(
        tmp_path,
        '<Cluster managerClassName="org.apache.catalina.cluster.session.DeltaManager"'
        ' expireSessionsOnShutdown="true" useDirtyFlag="true"/>',
    )
    assert list(root.attributes) == []
    manager = root.children[0]
    assert manager.get("className") == "org.apache.catalina.cluster.session.DeltaManager"
    assert manager.get("expireSessionsOnShutdown") == "true"


def test_the_old_filter_list_becomes_one_expression(tmp_path: Path) -> None:
    root, _ = modernised(
        tmp_path, r'<Valve className="org.apache.catalina.cluster.tcp.ReplicationValve" filter=".*\.gif;.*\.js;"/>'
    )
    assert root.get("filter") == r".*\.gif|.*\.js"


def test_resource_params_become_attributes_of_the_resource(tmp_path: Path) -> None:
    root, _ = modernised(
        tmp_path,
        '<GlobalNamingResources><Resource name="db" type="T"/><ResourceParams name="db"><parameter>'
        "<name>pathname</name><value>conf/x.xml</value></parameter></ResourceParams></GlobalNamingResources>",
    )
    assert shape(root) == ("GlobalNamingResources", ["Resource"])
    assert root.children[0].get("pathname") == "conf/x.xml"


def test_resource_params_of_no_resource_are_a_warning(tmp_path: Path) -> None:
    _, remarks = modernised(tmp_path, '<Context><ResourceParams name="db"/></Context>')
    assert remarks == ["server.xml:1 <ResourceParams>: left out: no Resource is called 'db'"]


def test_a_logger_is_left_out_with_a_remark(tmp_path: Path) -> None:
    root, remarks = modernised(tmp_path, "<Engine><Logger/><Realm/></Engine>")
    assert shape(root) == ("Engine", ["Realm"])
    assert "logging.properties" in remarks[0]


def test_a_file_of_today_is_not_touched(tmp_path: Path) -> None:
    text = '<Cluster channelSendOptions="8"><Manager/><Channel><Membership/></Channel><Valve filter="a;b"/></Cluster>'
    root, remarks = modernised(tmp_path, text)
    assert remarks == []
    assert shape(root) == ("Cluster", ["Manager", ("Channel", ["Membership"]), "Valve"])
    assert root.children[2].get("filter") == "a;b"
