from __future__ import annotations

from pathlib import Path

import pytest

from catalina.core.standard_server import StandardServer
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName
from catalina.startup.catalina import Catalina

SERVER_XML = """\
<Server port="-1">
  <GlobalNamingResources><Environment name="answer" type="java.lang.Integer" value="42"/></GlobalNamingResources>
  <Service name="Catalina">
    <Executor name="pool" maxThreads="9"/>
    <Connector port="8181" address="127.0.0.1" maxKeepAliveRequests="7"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Cluster className="org.apache.catalina.ha.tcp.SimpleTcpCluster">
        <Channel className="org.apache.catalina.tribes.group.GroupChannel">
          <Membership className="org.apache.catalina.tribes.membership.McastService" dropTime="1234"/>
          <Interceptor className="org.apache.catalina.tribes.group.interceptors.TcpFailureDetector"/>
        </Channel>
      </Cluster>
      <Realm className="org.apache.catalina.realm.LockOutRealm" failureCount="3">
        <Realm className="org.apache.catalina.realm.UserDatabaseRealm"/>
      </Realm>
      <Host name="localhost" appBase="webapps">
        <Valve className="org.apache.catalina.valves.AccessLogValve" prefix="log"/>
        <Valve className="org.apache.catalina.valves.AccessLogValve" prefix="other"/>
        <Context path="/shop" docBase="shop"/>
      </Host>
    </Engine>
  </Service>
</Server>
"""


@pytest.fixture
def server(tmp_path: Path) -> StandardServer:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "server.xml").write_text(SERVER_XML)
    return Catalina(tmp_path, tmp_path).load()


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        ("Catalina:type=Server", "port", -1),
        ("Catalina:type=Service", "name", "Catalina"),
        ("Catalina:type=Executor,name=pool", "maxThreads", 9),
        ('Catalina:type=Connector,port=8181,address="127.0.0.1"', "port", 8181),
        ('Catalina:type=ProtocolHandler,port=8181,address="127.0.0.1"', "maxKeepAliveRequests", 7),
        ("Catalina:type=Engine", "defaultHost", "localhost"),
        ("Catalina:type=Mapper", "stateName", "STOPPED"),
        ("Catalina:type=StringCache", "cacheSize", 1024),
        ("Catalina:type=Host,host=localhost", "appBase", "webapps"),
        ("Catalina:type=Valve,host=localhost,name=AccessLogValve", "prefix", "log"),
        ("Catalina:type=Valve,host=localhost,name=AccessLogValve,seq=1", "prefix", "other"),
        ("Catalina:type=Valve,name=StandardEngineValve", "className", "org.apache.catalina.core.StandardEngineValve"),
        ("Catalina:type=Realm,realmPath=/realm0", "failureCount", 3),
        ("Catalina:type=Realm,realmPath=/realm0/realm0", "resourceName", "UserDatabase"),
        ("Catalina:type=Cluster", "channelSendOptions", "8"),
        ("ClusterChannel:type=Channel,channel=Catalina-Channel,component=Membership", "DropTime", 1234),
        (
            "ClusterChannel:type=Channel,channel=Catalina-Channel,component=Interceptor,interceptorName=TcpFailureDetector",
            "PerformSendTest",
            True,
        ),
        ("Catalina:j2eeType=WebModule,name=//localhost/shop,J2EEApplication=none,J2EEServer=none", "path", "/shop"),
        ('Catalina:type=Environment,resourcetype=Global,name="answer"', "value", "42"),
    ],
)
def test_every_component_has_its_bean_under_tomcats_name(
    server: StandardServer, name: str, attribute: str, value: object
) -> None:
    assert server.mbeans.find(ObjectName.parse(name)).get(attribute) == value


def test_names_are_unique(server: StandardServer) -> None:
    from catalina.startup.server_beans import server_beans

    names = [name for name, _ in server_beans(server)]
    assert len(names) == len(set(names))


def test_a_query_finds_beans_by_pattern(server: StandardServer) -> None:
    found = server.mbeans.query(ObjectName.parse("Catalina:type=Valve,host=localhost,*"))
    assert {name.keys["name"] for name, _ in found} >= {"AccessLogValve", "StandardHostValve"}


def test_every_bean_can_be_read_before_the_server_runs(server: StandardServer) -> None:
    for name, bean in server.mbeans.query(ObjectName.parse("*:*")):
        assert dict(bean.items()).keys() == {info.name for info in bean.info().attributes} - nones(bean), name


def nones(bean: ManagedBean) -> set[str]:
    return {name for name in bean.names() if bean.get(name) is None}


def channel_beans(tmp_path: Path, attributes: str) -> list[str]:
    (tmp_path / "conf").mkdir()
    text = SERVER_XML.replace('group.GroupChannel">', f'group.GroupChannel" {attributes}>')
    (tmp_path / "conf" / "server.xml").write_text(text)
    server = Catalina(tmp_path, tmp_path).load()
    return [str(name) for name, _ in server.mbeans.query(ObjectName.parse("*:type=Channel,*"))]


def test_the_channels_beans_have_the_domain_and_the_prefix_that_it_names(tmp_path: Path) -> None:
    found = channel_beans(tmp_path, 'jmxDomain="Groups" jmxPrefix="cluster=a,"')
    assert "Groups:cluster=a,type=Channel,channel=Catalina-Channel,component=Channel" in found
    assert len(found) == 5
    assert all(name.startswith("Groups:cluster=a,type=Channel,") for name in found)


def test_a_channel_can_keep_its_beans_to_itself(tmp_path: Path) -> None:
    assert channel_beans(tmp_path, 'jmxEnabled="false"') == []


@pytest.mark.parametrize("attributes", ['jmxDomain="a:b"', 'jmxPrefix="cluster=a"', 'jmxPrefix="cluster"'])
def test_what_makes_no_name_is_refused(tmp_path: Path, attributes: str) -> None:
    found = channel_beans(tmp_path, attributes)
    assert "ClusterChannel:type=Channel,channel=Catalina-Channel,component=Channel" in found
