from __future__ import annotations

import pytest

from catalina.jmx import rmi_objects
from catalina.jmx.java_nodes import name_node, text, value_node
from catalina.jmx.jrmp import Method, ObjectId, method_hash
from catalina.jmx.rmi_connection import METHODS
from catalina.tribes.io.java.nodes import JavaString
from tests.jmx.client import LOOKUP_HASH, RawClient, target_of, thrown
from tests.jmx.pool import POOL, serving

NEW_CLIENT = method_hash(Method("newClient", "(Ljava/lang/Object;)Ljavax/management/remote/rmi/RMIConnection;", "o"))
HASHES = {method.name: method_hash(method) for method, _ in METHODS}


def login(user: str | None, password: str | None) -> tuple[str, bool] | None:
    return (user or "", user == "controlRole") if password == "right" else None


def connect(client: RawClient, user: str = "controlRole", password: str = "right") -> ObjectId:
    kind, stub = client.call(client.door(), -1, NEW_CLIENT, value_node([user, password]))
    assert kind == 1
    return target_of(stub)


@pytest.mark.parametrize("credentials", [None, value_node(["controlRole", "wrong"]), value_node(["controlRole"])])
def test_who_does_not_log_in_gets_nothing(credentials: object, caplog: pytest.LogCaptureFixture) -> None:
    with serving(login) as server, RawClient(server.port) as client:
        answer = thrown(client.call(client.door(), -1, NEW_CLIENT, credentials))  # type: ignore[arg-type]  # nodes
    assert answer.startswith("java.lang.SecurityException: Authentication failed!")
    assert "right" not in caplog.text
    assert "wrong" not in caplog.text


def test_a_client_with_readonly_access_reads_and_changes_nothing() -> None:
    with serving(login) as server, RawClient(server.port) as client:
        target = connect(client, "monitorRole")
        read = client.call(target, -1, HASHES["getAttribute"], name_node(POOL), text("size"), None)
        assert read[0] == 1
        denied = thrown(client.call(target, -1, HASHES["invoke"], name_node(POOL), text("drop"), None, None, None))
        assert denied == (
            "java.lang.SecurityException: Access denied! Invalid access level for requested MBeanServer operation."
        )


def test_a_connection_that_was_closed_or_never_made_is_not_there() -> None:
    with serving() as server, RawClient(server.port) as client:
        target = connect(client)
        assert client.call(target, -1, HASHES["getConnectionId"])[0] == 1
        client.send(b"")
        for gone in (ObjectId(target.number + 1, target.unique, target.time, target.count), ObjectId(77)):
            assert thrown(client.call(gone, -1, HASHES["getConnectionId"])).startswith("java.rmi.NoSuchObjectException")


def test_clients_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rmi_objects, "MAX_CONNECTIONS", 1)
    with serving() as server, RawClient(server.port) as client:
        connect(client)
        answer = thrown(client.call(client.door(), -1, NEW_CLIENT, None))
        assert "which is the limit" in answer


def test_a_silent_client_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rmi_objects, "MAX_CONNECTIONS", 1)
    monkeypatch.setattr(rmi_objects, "LEASE_MS", 0)
    with serving() as server, RawClient(server.port) as client:
        first = connect(client)
        assert connect(client) != first


@pytest.mark.parametrize("operation", [0, 3, 4])
def test_the_registry_is_read_only(operation: int) -> None:
    with serving() as server, RawClient(server.port) as client:
        answer = thrown(client.call(ObjectId(0), operation, LOOKUP_HASH, JavaString("x"), JavaString("y")))
        assert answer == "java.rmi.AccessException: Registry is read-only"


def test_numbers_of_connections_cannot_be_guessed() -> None:
    with serving() as server, RawClient(server.port) as client:
        numbers = {connect(client).number for _ in range(5)}
        assert len(numbers) == 5
        assert min(numbers) > 1000
