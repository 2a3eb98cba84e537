"""Public clients and load tools against the connector: curl, nghttp2's h2load, slowhttptest."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalina.connector.connector import Connector
from catalina.coyote.http2.http2_protocol import Http2Protocol
from tests.connector.certificates import authority
from tests.connector.serving import Client, Container, serving
from tests.connector.tls import host_config
from tests.support.needs import need_command, need_module
from tests.support.waiting import take_time, wait_until

pytestmark = pytest.mark.interop


def application(environ: dict[str, Any], start_response: Any) -> Any:
    if environ["PATH_INFO"] == "/stream":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return (b"%d\n" % number for number in range(1000))
    body = environ["wsgi.input"].read()
    text = f"{environ['REQUEST_METHOD']} {environ['SERVER_PROTOCOL']} {len(body)} {hashlib.sha256(body).hexdigest()}\n"
    start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=b; Path=/")])
    return [text.encode() * 100]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Connector, Connector, Path]]:
    """A plain and a TLS connector, both with HTTP/2, and the authority's file."""
    need_command("curl", "curl")
    need_module("h2")
    directory = tmp_path_factory.mktemp("clients")
    (directory / "ca.pem").write_bytes(authority().certificate_pem)

    def plain(connector: Connector, container: Container) -> None:
        connector.add_upgrade_protocol(Http2Protocol())

    def tls(connector: Connector, container: Container) -> None:
        connector.add_upgrade_protocol(Http2Protocol())
        connector.add_ssl_host_config(host_config(directory, "shop.example.org"))

    more = {"compression": "on", "maxKeepAliveRequests": "-1"}
    with (
        serving(application, plain, **more) as first,
        serving(application, tls, SSLEnabled="true", **more) as second,
    ):
        yield first, second, directory / "ca.pem"


def curl(*arguments: str, data: bytes | None = None) -> str:
    done = subprocess.run(["curl", "-sS", "--max-time", "20", *arguments], input=data, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


VERSIONS = {
    "HTTP/1.0": ["--http1.0"],
    "HTTP/1.1": ["--http1.1"],
    "HTTP/2.0": ["--http2-prior-knowledge"],
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [0, 10, 200_000, 3_000_000])
def test_curl_sends_and_gets_bodies(servers, version, size):
    connector, _, _ = servers
    data = bytes(number % 251 for number in range(1000)) * (size // 1000 + 1)
    data = data[:size]
    url = f"http://127.0.0.1:{connector.local_port}/x"
    text = curl(*VERSIONS[version], "--data-binary", "@-", url, data=data)
    assert text.splitlines()[0] == f"POST {version} {size} {hashlib.sha256(data).hexdigest()}"
    assert len(text.splitlines()) == 100


def test_curl_waits_for_100_continue_and_sends_chunks(servers):
    connector, _, _ = servers
    url = f"http://127.0.0.1:{connector.local_port}/x"
    data = b"z" * 2_000_000
    text = curl(
        "--http1.1", "-T", "-", "-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue", url, data=data
    )
    assert text.startswith(f"PUT HTTP/1.1 2000000 {hashlib.sha256(data).hexdigest()}")


@pytest.mark.parametrize("version", VERSIONS)
def test_curl_follows_streams_heads_and_compression(servers, version):
    connector, _, _ = servers
    url = f"http://127.0.0.1:{connector.local_port}"
    assert curl(*VERSIONS[version], f"{url}/stream").splitlines() == [str(number) for number in range(1000)]
    head = curl(*VERSIONS[version], "-I", f"{url}/x").lower()
    assert "set-cookie: a=b; path=/" in head
    assert len(curl(*VERSIONS[version], "--compressed", f"{url}/x").splitlines()) == 100


@pytest.mark.parametrize(("size", "version"), [(0, "HTTP/2.0"), (10, "HTTP/2.0"), (200_000, "HTTP/1.1")])
def test_curl_changes_to_http_2_by_upgrade_unless_the_body_is_large(servers, size, version):
    connector, _, _ = servers
    url = f"http://127.0.0.1:{connector.local_port}/x"
    text = curl("--http2", "-H", "Expect:", "--data-binary", "@-", url, data=b"z" * size)
    assert text.startswith(f"POST {version} {size} ")


def test_nghttp_changes_to_http_2_by_upgrade(servers):
    nghttp = need_command("nghttp", "nghttp2-client")
    connector, _, _ = servers
    url = f"http://127.0.0.1:{connector.local_port}/stream"
    done = subprocess.run([nghttp, "--upgrade", "--no-dep", url, url], capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.splitlines()[:1000] == [b"%d" % number for number in range(1000)]


def test_curl_keeps_a_connection(servers):
    connector, _, _ = servers
    url = f"http://127.0.0.1:{connector.local_port}/x"
    report = curl("-o", "/dev/null", "-o", "/dev/null", "-w", "%{num_connects} ", url, url)
    assert report.split() == ["1", "0"]


@pytest.mark.parametrize(("option", "version"), [("--http1.1", "1.1"), ("--http2", "2")])
def test_curl_speaks_tls(servers, option, version):
    _, connector, authority_file = servers
    url = f"https://shop.example.org:{connector.local_port}/x"
    where = f"shop.example.org:{connector.local_port}:127.0.0.1"
    report = curl(
        option, "--cacert", str(authority_file), "--resolve", where, "-o", "/dev/null",
        "-w", "%{http_version} %{http_code}", url,
    )  # fmt: skip
    assert report == f"{version} 200"


def test_h2load_finds_no_fault(servers):
    h2load = need_command("h2load", "nghttp2-client")
    connector, _, _ = servers
    url = f"http://127.0.0.1:{connector.local_port}/x"
    done = subprocess.run(
        [h2load, "-n", "2000", "-c", "4", "-m", "20", url], capture_output=True, text=True, timeout=60
    )
    assert "2000 succeeded, 0 failed, 0 errored" in done.stdout, done.stdout


@pytest.mark.parametrize("attack", ["-H", "-B", "-X"], ids=["slow heads", "slow bodies", "slow readers"])
def test_slow_clients_hold_up_nobody(attack, tmp_path):
    slowhttptest = need_command("slowhttptest", "slowhttptest")
    with serving(application, connectionTimeout="2000") as connector:
        url = f"http://127.0.0.1:{connector.local_port}/x"
        command = [slowhttptest, attack, "-c", "200", "-r", "200", "-i", "1", "-l", "4", "-u", url]
        with (tmp_path / "report").open("wb") as report:
            slow = subprocess.Popen(command, stdout=report, stderr=subprocess.STDOUT)
            try:
                wait_until(lambda: len(connector.endpoint.connections) >= 100, "the slow ones are there")
                worst = 0.0
                for _ in range(30):
                    begun = time.monotonic()
                    with Client(connector) as client:
                        assert client.get("/x").status == 200
                    worst = max(worst, time.monotonic() - begun)
                    take_time(0.05)
            finally:
                slow.wait(60)
        assert worst < 2.0  # the machine may be busy; without this design nobody is served at all
        assert connector.reactor.thread_count < 50
    assert re.search(rb"slow HTTP test status|Exit status|initializing", (tmp_path / "report").read_bytes())
