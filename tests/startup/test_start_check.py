"""A refusal of the start is in the output of configtest; each case was one that the start alone found."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from catalina.startup.catalina import Catalina
from catalina.startup.start_check import address_problem, check_start, port_problem
from tests.support.ports import free_ports

Check = Callable[..., list[tuple[int, str]]]

ENGINE = (
    '<Server port="-1"><Service name="Catalina">{}<Engine name="Catalina" defaultHost="localhost">{}{}</Engine>'
    "</Service></Server>"
)
HOST = '<Host name="localhost" appBase="webapps">{}</Host>'
#: Listens on a free port, prints it and waits; its words are those of a server.
LISTENER = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


def routed(connectors: str) -> str:
    """A server whose Engine has a jvmRoute."""
    text = ENGINE.format(connectors, "", HOST.format(""))
    return text.replace("<Engine ", '<Engine jvmRoute="n1" ')


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Level and text of each finding about a server with these connectors, engine parts and host."""
    for name in ("conf", "webapps"):
        (tmp_path / name).mkdir()

    def run(
        connector: str = "", engine: str = "", host: str = HOST.format(""), whole: str = ""
    ) -> list[tuple[int, str]]:
        (tmp_path / "conf" / "server.xml").write_text(whole or ENGINE.format(connector, engine, host))
        catalina = Catalina(tmp_path, tmp_path)
        root = catalina.digester().parse(catalina.config_file)
        return [(finding.level, finding.text) for finding in check_start(root, catalina.adopt(root))]

    return run


def only(found: list[tuple[int, str]], level: int) -> str:
    ((found_level, text),) = found
    assert found_level == level, text
    return text


def test_a_server_that_starts_has_no_finding(check: Check) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    assert check(f'<Connector port="{port}" address="127.0.0.1"/>') == []


def test_a_wrong_pattern_of_an_access_log(check: Check) -> None:
    valve = '<Valve className="org.apache.catalina.valves.AccessLogValve" pattern="%h %{usec}t %{x}p"/>'
    found = [text for level, text in check(host=HOST.format(valve)) if level == logging.WARNING]
    assert len(found) == 2
    assert found[0].startswith("Invalid date pattern in %{usec}t of the access log, writing ??? in its place: ")
    assert found[1] == "Invalid port type [x], using server (local) port"


def test_ajp_without_a_secret(check: Check) -> None:
    text = only(check('<Connector port="0" protocol="AJP/1.3"/>'), logging.WARNING)
    assert 'configured with secretRequired="true" but the secret attribute is either null or empty' in text


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ('port="0" address="no-such-host.invalid"', "'no-such-host.invalid' cannot be resolved"),
        ('port="8080" address="203.0.113.71"', "'203.0.113.71' is no address of this machine"),
        ('port="${http.port}"', "port -1 is none, expected 1 to 65535"),
        ('port="70000"', "port 70000 is none, expected 1 to 65535"),
    ],
)
def test_an_address_or_port_that_a_connector_cannot_have(check: Check, attributes: str, problem: str) -> None:
    assert f"this connector will not start: {problem}" in only(check(f"<Connector {attributes}/>"), logging.WARNING)


def test_a_port_that_another_process_has(check: Check) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        text = only(check(f'<Connector port="{port}" address="127.0.0.1"/>'), logging.WARNING)
        whole = ENGINE.format("", "", HOST.format("")).replace('port="-1"', f'port="{port}"')
        shutdown = only(check(whole=whole), logging.WARNING)
    assert f"127.0.0.1:{port} is taken by process" in text
    assert shutdown.startswith("no shutdown port: ")


@pytest.mark.parametrize(
    "certificate",
    ['certificateFile="conf/no.pem"', 'certificateKeystoreFile="conf/no.p12"', 'certificateKeystoreFile="conf/no.jks"'],
)
def test_a_certificate_that_is_not_there(check: Check, certificate: str) -> None:
    text = only(
        check(
            '<Connector port="0" SSLEnabled="true"><SSLHostConfig>'
            f"<Certificate {certificate}/></SSLHostConfig></Connector>"
        ),
        logging.WARNING,
    )
    assert text.startswith("this connector will not start: ")


CLUSTER = (
    '<Cluster className="org.apache.catalina.ha.tcp.SimpleTcpCluster">'
    '<Channel className="org.apache.catalina.tribes.group.GroupChannel">{}</Channel></Cluster>'
)
RECEIVER = '<Receiver className="org.apache.catalina.tribes.transport.nio.NioReceiver" {}/>'
MEMBER = (
    '<Interceptor className="org.apache.catalina.tribes.group.interceptors.StaticMembershipInterceptor">'
    '<Member className="org.apache.catalina.tribes.membership.StaticMember" host="{}" port="4000"/></Interceptor>'
)
ENCRYPT = '<Interceptor className="org.apache.catalina.tribes.group.interceptors.EncryptInterceptor" {}/>'


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        (RECEIVER.format('address="203.0.113.71"'), "address: '203.0.113.71' is no address of this machine"),
        (RECEIVER.format('address="no-such-host.invalid"'), "address: 'no-such-host.invalid' cannot be resolved"),
        (
            RECEIVER.format('address="203.0.113.71" bind="203.0.113.72"'),
            "bind: '203.0.113.72' is no address of this machine",
        ),
        (MEMBER.format("no-such-host.invalid"), "<Member host='no-such-host.invalid'>"),
    ],
)
def test_what_keeps_the_node_out_of_its_group(check: Check, part: str, problem: str) -> None:
    assert problem in only(check(engine=CLUSTER.format(part)), logging.ERROR)


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [("", "Encryption key is required"), ('encryptionKey="cafebabe"', "encryptionKey of 4 bytes, AES takes")],
)
def test_an_encryption_that_cannot_begin(check: Check, attributes: str, problem: str) -> None:
    deprecated, refused = check(engine=CLUSTER.format(ENCRYPT.format(attributes)))
    assert deprecated[0] == logging.WARNING
    assert "is deprecated. TLS with a pre-shared key protects more" in deprecated[1]
    assert refused[0] == logging.ERROR
    assert problem in refused[1]


def test_a_channel_that_is_to_be_secure_needs_its_key(check: Check) -> None:
    secure = CLUSTER.format("").replace('GroupChannel"', 'GroupChannel" secure="true"')
    assert "secure='true' needs pskIdentity and pskKey" in only(check(engine=secure), logging.ERROR)


def test_what_the_start_warns_of_is_said_before_it(check: Check) -> None:
    """The configuration alone tells it: no ReplicationValve, a farm that anybody may join, no realm for the sign-on."""
    deployer = '<Deployer className="org.apache.catalina.ha.deploy.FarmWarDeployer"/>'
    binder = '<Valve className="org.apache.catalina.ha.session.JvmRouteBinderValve"/>'
    sign_on = '<Valve className="org.apache.catalina.authenticator.SingleSignOn"/>'
    cluster = CLUSTER.format("").replace("</Cluster>", f"{deployer}{binder}</Cluster>")
    texts = [text for _, text in check(connector='<Connector port="0" executor="none"/>', engine=cluster + sign_on)]
    for words in (
        "No executor found with name [none]",
        "has valves of its own and no ReplicationValve",
        "FarmWarDeployer can only work as host cluster subelement!",
        "This SSO [Catalina] has no realm associated with it",
    ):
        assert any(words in text for text in texts), words


def test_what_is_announced_need_not_be_bound(check: Check) -> None:
    """Behind an address translation the members are told another address than the one that is listened on."""
    part = RECEIVER.format('address="203.0.113.71" bind="127.0.0.1"')
    assert check(engine=CLUSTER.format(part)) == []


def test_a_default_host_that_no_host_has(check: Check) -> None:
    found = check(host='<Host name="www.example.org" appBase="webapps"/>')
    assert "no Host has the name of defaultHost [localhost]" in only(found, logging.WARNING)
    assert check(host='<Host name="www.example.org" appBase="webapps"><Alias>LOCALHOST</Alias></Host>') == []


def test_application_bases_that_are_missing_or_a_bad_idea(check: Check, tmp_path: Path) -> None:
    missing = check(host='<Host name="localhost" appBase="no/such"/>')
    assert only(missing, logging.WARNING) == f"appBase [{tmp_path}/no/such] does not exist: the start makes it"
    empty = only(check(host='<Host name="localhost" appBase=""/>'), logging.WARNING)
    assert empty.endswith("will set it to CATALINA_BASE, which is a bad idea")
    parent = only(check(host='<Host name="localhost" appBase=".."/>'), logging.WARNING)
    assert parent == "appBase on host [localhost] is a parent folder of CATALINA_BASE, which is a bad idea"


def test_a_document_base_that_is_not_there(check: Check) -> None:
    text = only(check(host=HOST.format('<Context path="/shop" docBase="/srv/no/shop"/>')), logging.WARNING)
    assert text == "the document base [/srv/no/shop] does not exist: this application will not start"


REALM = '<Realm className="org.apache.catalina.realm.UserDatabaseRealm" resourceName="UserDatabase"/>'
USERS = (
    '<GlobalNamingResources><Resource name="UserDatabase" type="org.apache.catalina.UserDatabase"'
    ' factory="org.apache.catalina.users.MemoryUserDatabaseFactory"/></GlobalNamingResources>'
)


def with_users(resources: str) -> str:
    return ENGINE.format("", REALM, HOST.format("")).replace("<Service", f"{resources}<Service", 1)


def test_users_that_are_not_there(check: Check, tmp_path: Path) -> None:
    assert only(check(whole=with_users("")), logging.ERROR) == (
        "No UserDatabase component found under key [UserDatabase]"
    )
    assert "does not exist: nobody can log in" in only(check(whole=with_users(USERS)), logging.WARNING)
    (tmp_path / "conf" / "tomcat-users.xml").write_text("<users/>")
    assert "expected <tomcat-users>, got <users>" in only(check(whole=with_users(USERS)), logging.ERROR)
    (tmp_path / "conf" / "tomcat-users.xml").write_text("<tomcat-users/>")
    assert check(whole=with_users(USERS)) == []


def test_a_memory_realm_needs_its_file(check: Check) -> None:
    found = check(engine='<Realm className="org.apache.catalina.realm.MemoryRealm"/>')
    assert "does not exist: nobody can log in" in only(found, logging.ERROR)


def test_a_database_that_no_python_driver_speaks_to(check: Check) -> None:
    resource = '<Resource name="jdbc/shop" type="javax.sql.DataSource" url="jdbc:derby:shop"/>'
    text = only(check(host=HOST.format(f'<Context docBase="."  path="">{resource}</Context>')), logging.WARNING)
    assert text == (
        "the resource [jdbc/shop] cannot be made: jdbc:derby: is a Java database or one without a Python driver"
    )
    realm = '<Realm className="org.apache.catalina.realm.JDBCRealm" connectionURL="jdbc:derby:users"/>'
    assert only(check(engine=realm), logging.WARNING).startswith("connectionURL cannot be used: jdbc:derby:")


def test_attributes_of_another_protocol_are_said_without_their_secrets(check: Check) -> None:
    attributes = 'port="0" keystorePass="hunter2" compression="on" protocol="AJP/1.3" secretRequired="false"'
    texts = [text for _, text in check(f"<Connector {attributes}/>")]
    assert "[AJP/1.3] has no attribute compression; value [on] ignored" in texts
    assert any("has no attribute keystorePass" in text for text in texts)
    assert "hunter2" not in "".join(texts)


@pytest.mark.parametrize(
    ("part", "package"),
    [
        (CLUSTER.format(ENCRYPT.format('encryptionKey="000102030405060708090a0b0c0d0e0f"')), "cryptography"),
        ('<Realm className="org.apache.catalina.realm.JNDIRealm" connectionURL="ldap://localhost"/>', "ldap3"),
    ],
)
def test_a_part_that_cannot_start_without_its_package_ends_the_start(
    check: Check, monkeypatch: pytest.MonkeyPatch, part: str, package: str
) -> None:
    monkeypatch.setattr("catalina.startup.start_check.is_installed", lambda name: name != package)
    errors = [text for level, text in check(engine=part) if level == logging.ERROR]
    assert errors == [f"the start ends here, as the package {package} is not installed"]


def test_a_farm_that_anybody_may_join_is_said_once(check: Check) -> None:
    deployer = '<Deployer className="org.apache.catalina.ha.deploy.FarmWarDeployer" deployDir="temp/elsewhere"/>'
    cluster = CLUSTER.format("").replace("</Cluster>", f"{deployer}</Cluster>")
    texts = [text for _, text in check(host=HOST.format(cluster))]
    assert sum("can pass for a member" in text for text in texts) == 1
    assert any(text.startswith("deployDir [") and "is not the appBase" in text for text in texts)
    assert sum(text.startswith('watchEnabled="false": this node') for text in texts) == 1
    encrypt = ENCRYPT.format('encryptionKey="000102030405060708090a0b0c0d0e0f"')
    sealed = cluster.replace("</Channel>", f"{encrypt}</Channel>")
    assert not any("can pass for a member" in text for _, text in check(host=HOST.format(sealed)))


def test_the_ports_of_workers_that_are_taken_or_belong_to_another_connector(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "3")
    connector = '<Connector port="{}" address="127.0.0.1" {}/>'
    port = free_ports(3) + 2
    with socket.create_server(("127.0.0.1", port)):
        text = only(check(whole=routed(connector.format(port - 2, 'workerPorts="true"'))), logging.WARNING)
        assert f"127.0.0.1:{port} is taken" in text
    both = connector.format(port - 2, 'workerPorts="true"') + connector.format(port, "")
    text = only(check(whole=routed(both)), logging.WARNING)
    assert f"port {port} is that of a worker of two connectors" in text


def test_ports_of_workers_need_a_port_and_a_route(check: Check) -> None:
    found = [text for _, text in check('<Connector port="0" workerPorts="true"/>')]
    assert any("expected a port above 0" in text for text in found)
    assert any("without a jvmRoute no balancer knows" in text for text in found)


def test_an_address_of_this_machine_is_no_problem() -> None:
    assert address_problem("127.0.0.1") == ""
    assert address_problem("localhost") == ""


def test_an_address_of_another_machine_and_a_name_that_nobody_knows_are() -> None:
    assert "'203.0.113.71' is no address of this machine" in address_problem("203.0.113.71")
    assert "'no-such-host.invalid' cannot be resolved" in address_problem("no-such-host.invalid")


def test_a_port_that_somebody_else_has_is_named_with_him(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        problem = port_problem("127.0.0.1", port, tmp_path)
        assert problem.startswith(f"127.0.0.1:{port} is taken by process {os.getpid()} (")
        assert f"*:{port} is taken" in port_problem(None, port, tmp_path)
    assert port_problem("127.0.0.1", port, tmp_path) == ""


def test_the_server_of_this_very_base_may_have_it(tmp_path: Path) -> None:
    words = [sys.executable, "-c", LISTENER, f"-Dcatalina.base={tmp_path}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        port = int(process.stdout.readline())
        assert port_problem("127.0.0.1", port, tmp_path) == ""
        assert "is taken by process" in port_problem("127.0.0.1", port, tmp_path / "other")
        process.stdin.close()


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_number_that_is_no_port_is_said(port: int, tmp_path: Path) -> None:
    assert f"port {port} is none" in port_problem(None, port, tmp_path)


def test_port_0_is_any_free_one(tmp_path: Path) -> None:
    assert port_problem(None, 0, tmp_path) == ""
