"""JMX over RMI with the JDK's own client, unmodified: every call, typed exceptions, open types, notifications, TLS."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from catalina.jmx.jmx_remote import JmxRemote
from catalina.jmx.password_realm import PasswordLogin, hash_passwords
from catalina.jmx.remote_settings import PREFIX
from catalina.jmx.rmi_transport import RmiTransport
from tests.cluster.node import Node
from tests.interop.java_keys import Keys
from tests.interop.jmx_driver import JVM, driver_classes, run_driver, run_reference
from tests.jmx.pool import pool_registry, query_beans, serving
from tests.support.needs import need_file, need_module
from tests.support.ports import free_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.interop

Ask = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def ask() -> Ask:
    """Runs the driver against a port: what it prints, by key."""
    driver_classes()
    return run_driver


EXPECTED = {
    "id": "rmi://127.0.0.1  N",
    "defaultDomain": "DefaultDomain",
    "domains": "[JMImplementation, d, java.lang, java.util.logging]",
    "count": "11",
    "names": '[d:type=Pool,name="a,b"]',
    "all": "11",
    "query": '[d:type=Pool,name="a,b"]',
    "instances": "org.apache.tomcat.util.modeler.BaseModelMBean",
    "registered": "true false",
    "instanceOf": "true false",
    "info.class": "org.apache.tomcat.util.modeler.BaseModelMBean",
    "info.description": "A pool.",
    "attribute.size": "long true true How many. In things.",
    "attribute.big": "long true false big",
    "attribute.usage": "javax.management.openmbean.CompositeData true false usage",
    "attribute.ids": "[J true false ids",
    "operation.add.2": "long 1 int:first:the first long:second:second",
    "operation.drop.0": "void 1",
    "operation.fail.0": "void 0",
    "notification": "javax.management.AttributeChangeNotification [jmx.attribute.change]",
    "get.size": "java.lang.Long 3",
    "get.big": "java.lang.Long 1099511627776",
    "get.load": "java.lang.Double 0.25",
    "get.open": "java.lang.Boolean true",
    "get.label": "null null",
    "get.names": "[Ljava.lang.String; [a, b]",
    "get.ids": "[J [1, 1099511627776]",
    "get.where": "javax.management.ObjectName d:a=b",
    "get.usage": "javax.management.openmbean.CompositeDataSupport 5",
    "get.broken": "! java.lang.RuntimeException: no",
    "get.nope": "! javax.management.AttributeNotFoundException: Cannot find attribute [nope] on resource [Pool]",
    "get.none": "! javax.management.InstanceNotFoundException: d:type=None",
    "several": "size = 3;load = 0.25;",
    "listen": "ok",
    "set": "7",
    "heard": 'd:type=Pool,name="a,b" size long 3 7',
    "unlisten": "ok",
    "set.text": "! javax.management.InvalidAttributeValueException: size='many': expected a whole number of things",
    "setSeveral": "[size = 9]",
    "invoke": "5",
    "invoke.void": "null",
    "invoke.fails": "! javax.management.MBeanException: Exception invoking method [fail] <- "
    "java.lang.RuntimeException: out of order",
    "invoke.getter": "9",
    "create": "! java.lang.SecurityException: beans are made and removed by the server's configuration alone",
    "unregister": "! java.lang.SecurityException: beans are made and removed by the server's configuration alone",
    "memory": "true",
    "threads": "true",
    "runtime": "CPython /srv true",
    "system": "Linux true true",
    "classes": "true",
    "logging": "FINE",
    "registration": "JMX.mbean.registered d:type=Came",
    "registration.filtered": "d:type=Came 0",
    "change.filtered": "label 0",
    "closed": "ok",
}


def test_every_call_of_the_jdks_client_is_answered(ask: Ask) -> None:
    with serving() as server:
        found = ask(server.port, "x", "x", "registrations")
    assert {key: found.get(key) for key in EXPECTED} == EXPECTED
    assert found["set.readOnly"].startswith(
        "! javax.management.ReflectionException: Cannot find setter method [setLoad]"
    )
    assert found["invoke.signature"].startswith("! javax.management.ReflectionException: Cannot find method [add]")
    assert found["invoke.none"].startswith("! javax.management.ReflectionException: Cannot find method [nope]")


def test_queries_by_value_find_what_they_find_in_a_jvm(ask: Ask) -> None:
    expected = run_reference()
    with serving(registry=query_beans()) as server:
        found = ask(server.port, options=("-Dqueries=true",))
    keys = [key for key in expected if key.startswith("q.")]
    assert len(keys) > 60
    assert {key: found.get(key) for key in keys} == {key: expected[key] for key in keys}
    assert expected["foreign"] == "5"
    assert found["foreign"] == (
        "! java.rmi.UnmarshalException: error unmarshalling arguments: "
        "a query of the class JmxDriver$Foreign means nothing here"
    )


def test_a_file_that_the_jdk_has_hashed_lets_its_users_in(ask: Ask, tmp_path: Path) -> None:
    password, access = tmp_path / "password", tmp_path / "access"
    password.write_text("controlRole geheim\nmonitorRole schau\n")
    password.chmod(0o600)
    access.write_text("controlRole readwrite\nmonitorRole readonly\n")
    port = free_port()
    options = (f"-D{PREFIX}.port={port}", f"-D{PREFIX}.ssl=false", f"-D{PREFIX}.password.file={password}",
               f"-D{PREFIX}.access.file={access}")  # fmt: skip
    ask(port, "controlRole", "geheim", options=options)  # a JVM that logs in to itself
    assert "geheim" not in password.read_text(), "the JDK has not hashed the file"
    with serving(PasswordLogin(password, access)) as server:
        changed = ask(server.port, "controlRole", "geheim")
        looked = ask(server.port, "monitorRole", "schau")
        refused = ask(server.port, "controlRole", "schau")
    assert (changed["id"], changed["set"]) == ("rmi://127.0.0.1 controlRole N", "7")
    assert looked["get.size"] == "java.lang.Long 9"
    assert looked["set"] == (
        "! java.lang.SecurityException: Access denied! Invalid access level for requested MBeanServer operation."
    )
    assert looked["invoke"] == looked["set"]
    assert refused == {
        "connect": "! java.lang.SecurityException: Authentication failed! Invalid username or password"
        " <- SecurityException"
    }


def test_a_file_that_this_server_has_hashed_lets_its_users_into_a_jvm(ask: Ask, tmp_path: Path) -> None:
    password, access = tmp_path / "password", tmp_path / "access"
    password.write_text("# who may\ncontrolRole geheim\n")
    password.chmod(0o600)
    access.write_text("controlRole readwrite\n")
    assert hash_passwords(password) == 1
    hashed = password.read_text()
    port = free_port()
    options = (f"-D{PREFIX}.port={port}", f"-D{PREFIX}.ssl=false", f"-D{PREFIX}.password.file={password}",
               f"-D{PREFIX}.access.file={access}")  # fmt: skip
    found = ask(port, "controlRole", "geheim", options=options)  # a JVM that logs in to itself
    assert "connect" not in found
    assert found["id"].endswith("controlRole N")
    assert password.read_text() == hashed  # the JDK finds nothing to hash


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


def as_options(properties: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"-D{name}={value}" for name, value in properties.items())


@pytest.mark.parametrize("registry_ssl", ["false", "true"])
def test_tls_with_client_certificates_by_the_jdks_properties(
    registry_ssl: str, ask: Ask, keys: Keys, tmp_path: Path
) -> None:
    properties = {
        f"{PREFIX}.port": "0",
        f"{PREFIX}.authenticate": "false",
        f"{PREFIX}.ssl.need.client.auth": "true",
        f"{PREFIX}.registry.ssl": registry_ssl,
        **keys.options("server"),
    }
    remote = JmxRemote()
    remote.start(pool_registry(), properties, tmp_path)
    registry = (f"-Dregistry.ssl={registry_ssl}",)
    try:
        let_in = ask(remote.port, options=(*as_options(keys.options("client")), *registry))
        stranger = ask(remote.port, options=(*as_options(keys.options("stranger")), *registry))
        plain = ask(remote.port)
    finally:
        remote.stop()
    assert let_in["get.size"] == "java.lang.Long 3"
    assert stranger["connect"].startswith("! java")
    assert plain["connect"].startswith("! java")


def test_a_plain_socket_sees_no_object_that_is_served_over_tls(ask: Ask, keys: Keys, tmp_path: Path) -> None:
    from catalina.jmx.jrmp import ObjectId
    from tests.jmx.client import RawClient, thrown

    properties = {f"{PREFIX}.port": "0", f"{PREFIX}.authenticate": "false", **keys.options("server")}
    remote = JmxRemote()
    remote.start(pool_registry(), properties, tmp_path)
    try:
        with RawClient(remote.port) as client:
            assert thrown(client.call(ObjectId(77), -1, 0)).startswith("java.rmi.NoSuchObject")
    finally:
        remote.stop()


@pytest.fixture
def two_ports() -> RmiTransport:
    from catalina.jmx.rmi_objects import RmiObjects

    made = RmiTransport(RmiObjects(pool_registry(), None), "127.0.0.1", "localhost")
    made.start(free_port(), free_port())
    return made


def test_registry_and_objects_may_have_two_ports_and_a_name(ask: Ask, two_ports: RmiTransport) -> None:
    try:
        assert two_ports.rmi_port != two_ports.port
        assert ask(two_ports.port)["get.size"] == "java.lang.Long 3"
    finally:
        two_ports.stop()


def test_the_how_tos_options_open_the_port_of_a_real_node(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, port = Node("n", tmp_path / "n"), free_port()
    options = f"-D{PREFIX} -D{PREFIX}.port={port} -D{PREFIX}.ssl=false -D{PREFIX}.authenticate=false"
    monkeypatch.setenv("JAVA_OPTS", options)
    node.start()
    try:
        found = ask(port)
        assert "without authentication it is bound to 127.0.0.1" in node.log
        assert f"service:jmx:rmi:///jndi/rmi://127.0.0.1:{port}/jmxrmi" in node.log
        beans = query(port, "Catalina:type=ThreadPool,*", "Catalina:type=Manager,*", "java.lang:type=Memory")
    finally:
        node.kill()
    assert found["memory"] == "true"
    assert "Catalina" in found["domains"]
    assert ("connectionCount", "Long") in {(each[1], each[2]) for each in beans}
    assert ("activeSessions", "Integer") in {(each[1], each[2]) for each in beans}
    assert ("HeapMemoryUsage", "used") in {(each[1], each[3]) for each in beans}


def query(port: int, *names: str) -> list[tuple[str, str, str, str]]:
    """All attributes of some beans by PyPI's jmxquery: bean, attribute, type, key."""
    need_module("jmxquery")
    import jmxquery

    connection = jmxquery.JMXConnection(f"service:jmx:rmi:///jndi/rmi://127.0.0.1:{port}/jmxrmi")
    found = connection.query([jmxquery.JMXQuery(name) for name in names])
    return [(each.mBeanName, each.attribute, each.value_type, str(each.attributeKey)) for each in found]


def low_port() -> int:
    """A free port below 32768, which is all that the gateway takes."""
    for port in random.sample(range(20_000, 32_000), 100):
        with contextlib.suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            return port
    raise AssertionError("no port is free")


class Gateway:
    """Debian's zabbix-java-gateway."""

    def __init__(self) -> None:
        jar = need_file("/usr/sbin/zabbix-java-gateway.jar", "zabbix-java-gateway")
        self.port = low_port()
        options = ["-Dzabbix.listenIP=127.0.0.1", f"-Dzabbix.listenPort={self.port}", "-Dzabbix.startPollers=1"]
        command = [*JVM, *options, "-cp", str(jar), "com.zabbix.gateway.JavaGateway"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._listens, "the gateway listens", 60)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        except OSError:
            return False
        return True

    def ask(self, endpoint: str, *keys: str, kind: str = "jmx") -> list[dict[str, str]]:
        """As the Zabbix server asks."""
        request = {"request": f"java gateway {kind}", "jmx_endpoint": endpoint, "keys": list(keys)}
        data = json.dumps(request).encode()
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as sock:
            sock.sendall(b"ZBXD\1" + struct.pack("<Q", len(data)) + data)
            answer = b""
            while more := sock.recv(65536):
                answer += more
        found = json.loads(answer[13:])
        assert found["response"] == "success", found
        values: list[dict[str, str]] = found["data"]
        return values

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)


#: Keys of Zabbix's own template "Tomcat by JMX".
DISCOVERIES = (
    'jmx.discovery[beans,"Catalina:type=GlobalRequestProcessor,name=*"]',
    'jmx.discovery[beans,"Catalina:type=ThreadPool,name=*"]',
    'jmx.discovery[attributes,"Catalina:type=ProtocolHandler,port=*"]',
    'jmx.discovery[beans,"Catalina:type=Manager,host=*,context=*"]',
)


def test_the_keys_of_zabbixs_template_have_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node, port = Node("n", tmp_path / "n"), free_port()
    monkeypatch.setenv("JAVA_OPTS", f"-D{PREFIX}.port={port} -D{PREFIX}.ssl=false -D{PREFIX}.authenticate=false")
    gateway = Gateway()
    try:
        node.start()
        endpoint = f"service:jmx:rmi:///jndi/rmi://127.0.0.1:{port}/jmxrmi"
        found = gateway.ask(endpoint, *DISCOVERIES)
        assert all(json.loads(one["value"]) for one in found), found
        pool = f'Catalina:type=ThreadPool,name=\\"http-nio-127.0.0.1-{node.http_port}\\"'
        processor = f'Catalina:type=GlobalRequestProcessor,name=\\"http-nio-127.0.0.1-{node.http_port}\\"'
        manager = "Catalina:type=Manager,host=localhost,context=/app"
        keys = (
            'jmx["Catalina:type=Server",serverInfo]', f'jmx["{pool}",maxThreads]', f'jmx["{pool}",currentThreadCount]',
            f'jmx["{pool}",currentThreadsBusy]', f'jmx["{processor}",bytesReceived]',
            f'jmx["{processor}",requestCount]', f'jmx["{processor}",processingTime]',
            f'jmx["{manager}",activeSessions]', f'jmx["{manager}",maxActiveSessions]',
            f'jmx["{manager}",sessionCounter]', f'jmx["{manager}",rejectedSessions]',
            'jmx["java.lang:type=Memory","HeapMemoryUsage.used"]', 'jmx["java.lang:type=Threading",ThreadCount]',
        )  # fmt: skip
        values = gateway.ask(endpoint, *keys)
    finally:
        gateway.end()
        node.kill()
    assert [key for key, one in zip(keys, values, strict=True) if "value" not in one] == []
    assert values[0]["value"].startswith("Catalina for Python/")
