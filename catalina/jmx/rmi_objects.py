"""The objects that a client can call: the registry, RMI's collector, the server object, and a connection for each
client.

A client proves its login by the number of its connection, which is random, and valid only from the address that it was
given to.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from catalina.errors import CatalinaError, ProtocolError
from catalina.jmx.java_arguments import texts_of, value_of
from catalina.jmx.java_nodes import array, error_node, lease, text
from catalina.jmx.jrmp import VOID, Answer, Call, Method, ObjectId, error_return, method_hash, stub, value_return
from catalina.jmx.rmi_connection import METHODS, AccessDenied, ListenerNotFound, RmiConnection
from catalina.mbeans.audit import Caller, printable
from catalina.mbeans.java_errors import JavaError, java_error
from catalina.mbeans.registry import Registry
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.io.java.nodes import JavaArray, Node

__all__ = ["Login", "Peer", "RmiObjects"]

log = logging.getLogger("org.apache.catalina.jmx.RmiObjects")

REGISTRY = ObjectId(0)
COLLECTOR = ObjectId(2)
#: The name that the door has in the registry.
BOUND_NAME = "jmxrmi"
#: Milliseconds without a call after which a connection ends; the clients renew it after half of that time.
LEASE_MS = 600_000
#: Clients at a time.
MAX_CONNECTIONS = 100
_REGISTRY_HASH = 4905912898345647071
_COLLECTOR_HASH = -669196253586618813
#: Operations of the registry and of the collector -> their arguments.
_REGISTRY_ARGUMENTS = {0: "oo", 1: "", 2: "o", 3: "oo", 4: "o"}
_COLLECTOR_ARGUMENTS = {0: "ojoz", 1: "ojo"}
_NEW_CLIENT = Method("newClient", "(Ljava/lang/Object;)Ljavax/management/remote/rmi/RMIConnection;", "o")
_GET_VERSION = Method("getVersion", "()Ljava/lang/String;", "")
_DOOR = {method_hash(method): method for method in (_NEW_CLIENT, _GET_VERSION)}
_CONNECTION = {method_hash(method): (method, function) for method, function in METHODS}

#: Name and password (or None for a client that gave none) -> the name, and True if the user may change something; or
#: None.
Login = Callable[[str | None, str | None], "tuple[str, bool] | None"]


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a socket.

    Args:
        address, port: of the client.
        local_host: what the client is told to call, the name of the setting or the address that it has called.
        local_port: where it is to call.
        sees_registry, sees_objects: what the socket lets it call.
        tls: whether objects are called over TLS.
    """

    address: str
    port: int
    local_host: str
    local_port: int
    sees_registry: bool = True
    sees_objects: bool = True
    tls: bool = False


class RmiObjects:
    """Answers calls. Any thread.

    Args:
        registry: the beans.
        login: judges who comes; None lets everybody in, to change everything.
    """

    def __init__(self, registry: Registry, login: Login | None) -> None:
        self._registry = registry
        self._login = login
        self._space = ObjectId(0, secrets.randbits(31), secrets.randbits(62), secrets.randbits(15))
        self._door = self._new_id()
        self._lock = threading.Lock()
        self._connections: dict[ObjectId, tuple[RmiConnection, str]] = {}
        self._count = 0
        self._messages = RepeatedMessages(log)

    def _new_id(self) -> ObjectId:
        return ObjectId(secrets.randbits(63), self._space.unique, self._space.time, self._space.count)

    # -- which arguments a call has

    def arguments_of(self, target: ObjectId, operation: int, hash_: int) -> str:
        """A letter for each argument; a call that nobody knows has none."""
        if target.number == REGISTRY.number:
            return _REGISTRY_ARGUMENTS.get(operation, "")
        if target.number == COLLECTOR.number:
            return _COLLECTOR_ARGUMENTS.get(operation, "")
        if target == self._door:
            return _DOOR[hash_].arguments if hash_ in _DOOR else ""
        return _CONNECTION[hash_][0].arguments if target in self._connections and hash_ in _CONNECTION else ""

    def has_client(self, address: str) -> bool:
        """True when somebody at the address has logged in."""
        with self._lock:
            return any(known == address for _, known in self._connections.values())

    # -- answers

    def answer(self, call: Call, peer: Peer) -> bytes:
        """The bytes of the return, whatever the call asks."""
        try:
            return value_return(self._space, self._dispatch(call, peer))
        except BaseException as fault:  # noqa: BLE001  # a bean's own code; the client gets an exception, too
            self._note(fault, peer)
            return error_return(self._space, error_node(_java_error(fault)))

    def _note(self, fault: BaseException, peer: Peer) -> None:
        """Log a client that breaks the rules, or asks for something that it may not do, but not one that asks for an
        unknown name.
        """
        level = logging.WARNING if isinstance(fault, AccessDenied | ProtocolError | _Remote) else logging.DEBUG
        self._messages.log(
            level, f"calls from {peer.address} that were refused",
            "A JMX call from [%s:%s] is answered with an error: %s", peer.address, peer.port, printable(str(fault)),
        )  # fmt: skip

    def _dispatch(self, call: Call, peer: Peer) -> Answer:
        number = call.target.number
        if number == REGISTRY.number and peer.sees_registry:
            return self._registry_call(call, peer)
        if not peer.sees_objects:
            raise _Remote("java.rmi.NoSuchObjectException", "no such object in table")
        if number == COLLECTOR.number:
            return self._collect(call, peer)
        if call.target == self._door:
            return self._door_call(call, peer)
        return self._connection_call(call, peer)

    def _registry_call(self, call: Call, peer: Peer) -> Answer:
        if call.hash != _REGISTRY_HASH:
            raise _Remote("java.rmi.UnmarshalException", "interface hash mismatch")
        if call.operation == 1:
            return array("[Ljava.lang.String;", [text(BOUND_NAME)])
        if call.operation != 2:
            raise _Remote("java.rmi.AccessException", "Registry is read-only")
        name = value_of(_node(call, 0))
        if name != BOUND_NAME:
            raise _Remote("java.rmi.NotBoundException", str(name)[:100])
        return self._stub("RMIServerImpl_Stub", self._door, peer)

    def _stub(self, class_name: str, target: ObjectId, peer: Peer) -> Node:
        full = f"javax.management.remote.rmi.{class_name}"
        return stub(full, peer.local_host, peer.local_port, target, tls=peer.tls)

    def _collect(self, call: Call, peer: Peer) -> Answer:
        """A client holds objects (1), or has let go of them (0)."""
        if call.hash != _COLLECTOR_HASH:
            raise _Remote("java.rmi.UnmarshalException", "interface hash mismatch")
        if not isinstance(_node(call, 0), JavaArray):
            raise ProtocolError(f"expected an array of object numbers, got {_node(call, 0)!r}")
        now = time.monotonic()
        with self._lock:
            for connection, address in self._connections.values():
                if address == peer.address:
                    connection.used = now
        return lease(LEASE_MS) if call.operation == 1 else VOID

    def _door_call(self, call: Call, peer: Peer) -> Answer:
        method = _DOOR.get(call.hash)
        if method is _GET_VERSION:
            return text("1.0 catalina")
        if method is not _NEW_CLIENT:
            raise _Remote(
                "java.rmi.UnmarshalException", "unrecognized method hash: method not supported by remote object"
            )
        user, may_change = self._log_in(_node(call, 0), peer)
        self._drop_silent()
        with self._lock:
            if len(self._connections) >= MAX_CONNECTIONS:
                raise AccessDenied(f"{MAX_CONNECTIONS} clients are connected, which is the limit")
            self._count += 1
            caller = Caller("jmx", user, f"{peer.address}:{peer.port}")
            target = self._new_id()
            made = RmiConnection(self._registry, caller, may_change, self._count, lambda _: self._forget(target))
            self._connections[target] = (made, peer.address)
        log.info("JMX client [%s] has connected from [%s:%s]", user or "-", peer.address, peer.port)
        return self._stub("RMIConnectionImpl_Stub", target, peer)

    def _log_in(self, credentials: Node, peer: Peer) -> tuple[str, bool]:
        if self._login is None:
            return "", True
        given = texts_of(credentials)
        if len(given) != 2:
            raise AccessDenied("Authentication failed! Credentials required")
        found = self._login(*given)
        if found is None:
            self._messages.log(
                logging.WARNING, f"failed logins from {peer.address}", "A login over JMX from [%s:%s] has failed",
                peer.address, peer.port,
            )  # fmt: skip
            raise AccessDenied("Authentication failed! Invalid username or password")
        return found

    def _connection_call(self, call: Call, peer: Peer) -> Answer:
        with self._lock:
            connection, address = self._connections.get(call.target, (None, ""))
        if connection is None or address != peer.address:
            raise _Remote("java.rmi.NoSuchObjectException", "no such object in table")
        if call.hash not in _CONNECTION:
            raise _Remote(
                "java.rmi.UnmarshalException", "unrecognized method hash: method not supported by remote object"
            )
        connection.used = time.monotonic()
        answer = _CONNECTION[call.hash][1](connection, *call.arguments)
        connection.used = time.monotonic()
        return answer

    # -- connections

    def _forget(self, target: ObjectId) -> None:
        with self._lock:
            self._connections.pop(target, None)

    def _drop_silent(self) -> None:
        """End the connections of clients of whom nothing was heard for longer than their lease."""
        latest = time.monotonic() - LEASE_MS / 1000
        with self._lock:
            silent = [connection for connection, _ in self._connections.values() if connection.used < latest]
        for connection in silent:
            connection.close()

    def close(self) -> None:
        """End all connections."""
        with self._lock:
            connections = [connection for connection, _ in self._connections.values()]
        for connection in connections:
            connection.close()


class _Remote(CatalinaError):
    """An exception of RMI itself."""

    def __init__(self, class_name: str, message: str) -> None:
        super().__init__(message)
        self.error = JavaError(class_name, message)


def _node(call: Call, index: int) -> Node:
    found = call.arguments[index] if index < len(call.arguments) else None
    if isinstance(found, bool | int):
        raise ProtocolError("expected an object, got a number")
    return found


def _java_error(fault: BaseException) -> JavaError:
    if isinstance(fault, _Remote):
        return fault.error
    if isinstance(fault, AccessDenied):
        return JavaError("java.lang.SecurityException", str(fault))
    if isinstance(fault, ListenerNotFound):
        return JavaError("javax.management.ListenerNotFoundException", str(fault))
    if isinstance(fault, ProtocolError):
        return JavaError("java.rmi.UnmarshalException", f"error unmarshalling arguments: {fault}")
    return java_error(fault)
