from __future__ import annotations

import contextlib
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.jmx.java_nodes import value_node
from catalina.jmx.jrmp import VOID, Method, ObjectId, method_hash, read_call, value_return
from catalina.tribes.io.java import ObjectInputStream
from catalina.tribes.io.java.nodes import JavaString
from tests.jmx.client import LOOKUP_HASH, call_bytes
from tests.support.work import assert_linear


def test_a_method_has_the_hash_that_the_jdk_computes() -> None:
    # As rmic writes them into RMIServerImpl_Stub.
    new_client = Method("newClient", "(Ljava/lang/Object;)Ljavax/management/remote/rmi/RMIConnection;", "o")
    assert method_hash(new_client) == -1089742558549201240
    assert method_hash(Method("getVersion", "()Ljava/lang/String;", "")) == -8081107751519807347


def test_a_call_is_read_to_its_end() -> None:
    data = call_bytes(ObjectId(0), 2, LOOKUP_HASH, JavaString("jmxrmi"))[1:]
    call = read_call(data + b"\x52", lambda target, operation, hash_: "o")
    assert (call.target.number, call.operation, call.hash, str(call.arguments[0])) == (0, 2, LOOKUP_HASH, "jmxrmi")
    assert call.end == len(data)


def test_a_part_of_a_call_is_no_call() -> None:
    data = call_bytes(ObjectId(0), 2, LOOKUP_HASH, JavaString("jmxrmi"), 5)[1:]
    for size in range(len(data)):
        with contextlib.suppress(ProtocolError):
            read_call(data[:size], lambda target, operation, hash_: "oj")
            raise AssertionError(f"{size} of {len(data)} bytes were taken for a call")


def test_a_return_has_its_kind_and_its_value() -> None:
    stream = ObjectInputStream(value_return(ObjectId(0, 7, 8, 9), value_node(5))[1:])
    assert stream.read_byte() == 1
    assert stream.read_bytes(14) == ObjectId(0, 7, 8, 9).encode()[8:]
    assert stream.read_boxed() == 5
    assert (
        len(value_return(ObjectId(0), VOID))
        < len(value_return(ObjectId(0), True))
        < len(value_return(ObjectId(0), value_node(5)))
    )


@given(st.binary(max_size=300))
def test_any_bytes_are_a_call_or_the_documented_error(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        read_call(b"\xac\xed\0\5" + data, lambda target, operation, hash_: "ojiz")


def test_the_work_is_linear() -> None:
    def of_size(size: int) -> Callable[[], object]:
        names = value_node([f"name{number}" for number in range(size)])
        data = call_bytes(ObjectId(0), 2, LOOKUP_HASH, names)[1:]
        return lambda: read_call(data, lambda target, operation, hash_: "o")

    assert_linear(of_size, 200)
