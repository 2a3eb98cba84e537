"""Both servers with everything that the tables need, started once."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.interop.differential.case import Case, Table
from tests.interop.differential.raw_client import Answer, Conversation, exchange, exchange_packets
from tests.interop.differential.servers import PROJECT, running_java, running_ours
from tests.interop.differential.site import JAVA_NAMES, MTIME, PYTHON_NAMES, build_site
from tests.support.ports import free_port
from tests.support.waiting import wait_until

__all__ = ["CONNECTORS", "Twin", "log_lines", "running_twins", "send"]

HERE = Path(__file__).parent
#: Connector -> its attributes. Half a request must not hold up the test, so ``quick`` and ``lax`` do not wait long.
CONNECTORS = {
    "main": "",
    "quick": 'connectionTimeout="1500"',
    "lax": 'connectionTimeout="1500" rejectIllegalHeader="false" relaxedPathChars="[]|{}^`&quot;&lt;&gt;\\" '
    'relaxedQueryChars="[]|{}^`&quot;&lt;&gt;\\" encodedSolidusHandling="decode" allowHostHeaderMismatch="true"',
    "pass": 'encodedSolidusHandling="passthrough" allowBackslash="true"',
    "strict": 'rejectSuspiciousURIs="true"',
    "zip": 'compression="on" compressionMinSize="20" compressibleMimeType="text/plain,text/html" '
    'noCompressionUserAgents=".*old.*"',
    "force": 'compression="force" noCompressionUserAgents=".*old.*"',
    "latin": 'URIEncoding="ISO-8859-1" maxParameterCount="5" maxPostSize="64" parseBodyMethods="POST,PUT"',
    "body": 'useBodyEncodingForURI="true"',
}
SERVER_XML = """<Server port="-1"><Service name="Catalina">
{connectors}
<Connector port="{ajp}" address="127.0.0.1" protocol="AJP/1.3" secretRequired="false" connectionTimeout="1500"
  packetSize="8192" tomcatAuthentication="true" allowedRequestAttributesPattern="x-.*"/>
<Engine name="Catalina" defaultHost="localhost" backgroundProcessorDelay="1">
<Realm className="org.apache.catalina.realm.MemoryRealm"/>
{engine}
<Host name="localhost" appBase="webapps" unpackWARs="true" autoDeploy="false"/>
{hosts}
</Engine></Service></Server>
"""
USERS = """<?xml version="1.0" encoding="UTF-8"?>
<tomcat-users>
  <role rolename="one"/><role rolename="two"/>
  <user username="joe" password="secret" roles="one"/>
  <user username="ann" password="pass:word" roles="one,two"/>
  <user username="max" password="x" roles=""/>
</tomcat-users>
"""
#: Nobody here has annotations or fragments in archives: not looking for them makes a start five times as fast.
PROPERTIES = """common.loader="${catalina.home}/lib","${catalina.home}/lib/*.jar"
server.loader=
shared.loader=
tomcat.util.scan.StandardJarScanFilter.jarsToSkip=*.jar
tomcat.util.scan.StandardJarScanFilter.jarsToScan=
"""
HEAD = '<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true">\n'


@dataclass(frozen=True)
class Twin:
    """A running server: its directory, and its ports by connector."""

    base: Path
    ports: dict[str, int]


def _server_xml(ports: dict[str, int], hosts: str, engine: str) -> str:
    connectors = "\n".join(
        f'<Connector port="{ports[name]}" address="127.0.0.1" protocol="HTTP/1.1" {attributes}/>'
        for name, attributes in CONNECTORS.items()
    )
    return SERVER_XML.format(connectors=connectors, ajp=ports["ajp"], hosts=hosts, engine=engine)


def _build(base: Path, tables: Iterable[Table], jars: Path | None, more_hosts: str) -> Twin:
    ports = {name: free_port() for name in (*CONNECTORS, "ajp")}
    for name in ("conf", "logs", "temp", "work", "webapps"):
        (base / name).mkdir(parents=True)
    engine = "" if jars is not None else '<Valve className="tests.interop.differential.probe_valve.ProbeValve"/>'
    hosts = "".join(table.hosts for table in tables) + more_hosts
    (base / "conf" / "server.xml").write_text(_server_xml(ports, hosts, engine), "utf-8")
    (base / "conf" / "tomcat-users.xml").write_text(USERS, "utf-8")
    shutil.copy(PROJECT / "conf" / "web.xml", base / "conf" / "web.xml")
    (base / "conf" / "catalina.properties").write_text(PROPERTIES, "utf-8")
    build_site(base / "webapps", jars)
    names = JAVA_NAMES if jars is not None else PYTHON_NAMES
    classes = [*(base / "classes").glob("*.class")] if jars is not None else [HERE / "echo.py"]
    for table in tables:
        for app, files in table.apps.items():
            target = base / (app if "/" in app else f"webapps/{app}")
            _build_application(target, files, names, classes)
    return Twin(base, ports)


def _build_application(
    target: Path, files: Mapping[str, str | bytes], names: dict[str, str], classes: list[Path]
) -> None:
    inside = target / "WEB-INF" / "classes"
    inside.mkdir(parents=True)
    for source in classes:
        (inside / source.name).write_bytes(source.read_bytes())
    for file, content in files.items():
        path = target / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if file == "WEB-INF/web.xml" and isinstance(content, str):
            content = HEAD + re.sub(r"\{(\w+)\}", lambda found: names[found[1]], content) + "</web-app>\n"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    for directory, _, inner in os.walk(target):
        for each in inner:
            os.utime(Path(directory, each), (MTIME, MTIME))
        os.utime(directory, (MTIME, MTIME))


@contextmanager
def running_twins(
    base: Path,
    tables: list[Table],
    jars: Path,
    hosts: str = "",
    lay: Callable[[Path], None] = lambda _: None,
) -> Iterator[tuple[Twin, Twin]]:
    """The Java Tomcat and a node of ours, both ready.

    Args:
        hosts: further ``<Host>`` elements.
        lay: puts files below a CATALINA_BASE before the start.
    """
    java = _build(base / "java", tables, jars, hosts)
    ours = _build(base / "ours", tables, None, hosts)
    for twin in (java, ours):
        lay(twin.base)
    with ExitStack() as stack:
        # The one is another process: both start at once.
        starting = ThreadPoolExecutor(1)
        future = starting.submit(stack.enter_context, running_java(java.base, java.ports["main"], jars))
        with running_ours(ours.base):
            future.result()
            starting.shutdown()
            yield java, ours


def _alone(twin: Twin, case: Case) -> list[Answer]:
    if case.port == "ajp":
        return exchange_packets(twin.ports["ajp"], case.data)
    return exchange(twin.ports[case.port], case.data, case.is_head)


def send(twin: Twin, cases: list[Case]) -> list[list[Answer]]:
    """The answers of a server to each case: one, or all of a connection of its own."""
    conversations = {name: Conversation(port) for name, port in twin.ports.items()}
    alone: dict[int, list[Answer]] = {}
    # A server may wait for the rest of a request; others go on meanwhile.
    with ThreadPoolExecutor(64) as pool:
        numbers = [number for number, case in enumerate(cases) if case.alone]
        results = pool.map(lambda number: _alone(twin, cases[number]), numbers)
        alone = dict(zip(numbers, results, strict=True))
    answers = [
        alone[number] if case.alone else [conversations[case.port].ask(case.data, case.is_head)]
        for number, case in enumerate(cases)
    ]
    for conversation in conversations.values():
        conversation.close()
    return answers


def log_lines(twin: Twin, table: Table) -> dict[str, list[str]]:
    """The lines of a table's logs about each case: the case's number -> a line of each log.

    Raises AssertionError: a log does not tell of every case in time.
    """
    lines: dict[str, list[str]] = {}

    def are_complete() -> bool:
        lines.clear()
        for name in table.logs:
            for line in (twin.base / "logs" / name).read_text("iso-8859-1").splitlines():
                number, _, rest = line.partition(" ")
                lines.setdefault(number, []).append(f"{name} {rest}")
        return len(lines) >= len(table.cases) and all(len(each) == len(table.logs) for each in lines.values())

    wait_until(are_complete, f"{twin.base}: all {len(table.cases)} requests are logged", 30, 0.2)
    return lines
