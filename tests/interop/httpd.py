"""The real Apache httpd in front of nodes, by mod_jk or by mod_proxy_ajp, and a browser that keeps its cookies."""

from __future__ import annotations

import http.client
import subprocess
from pathlib import Path
from typing import NamedTuple

from tests.cluster.node import Node
from tests.support.needs import need_command, need_file
from tests.support.ports import free_port
from tests.support.waiting import comes_true

__all__ = ["SECRET", "Browser", "Httpd", "add_ajp", "jk_workers", "proxy_balancer"]

SECRET = "s3-between-proxy-and-node"
MODULES = Path("/usr/lib/apache2/modules")
START_SECONDS = 10.0

COMMON = """
ServerRoot "{directory}"
ServerName localhost
Listen 127.0.0.1:{port}
PidFile "{directory}/httpd.pid"
ErrorLog "{directory}/error.log"
DefaultRuntimeDir "{directory}"
User daemon
Group daemon
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LogLevel warn
AllowEncodedSlashes NoDecode
"""
JK = """
LoadModule jk_module {modules}/mod_jk.so
JkWorkersFile "{directory}/workers.properties"
JkLogFile "{directory}/mod_jk.log"
JkShmFile "{directory}/jk.shm"
JkLogLevel info
JkWatchdogInterval 1
JkOptions +ForwardURICompatUnparsed
JkMount /* lb
"""
PROXY = """
LoadModule proxy_module {modules}/mod_proxy.so
LoadModule proxy_ajp_module {modules}/mod_proxy_ajp.so
LoadModule proxy_balancer_module {modules}/mod_proxy_balancer.so
LoadModule slotmem_shm_module {modules}/mod_slotmem_shm.so
LoadModule lbmethod_byrequests_module {modules}/mod_lbmethod_byrequests.so
"""


def add_ajp(node: Node, port: int | None = None) -> int:
    """Give a node that is not started an AJP connector; returns its port."""
    port = port or free_port()
    config = node.base / "conf" / "server.xml"
    connector = f'<Connector protocol="AJP/1.3" address="127.0.0.1" port="{port}" secret="{SECRET}"/>'
    config.write_text(config.read_text().replace("<Engine", connector + "<Engine"))
    return port


def jk_workers(ports: dict[str, int], extra: str = "") -> str:
    """workers.properties of a sticky balancer; ``ports`` is jvmRoute -> AJP port."""
    lines = ["worker.list=lb", "worker.lb.type=lb", f"worker.lb.balance_workers={','.join(ports)}"]
    lines += ["worker.lb.sticky_session=1", "worker.lb.recover_time=1"]
    for route, port in ports.items():
        lines += [
            f"worker.{route}.type=ajp13", f"worker.{route}.host=127.0.0.1", f"worker.{route}.port={port}",
            f"worker.{route}.secret={SECRET}", f"worker.{route}.ping_mode=A", f"worker.{route}.ping_timeout=2000",
            f"worker.{route}.socket_connect_timeout=1000",
        ]  # fmt: skip
    return "\n".join([*lines, extra, ""])


def proxy_balancer(ports: dict[str, int], standby: str = "") -> str:
    """A mod_proxy_balancer; ``standby`` is the route of a hot standby."""
    members = [
        f"  BalancerMember ajp://127.0.0.1:{port} route={route} secret={SECRET} ping=2 retry=1"
        + (" status=+H" if route == standby else "")
        for route, port in ports.items()
    ]
    return "\n".join([
        PROXY, "<Proxy balancer://nodes>", *members, "  ProxySet stickysession=JSESSIONID|jsessionid", "</Proxy>",
        "ProxyPass / balancer://nodes/ nocanon", "",
    ])  # fmt: skip


class Httpd:
    """One httpd process with a configuration of its own.

    Args:
        directory: for its files.
        workers: workers.properties, for mod_jk.
        balancer: configuration for mod_proxy.
    """

    def __init__(self, directory: Path, workers: str = "", balancer: str = "") -> None:
        program = need_command("apache2", "apache2")
        directory.mkdir()
        directory.chmod(0o755)
        self.directory = directory
        self.port = free_port()
        text = COMMON + (JK if workers else "")
        if workers:
            need_file(MODULES / "mod_jk.so", "libapache2-mod-jk")
            (directory / "workers.properties").write_text(workers)
        values = {"directory": directory, "port": self.port, "modules": MODULES}
        config = directory / "httpd.conf"
        config.write_text((text + balancer).format(**values))
        self._output = (directory / "output").open("wb")
        self.process = subprocess.Popen(
            [program, "-f", str(config), "-DFOREGROUND"], stdout=self._output, stderr=subprocess.STDOUT
        )

    def __enter__(self) -> Httpd:
        assert comes_true(self._answers, START_SECONDS, 0.05), self.log
        return self

    def _answers(self) -> bool:
        try:
            self.browser().get("/")
        except OSError:
            assert self.process.poll() is None, (self.directory / "output").read_text() + self.log
            return False
        return True

    def __exit__(self, *exc: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self._output.close()

    @property
    def log(self) -> str:
        """The logs of httpd and mod_jk."""
        names = ("error.log", "mod_jk.log")
        return "".join(
            (self.directory / name).read_text(errors="replace") for name in names if (self.directory / name).exists()
        )

    def browser(self) -> Browser:
        """A client without cookies yet."""
        return Browser(self.port)


class Answer(NamedTuple):
    """One answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Browser:
    """Sends back the session cookie it was given, as browsers do."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.session_id: str | None = None

    @property
    def route(self) -> str | None:
        """The jvmRoute in its session id."""
        return None if self.session_id is None else self.session_id.partition(".")[2]

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def send(
        self, method: str, path: str, body: bytes | list[bytes] | None = None, fields: dict[str, str] | None = None
    ) -> Answer:
        """One request; a list as body is sent in chunks."""
        headers = dict(fields or {})
        if self.session_id is not None:
            headers["Cookie"] = f"JSESSIONID={self.session_id}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        try:
            connection.request(method, path, body, headers, encode_chunked=isinstance(body, list))
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        for value in response.headers.get_all("Set-Cookie") or ():
            if value.startswith("JSESSIONID="):
                self.session_id = value.partition("=")[2].partition(";")[0]
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, data)
