"""The user of a session on the wire (Tomcat: SerializablePrincipal in realm/GenericPrincipal.java; docs/wire.md 5.4).

::

    class org.apache.catalina.realm.GenericPrincipal$SerializablePrincipal, suid 1
        Map attributes, String name, Principal principal, String[] roles          (9.0 also: String password)

A GenericPrincipal never travels itself. A nested user principal is again a SerializablePrincipal, or a class of the
application that stays opaque. A password that a 9.0 node sends is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from catalina.errors import NotReplicableError, ProtocolError
from catalina.realm.generic_principal import GenericPrincipal
from catalina.tribes.io.java.boundary import FAULTS, broken
from catalina.tribes.io.java.descriptors import LINKED_HASH_MAP, UNMODIFIABLE_MAP, describe, new_object, string_array
from catalina.tribes.io.java.encoded_value import EncodedValue, OpaqueValue
from catalina.tribes.io.java.node_reader import read_object
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import JavaArray, JavaObject, JavaString, Node, text_of
from catalina.tribes.io.java.value_decoder import decode_value
from catalina.tribes.io.java.value_encoder import encode_value

__all__ = ["SerializablePrincipal"]

CLASS_NAME = "org.apache.catalina.realm.GenericPrincipal$SerializablePrincipal"

CLASS = describe(
    CLASS_NAME,
    1,
    fields="Ljava/util/Map; attributes, Ljava/lang/String; name, Ljava/security/Principal; principal, "
    "[Ljava/lang/String; roles",
)


class _Principal(Protocol):
    """The part of a realm's user that travels: name and roles, perhaps more."""

    @property
    def name(self) -> str: ...

    @property
    def roles(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class SerializablePrincipal:
    """A user in the form that travels between nodes.

    Args:
        name: the user's name.
        roles: in the order of Java's sorted array.
        user_principal: the user that the application sees in place of this one: a SerializablePrincipal, an OpaqueValue
            of a Java node, or None.
        attributes: further facts about the user; those that cannot travel stay behind.
    """

    name: str
    roles: tuple[str, ...] = ()
    user_principal: SerializablePrincipal | OpaqueValue | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, principal: _Principal) -> SerializablePrincipal:
        """The form for a user from a realm."""
        inner = getattr(principal, "user_principal", None)
        if inner is not None and not isinstance(inner, OpaqueValue):
            inner = None if inner is principal else cls.of(inner)
        roles = tuple(sorted(getattr(principal, "roles", ()) or ()))
        return cls(principal.name, roles, inner, dict(getattr(principal, "attributes", None) or {}))

    def to_principal(self) -> GenericPrincipal:
        """The user in the form of this node's realms."""
        inner = self.user_principal
        user = inner.to_principal() if isinstance(inner, SerializablePrincipal) else inner
        return GenericPrincipal(self.name, self.roles, user, dict(self.attributes))

    def encode(self) -> EncodedValue:
        """The value for the PRINCIPAL action and the session data."""
        return encode_node(self._to_node())

    @classmethod
    def decode(cls, encoded: EncodedValue) -> SerializablePrincipal | None:
        """Read a principal; None for a value of another class, which receivers ignore.

        Raises:
            ProtocolError: the bytes break the grammar, or the class's fields have other types.
        """
        try:
            node = read_object(encoded.data)
            return cls._of_node(node, 0) if isinstance(node, JavaObject) and node.class_name == CLASS_NAME else None
        except FAULTS as fault:
            raise broken("a principal", fault) from fault

    @classmethod
    def decode_principal(cls, encoded: EncodedValue) -> GenericPrincipal | None:
        """Like :meth:`decode`, but in the form that the session keeps."""
        found = cls.decode(encoded)
        return None if found is None else found.to_principal()

    def _to_node(self) -> JavaObject:
        inner: Node = None
        if isinstance(self.user_principal, SerializablePrincipal):
            inner = self.user_principal._to_node()
        elif self.user_principal is not None:
            inner = read_object(self.user_principal.encoded.data)
        return new_object(
            CLASS,
            attributes=_attributes_node(self.attributes),
            name=JavaString(self.name),
            principal=inner,
            roles=string_array(self.roles),
        )

    @classmethod
    def _of_node(cls, node: JavaObject, depth: int) -> SerializablePrincipal:
        name = text_of(node.get("name"), "name")
        roles = node.get("roles")
        values = roles.values if isinstance(roles, JavaArray) else []
        if name is None or isinstance(values, bytes):
            raise ProtocolError(f"{CLASS_NAME}: expected a name and roles, got {name!r} and {roles!r}")
        return cls(
            name,
            tuple([role for role in (text_of(value, "role") for value in values) if role is not None]),
            _inner(node.get("principal"), depth),
            _attributes(node.get("attributes")),
        )


def _inner(node: object, depth: int) -> SerializablePrincipal | OpaqueValue | None:
    if not isinstance(node, JavaObject):
        return None
    if node.class_name == CLASS_NAME and depth < 2:  # Tomcat nests one level; a cycle must end
        return SerializablePrincipal._of_node(node, depth + 1)
    return OpaqueValue(encode_node(node), node.class_name)


def _attributes_node(attributes: Mapping[str, Any]) -> Node:
    """An unmodifiable map, as in Java; null for none."""
    known: dict[str, Any] = {}
    for name, value in attributes.items():
        try:
            known[name] = encode_value(value, name)
        except NotReplicableError:
            continue  # a realm's own object, such as a directory's connection
    if not known:
        return None
    inner = read_object(encode_value(known, LINKED_HASH_MAP.name).data)
    return new_object(UNMODIFIABLE_MAP, m=inner)


def _attributes(node: object) -> dict[str, Any]:
    if not isinstance(node, JavaObject):
        return {}
    value = decode_value(encode_node(node))
    return value if isinstance(value, dict) else {}
