from __future__ import annotations

import threading

import pytest

from catalina.ha.session.delta_request import DeltaRequest
from catalina.ha.session.serializable_principal import CLASS, SerializablePrincipal
from catalina.realm.generic_principal import GenericPrincipal
from catalina.tribes.io.java import EncodedValue, OpaqueValue, encode_value
from catalina.tribes.io.java.descriptors import describe, new_object, string, string_array
from catalina.tribes.io.java.node_writer import encode_node
from tests.tribes.wire import cases


def captured(name: str) -> EncodedValue:
    wire = next(bytes.fromhex(case["hex"]) for case in cases("delta_requests") if case["name"].startswith(name))
    value = DeltaRequest.decode(wire).actions[0].value
    assert value is not None
    return value


def test_a_captured_principal_is_read_and_written_to_the_byte() -> None:
    encoded = captured("principal joe")
    principal = SerializablePrincipal.decode(encoded)
    assert principal == SerializablePrincipal("joe", ("a", "b"))
    assert principal is not None
    assert principal.encode() == encoded


def test_a_principal_without_roles_is_read() -> None:
    principal = SerializablePrincipal.decode(captured("principal without roles"))
    assert principal is not None
    assert principal.roles == ()
    assert principal.encode() == captured("principal without roles")


def test_a_user_principal_and_attributes_are_read() -> None:
    principal = SerializablePrincipal.decode(captured("principal with a user principal"))
    assert principal is not None
    assert principal.user_principal is not None
    assert principal.attributes
    again = SerializablePrincipal.decode(principal.encode())
    assert again == principal


def test_what_a_realm_gave_comes_back() -> None:
    inner = GenericPrincipal("inner", ("x",))
    given = GenericPrincipal("joe", ("b", "a"), inner, {"mail": "joe@example.org", "n": 5})
    back = SerializablePrincipal.decode_principal(SerializablePrincipal.of(given).encode())
    assert back is not None
    assert (back.name, back.roles, back.attributes) == ("joe", ("a", "b"), given.attributes)
    assert back.user_principal == inner


def test_an_attribute_that_cannot_travel_stays_behind() -> None:
    given = GenericPrincipal("joe", (), None, {"lock": threading.Lock(), "mail": "m"})
    back = SerializablePrincipal.decode_principal(SerializablePrincipal.of(given).encode())
    assert back is not None
    assert back.attributes == {"mail": "m"}


def test_a_user_principal_of_a_java_application_is_kept_and_passed_on() -> None:
    unknown = new_object(describe("shop.User", 1, fields="I id"), id=5)
    encoded = encode_node(
        new_object(CLASS, attributes=None, name=string("joe"), principal=unknown, roles=string_array(["r"]))
    )
    principal = SerializablePrincipal.decode(encoded)
    assert principal is not None
    assert isinstance(principal.user_principal, OpaqueValue)
    assert principal.encode() == encoded
    assert isinstance(SerializablePrincipal.of(principal.to_principal()).user_principal, OpaqueValue)


@pytest.mark.parametrize("value", [None, "joe", ["joe"]])
def test_a_value_of_another_class_is_no_principal(value: object) -> None:
    assert SerializablePrincipal.decode(encode_value(value)) is None
    assert SerializablePrincipal.decode_principal(encode_value(value)) is None


def test_principals_inside_each_other_end() -> None:
    node = new_object(CLASS, attributes=None, name=string("joe"), principal=None, roles=string_array([]))
    node.data[-1].fields["principal"] = node
    principal = SerializablePrincipal.decode(encode_node(node))
    assert principal is not None
    assert principal.name == "joe"
