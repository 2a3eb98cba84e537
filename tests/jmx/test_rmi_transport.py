from __future__ import annotations

import select
import socket
import ssl
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from catalina.jmx import rmi_transport
from catalina.jmx.jrmp import Method, ObjectId, method_hash
from catalina.tribes.io.java import ObjectOutputStream
from catalina.tribes.io.java.descriptors import WRITE_METHOD, describe
from catalina.tribes.io.java.nodes import (
    BlockData,
    ClassData,
    ClassDesc,
    JavaArray,
    JavaObject,
    JavaString,
    Node,
    ProxyDesc,
)
from tests.connector.certificates import make_pair
from tests.jmx.client import LOOKUP_HASH, RawClient, call_bytes, thrown
from tests.jmx.pool import serving
from tests.support.waiting import wait_until

NEW_CLIENT = method_hash(Method("newClient", "(Ljava/lang/Object;)Ljavax/management/remote/rmi/RMIConnection;", "o"))
EXEC = "touch /tmp/owned"


def desc(name: str, fields: str = "", flags: int = 2) -> ClassDesc:
    made = describe(name, 1, flags, fields)
    made.annotation.append(None)
    return made


def invoker() -> Node:
    """An object like commons-collections' gadget: a transformer that calls Runtime.exec when it is compared."""
    transformer = desc(
        "org.apache.commons.collections.functors.InvokerTransformer",
        "[Ljava/lang/Object; iArgs, Ljava/lang/String; iMethodName, [Ljava/lang/Class; iParamTypes",
    )
    arguments = JavaArray(desc("[Ljava.lang.Object;"), [JavaString(EXEC)])
    fields: dict[str, Any] = {"iArgs": arguments, "iMethodName": JavaString("exec"), "iParamTypes": None}
    return JavaObject(transformer, [ClassData(transformer, fields)])


def priority_queue() -> Node:
    comparator = desc("org.apache.commons.collections4.comparators.TransformingComparator", "Ljava/lang/Object; t")
    queue = desc("java.util.PriorityQueue", "I size, Ljava/util/Comparator; comparator", WRITE_METHOD)
    compared = JavaObject(comparator, [ClassData(comparator, {"t": invoker()})])
    items: list[Node | BlockData] = [BlockData(b"\0\0\0\3"), JavaString("a"), JavaString("b")]
    return JavaObject(queue, [ClassData(queue, {"size": 2, "comparator": compared}, items)])


def proxy() -> Node:
    handler = desc("sun.reflect.annotation.AnnotationInvocationHandler", "Ljava/util/Map; memberValues")
    parent = desc("java.lang.reflect.Proxy", "Ljava/lang/reflect/InvocationHandler; h")
    made = ProxyDesc(("java.util.Map",), parent, [None])
    inner = JavaObject(handler, [ClassData(handler, {"memberValues": invoker()})])
    return JavaObject(made, [ClassData(parent, {"h": inner}), ClassData(made, {})])


def url_in_a_map() -> Node:
    url = desc("java.net.URL", "I hashCode, I port, Ljava/lang/String; authority", WRITE_METHOD)
    key = JavaObject(url, [ClassData(url, {"hashCode": -1, "port": -1, "authority": JavaString("x.invalid")}, [])])
    table = desc("java.util.HashMap", "F loadFactor, I threshold", WRITE_METHOD)
    entries: list[Node | BlockData] = [BlockData(b"\0\0\0\x10\0\0\0\1"), key, JavaString("x")]
    return JavaObject(table, [ClassData(table, {"loadFactor": 0.75, "threshold": 12}, entries)])


def nested_sets() -> Node:
    """Sets of sets, each twice in the next: a JVM hashes them for years."""
    kind = desc("java.util.HashSet", "", WRITE_METHOD)
    head = BlockData(b"\0\0\0\x10\x3f\x40\0\0\0\0\0\2")
    node: Node = JavaObject(kind, [ClassData(kind, {}, [head])])
    for _ in range(15):
        node = JavaObject(kind, [ClassData(kind, {}, [head, node, node])])
    return node


def remote_reference() -> Node:
    """An object that makes a JVM call back to the attacker."""
    kind = desc("java.rmi.server.RemoteObject", "", WRITE_METHOD)
    block = BlockData(b"\0\x0aUnicastRef\0\x09127.0.0.1\0\0\0\1" + bytes(22) + b"\0")
    return JavaObject(kind, [ClassData(kind, {}, [block])])


PAYLOADS = [invoker, priority_queue, proxy, url_in_a_map, nested_sets, remote_reference]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("target", ["lookup", "bind", "credentials", "collector"])
def test_an_attackers_object_is_answered_with_an_error_and_nothing_else(payload: object, target: str) -> None:
    node: Node = payload()  # type: ignore[operator]  # a function
    with serving(login=lambda user, password: None) as server, RawClient(server.port) as client:
        door = client.door()
        modules, threads = set(sys.modules), threading.active_count()
        calls = {
            "lookup": (ObjectId(0), 2, LOOKUP_HASH, node),
            "bind": (ObjectId(0), 0, LOOKUP_HASH, JavaString("x"), node),
            "credentials": (door, -1, NEW_CLIENT, node),
            "collector": (ObjectId(2), 1, -669196253586618813, node, 1, node),
        }
        answer = thrown(client.call(*calls[target]))  # type: ignore[arg-type]  # a call each
        assert answer.startswith(("java.rmi.", "java.lang.SecurityException"))
        assert set(sys.modules) == modules
        assert threading.active_count() <= threads
        assert client.door() == door  # and it serves on


def test_an_array_that_says_it_is_huge_costs_nothing() -> None:
    out = ObjectOutputStream()
    out.write_bytes(ObjectId(0).encode())
    out.write_int(2)
    out.write_long(LOOKUP_HASH)
    head = b"\x50" + out.getvalue() + b"\x75\x72\0\x13[Ljava.lang.Object;" + bytes(8) + b"\2\0\0\x70\x70"
    with serving() as server, RawClient(server.port) as client:
        client.send(head + b"\x7f\xff\xff\xff")
        client.socket.shutdown(socket.SHUT_WR)
        with pytest.raises(EOFError):
            client.answer()
        with RawClient(server.port) as other:
            other.door()


def test_a_call_by_a_stranger_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rmi_transport, "MAX_STRANGERS_CALL", 1000)
    with serving() as server, RawClient(server.port) as client:
        client.send(call_bytes(ObjectId(0), 2, LOOKUP_HASH, JavaString("x" * 2000))[:1990])
        with pytest.raises((EOFError, ConnectionError)):
            client.answer()


def test_a_call_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rmi_transport, "CALL_SECONDS", 0.3)
    with serving() as server, RawClient(server.port) as client:
        client.send(call_bytes(ObjectId(0), 2, LOOKUP_HASH, JavaString("jmxrmi"))[:-3])
        with pytest.raises((EOFError, ConnectionError)):
            client.answer()


def test_a_call_may_come_in_pieces() -> None:
    data = call_bytes(ObjectId(0), 2, LOOKUP_HASH, JavaString("jmxrmi"))
    with serving() as server, RawClient(server.port) as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), 7):
            client.send(data[at : at + 7])
        kind, _ = client.answer()
        assert kind == 1


def test_two_calls_may_come_at_once() -> None:
    data = call_bytes(ObjectId(0), 2, LOOKUP_HASH, JavaString("no"))
    with serving() as server, RawClient(server.port) as client:
        client.send(b"\x52" + data)
        assert client.socket.recv(1) == b"\x53"
        assert thrown(client.answer()) == "java.rmi.NotBoundException: no"
        client.send(b"\x54" + bytes(14) + data)
        assert thrown(client.answer()) == "java.rmi.NotBoundException: no"


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"JRMI\0\2\x4c", b"\x16\x03\x01\0\0\0\0", b"\0" * 20])
def test_what_does_not_speak_rmi_is_closed(data: bytes) -> None:
    with serving() as server, socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
        sock.sendall(data)
        try:
            assert sock.recv(100) == b""
        except ConnectionError:
            pass


def test_more_sockets_than_the_limit_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rmi_transport, "MAX_SOCKETS", 1)
    with serving() as server, RawClient(server.port) as client:
        client.door()
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as second:
            try:
                assert second.recv(1) == b""
            except ConnectionError:
                pass


def test_a_stop_ends_the_clients_and_frees_the_port() -> None:
    with serving() as server:
        client = RawClient(server.port)
        client.door()
        port = server.port
    with client, pytest.raises((EOFError, ConnectionError)):
        client.answer()
    socket.create_server(("127.0.0.1", port)).close()


def test_the_objects_may_have_a_port_of_their_own() -> None:
    with serving() as server:
        assert server.rmi_port == server.port


def test_bytes_that_drip_do_not_hold_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rmi_transport, "HANDSHAKE_SECONDS", 0.3)
    with serving() as server, socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
        assert wait_until(lambda: _is_closed_while_dripping(sock), "the server closes it")


def _is_closed_while_dripping(sock: socket.socket) -> bool:
    try:
        sock.sendall(b"J")
        return bool(select.select([sock], [], [], 0.05)[0]) and not sock.recv(1)
    except ConnectionError:
        return True


def test_a_name_of_a_client_is_bounded() -> None:
    with serving() as server, socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
        sock.sendall(b"JRMI\0\2\x4b\xff\xff")
        received = b""
        try:
            while more := sock.recv(100):
                received += more
        except ConnectionError:
            pass
        assert received[:1] == b"\x4e"


def test_an_error_writes_no_line_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with serving() as server, RawClient(server.port) as client:
        thrown(client.call(ObjectId(0), 2, LOOKUP_HASH, JavaString("x\nSEVERE [main] all is lost")))
    assert caplog.records
    assert all(record.getMessage().isprintable() for record in caplog.records if "JMX call" in record.getMessage())


def tls_context(tmp_path: Path) -> ssl.SSLContext:
    pair = make_pair("localhost")
    pair.write(tmp_path, "server")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    return context


def test_connections_over_tls_are_forgotten_when_they_end_well_or_badly(tmp_path: Path) -> None:
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    with serving(tls=tls_context(tmp_path)) as server:
        for _ in range(3):
            plain = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            with client.wrap_socket(plain) as secured:
                secured.sendall(b"JRMI\0\2\x4b")
                assert secured.recv(1) == b"\x4e"
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock:
                sock.sendall(b"\x16\x03\x01\0\x05hello")
                while sock.recv(100):
                    pass
        wait_until(lambda: server.open_sockets == 0, "all are forgotten")


def test_a_handshake_that_drips_does_not_hold_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rmi_transport, "HANDSHAKE_SECONDS", 0.3)
    with (
        serving(tls=tls_context(tmp_path)) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as sock,
    ):
        sock.sendall(b"\x16\x03\x01\x40\0")
        assert wait_until(lambda: _is_closed_while_dripping(sock), "the server closes it")
