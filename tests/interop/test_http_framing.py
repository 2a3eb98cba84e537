"""Raw HTTP/1.1 against the real Java Tomcat and ours: the same status, but for a table of exceptions.

Two servers behind each other can read the requests differently that Tomcat lets through there.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.node import Node
from tests.interop.access.twin_sites import tomcat_version
from tests.interop.java_tomcat import JavaTomcat, compile_probe

pytestmark = [pytest.mark.interop, pytest.mark.cluster]

HOST = b"Host: a\r\nConnection: close\r\n\r\n"


def get(target: bytes, fields: bytes = HOST, version: bytes = b"HTTP/1.1", method: bytes = b"GET") -> bytes:
    return method + b" " + target + b" " + version + b"\r\n" + fields


def post(fields: bytes, body: bytes = b"") -> bytes:
    return b"POST /none HTTP/1.1\r\n" + fields + HOST + body


#: Both answer the same.
SAME = {
    "plain": get(b"/none"),
    "method of bad characters": get(b"/none", method=b"G@T"),
    "no host": get(b"/none", b"Connection: close\r\n\r\n"),
    "host with a space": get(b"/none", b"Host: a b\r\n\r\n"),
    "host with an underscore": get(b"/none", b"Host: a_b\r\n\r\n"),
    "host with a bad port": get(b"/none", b"Host: a:b\r\n\r\n"),
    "two hosts": get(b"/none", b"Host: a\r\nHost: a\r\n\r\n"),
    "empty host": get(b"/none", b"Host:\r\nConnection: close\r\n\r\n"),
    "HTTP/1.0 without host": get(b"/none", b"\r\n", b"HTTP/1.0"),
    "HTTP/1.2": get(b"/none", version=b"HTTP/1.2"),
    "HTTP/2.0": get(b"/none", version=b"HTTP/2.0"),
    "space behind the version": get(b"/none", version=b"HTTP/1.1 "),
    "two spaces": get(b" /none"),
    "empty lines first": b"\r\n\r\n" + get(b"/none"),
    "space before the colon": get(b"/none", b"X : a\r\n" + HOST),
    "bad field name": get(b"/none", b"X@: a\r\n" + HOST),
    "NUL in a value": get(b"/none", b"X: a\0\r\n" + HOST),
    "coding gzip": post(b"Transfer-Encoding: gzip\r\n"),
    "coding unknown": post(b"Transfer-Encoding: foo\r\n"),
    "coding identity": post(b"Transfer-Encoding: identity\r\n"),
    "coding gzip, chunked": post(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    "coding chunked, gzip": post(b"Transfer-Encoding: chunked, gzip\r\n", b"0\r\n\r\n"),
    "length that is no number": post(b"Content-Length: x\r\n"),
    "length twice": post(b"Content-Length: 0\r\nContent-Length: 0\r\n"),
    "negative length": post(b"Content-Length: -1\r\n"),
    "unknown expectation": get(b"/none", b"Expect: foo\r\n" + HOST),
    "empty lines": b"\r\n" * 10_000 + get(b"/none"),
    "a few empty lines": b"\r\n" * 10 + get(b"/none"),
    "no version but a space": b"GET /none \r\n" + HOST,
    "another protocol": b"GET /none FOO/1.1\r\n" + HOST,
    "absolute target": get(b"http://a/none"),
    "absolute target of another host": get(b"http://b/none"),
    "absolute target with a user": get(b"http://u@a/none"),
    "absolute target without a path": get(b"http://a"),
    "CONNECT": get(b"a:80", method=b"CONNECT"),
    "OPTIONS *": get(b"*", method=b"OPTIONS"),
    "GET *": get(b"*"),
    "relative target": get(b"foo"),
    "query without a path": get(b"?x"),
    **{f"target {target!r}": get(target) for target in (
        b"/%2F", b"/%5c", b"/\\", b"/..", b"/%2e%2e/x", b"/..;/x", b"/%00", b"/%zz", b"/%", b"/%c3%28", b"/\xc3\xa4",
        b"/x#f", b"/[", b"/?[", b'/?"', b"/?<", b"/a|b", b"/^", b"/`", b"/{}", b"/~", b"/a:b", b"/%7f", b"/%01",
        b"/none?%zz",
    )},
}  # fmt: skip

#: Tomcat lets these through, or answers 400 to all sizes alike: (request, Tomcat, ours).
DIFFERENT = {
    "bare line feeds": (b"GET /none HTTP/1.1\nHost: a\nConnection: close\n\n", 404, 400),
    "a line feed first": (b"\n" + get(b"/none"), 404, 400),
    "a folded field": (get(b"/none", b"X: a\r\n b\r\n" + HOST), 404, 400),
    "length and chunked": (post(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 404, 400),
    "chunked in HTTP/1.0": (
        b"POST /none HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" + HOST + b"0\r\n\r\n",
        404 if tomcat_version() < (10, 1, 60) else 400,
        400,
    ),
    "two content types": (post(b"Content-Type: a/b\r\nContent-Type: a/b\r\nContent-Length: 0\r\n"), 404, 400),
    "a long target": (get(b"/" + b"a" * 9000), 400, 414),
    "a long field": (get(b"/none", b"X: " + b"a" * 9000 + b"\r\n" + HOST), 400, 431),
    "many fields": (get(b"/none", b"X: a\r\n" * 200 + HOST), 400, 431),
}


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """HTTP ports of a Java node and of ours; both have an application at /app only."""
    directory = tmp_path_factory.mktemp("framing")
    java = JavaTomcat("java", directory / "java", compile_probe(directory / "classes"))
    ours = Node("ours", directory / "ours")
    try:
        java.start(wait=False)
        ours.start()
        java.wait_started()
        yield java.http_port, ours.http_port
    finally:
        java.close()
        ours.close()


def status(port: int, data: bytes) -> int:
    with socket.create_connection(("127.0.0.1", port), 5) as sock:
        sock.sendall(data)
        answer = b""
        while b"\r\n" not in answer and (part := sock.recv(4096)):
            answer += part
    assert answer.startswith(b"HTTP/1.1 "), answer
    return int(answer[9:12])


@pytest.mark.parametrize("name", SAME)
def test_the_status_is_that_of_the_real_tomcat(ports: tuple[int, int], name: str) -> None:
    java, ours = ports
    assert status(ours, SAME[name]) == status(java, SAME[name])


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_two_servers_could_read_differently_is_refused(ports: tuple[int, int], name: str) -> None:
    java, ours = ports
    data, from_java, from_ours = DIFFERENT[name]
    assert (status(java, data), status(ours, data)) == (from_java, from_ours)


def test_nothing_of_this_disturbed_the_servers(ports: tuple[int, int], tmp_path: Path) -> None:
    for port in ports:
        assert status(port, get(b"/none")) == 404
