"""The configuration of a process with a user of its own has what is its application's, and no secret of the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.startup.catalina import Catalina
from catalina.startup.pool_configuration import PoolConfiguration, application_properties
from tests.support.narrowing import of_type, there

SERVER = """<Server port="-1">
  <Listener className="org.apache.catalina.startup.VersionLoggerListener"/>
  <GlobalNamingResources>
    <Resource name="shop-db" type="javax.sql.DataSource" url="jdbc:sqlite:x" username="shop" password="${shop.password}"/>
    <Resource name="bank-db" type="javax.sql.DataSource" url="jdbc:sqlite:y" username="bank" password="s-bank"/>
  </GlobalNamingResources>
  <Service name="Catalina">
    <Connector port="8443" SSLEnabled="true" scheme="https" secure="true" URIEncoding="ISO-8859-1" maxThreads="7">
      <SSLHostConfig><Certificate certificateKeystoreFile="conf/k.p12" certificateKeystorePassword="s-key"/></SSLHostConfig>
    </Connector>
    <Connector protocol="AJP/1.3" port="8009" secret="s-ajp" maxPostSize="77"/>
    <Engine name="Catalina" defaultHost="localhost" jvmRoute="n&amp;1">
      <Realm className="org.apache.catalina.realm.DataSourceRealm" dataSourceName="bank-db"/>
      <Valve className="org.apache.catalina.valves.RemoteCIDRValve" allow="127.0.0.1"/>
      <Cluster className="org.apache.catalina.ha.tcp.SimpleTcpCluster" channelSendOptions="6">
        <Manager className="org.apache.catalina.ha.session.DeltaManager" expireSessionsOnShutdown="true"/>
        <Channel className="org.apache.catalina.tribes.group.GroupChannel">
          <Interceptor className="org.apache.catalina.tribes.group.interceptors.EncryptInterceptor"
                       encryptionKey="736368616c6b65797363686c6b65797373"/>
        </Channel>
      </Cluster>
      <Host name="localhost" appBase="webapps">
        <Valve className="org.apache.catalina.valves.JDBCAccessLogValve" connectionPassword="s-log"
               connectionName="x" connectionURL="jdbc:sqlite:z" driverName="x"/>
        <Context path="/declared" docBase="declared" user="daemon"><Parameter name="own" value="s-own"/></Context>
        <Context path="/bank" docBase="bank"><Parameter name="key" value="s-param"/></Context>
      </Host>
    </Engine>
  </Service>
</Server>
"""  # noqa: E501
SECRETS = (
    "s-bank",
    "s-key",
    "s-ajp",
    "s-log",
    "s-param",
    "736368616c",
    "RemoteCIDRValve",
    "DataSourceRealm",
    "Listener",
)


class Base:
    """A loaded server."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        conf = directory / "conf" / "Catalina" / "localhost"
        conf.mkdir(parents=True)
        (directory / "conf" / "server.xml").write_text(SERVER)
        (directory / "conf" / "web.xml").write_text("<web-app/>")
        (directory / "conf" / "context.xml").write_text(
            '<Context><Parameter name="all" value="${shop.password}"/></Context>'
        )
        (conf / "shop.xml").write_text('<Context workDir="w"><ResourceLink name="db" global="shop-db"/></Context>')
        (conf / "shop.env").write_text("A=1\n")
        (conf / "bank.env").write_text("B=s-env\n")
        self.catalina = Catalina(directory, directory, {"shop.password": "p<1>", "bank.password": "s-prop"})
        self.server = self.catalina.load()
        engine = there(self.server.services[0].engine)
        self.host = of_type(StandardHost, engine.find_child("localhost"))
        self.maker = PoolConfiguration(self.server, self.catalina.root, self.catalina.substitution())

    def deployed(self) -> StandardContext:
        context = StandardContext(path="/shop", user="daemon")
        context.config_file = self.directory / "conf" / "Catalina" / "localhost" / "shop.xml"
        context.name = "/shop"
        self.host.add_child(context)
        return context

    def declared(self) -> StandardContext:
        for context in self.host.contexts:
            context.settle_name()
        return next(context for context in self.host.contexts if context.path == "/declared")


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return Base(tmp_path)


def test_no_secret_of_the_server_or_another_application_is_in_it(base: Base) -> None:
    text = "\n".join(base.maker.files(base.deployed()).values())
    for secret in (*SECRETS, "s-env", "s-prop", "s-own"):
        assert secret not in text, secret


def test_it_has_the_applications_own_files_and_values(base: Base) -> None:
    files = base.maker.files(base.deployed())
    assert files["conf/Catalina/localhost/shop.env"] == "A=1\n"
    assert "p&lt;1&gt;" in files["conf/context.xml"]
    assert f'workDir="{base.directory}/w"' in files["conf/Catalina/localhost/shop.xml"]
    assert '<Resource name="shop-db"' in files["conf/server.xml"], "its operator has linked it"
    assert files["conf/web.xml"] == "<web-app/>"


def test_another_process_understands_it(base: Base, tmp_path: Path) -> None:
    private = tmp_path / "private"
    for name, text in base.maker.files(base.deployed()).items():
        (private / name).parent.mkdir(parents=True, exist_ok=True)
        (private / name).write_text(text)
    server = Catalina(base.directory, private).load()
    service = server.services[0]
    engine = there(service.engine)
    assert (engine.name, engine.jvm_route, engine.default_host) == ("Catalina", "n&1", "localhost")
    assert service.connectors[0].uri_encoding == base.server.services[0].connectors[0].uri_encoding != "UTF-8"
    assert service.connectors[1].max_post_size == 77
    assert [connector.http.bind_on_init for connector in service.connectors] == [False, False]
    assert service.connectors[0].protocol_handler.max_threads == 7
    host = of_type(StandardHost, engine.find_child("localhost"))
    assert host.app_base_path == base.host.app_base_path
    assert host.work_path == base.host.work_path
    assert not host.children


def test_a_context_of_server_xml_is_in_it_without_its_neighbours(base: Base) -> None:
    text = base.maker.files(base.declared())["conf/server.xml"]
    assert "s-own" in text
    assert "/bank" not in text


def test_properties_that_could_be_secrets_stay(base: Base) -> None:
    base.server.properties["org.apache.catalina.x"] = "1"
    base.server.properties["org.apache.catalina.xPassword"] = "2"
    base.server.properties["common.loader"] = "${catalina.base}/lib"
    found = application_properties(base.server, base.catalina.substitution())
    assert found["org.apache.catalina.x"] == "1"
    assert found["common.loader"] == f"{base.directory}/lib"
    assert not {"org.apache.catalina.xPassword", "shop.password", "bank.password"} & found.keys()
