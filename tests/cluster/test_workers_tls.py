"""Connections that cannot go to another worker: a session comes to the request, over TLS and HTTP/2."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.node import Node
from tests.cluster.test_workers import counting_webapp
from tests.connector.certificates import pair
from tests.support.needs import need_command
from tests.support.ports import free_port

__all__ = ["counting_webapp"]

pytestmark = pytest.mark.cluster

CONNECTOR = """<Connector port="{port}" address="127.0.0.1" protocol="HTTP/1.1" SSLEnabled="true">
  <UpgradeProtocol className="org.apache.coyote.http2.Http2Protocol"/>
  <SSLHostConfig><Certificate certificateFile="{directory}/node.crt" certificateKeyFile="{directory}/node.key"/>
  </SSLHostConfig></Connector>
<Engine """


class Visitor:
    """Requests with one cookie jar, each over a connection of its own, as a browser's that comes back later."""

    def __init__(self, port: int, jar: Path, *options: str) -> None:
        self._command = ["curl", "-sS", "-k", "--max-time", "20", "-b", str(jar), "-c", str(jar), *options]
        self._url = f"https://127.0.0.1:{port}/app/"

    def get(self, page: str) -> list[str]:
        done = subprocess.run([*self._command, self._url + page], capture_output=True, text=True, check=True)
        return done.stdout.split()


@pytest.mark.parametrize("protocol", ["--http1.1", "--http2"])
def test_each_new_connection_finds_the_session_as_the_last_one_left_it(
    make_node: Callable[..., Node],
    counting_webapp: Path,
    tmp_path: Path,
    protocol: str,
) -> None:
    need_command("curl", "curl")
    node = make_node("n1", webapp=counting_webapp, workers=2)
    pair("localhost").write(tmp_path, "node")
    server_xml, port = node.base / "conf" / "server.xml", free_port()
    text = server_xml.read_text().replace("<Engine ", CONNECTOR.format(port=port, directory=tmp_path), 1)
    server_xml.write_text(text)
    node.start()
    visitor = Visitor(port, tmp_path / "jar", protocol)
    answers = [visitor.get("count") for _ in range(20)]
    assert [int(count) for count, _ in answers] == list(range(1, 21))
    assert len({pid for _, pid in answers}) == 2, "both workers have served the session"
