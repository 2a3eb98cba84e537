"""A single sign-on in the messages between the nodes (Tomcat: authenticator/SingleSignOnEntry.java; docs/wire.md 6.4).

::

    class SingleSignOnEntry, suid 1, flags 03
        boolean canReauthenticate, String authType, String password, Map sessionKeys, String username
        then block data: boolean has principal, [SerializablePrincipal]
    class SingleSignOnSessionKey, suid 1:   String contextName, String hostName, String sessionId

sessionKeys is a ConcurrentHashMap with each key as its own value. The password travels unencrypted, as in Tomcat, which
is one more reason to encrypt the channel. It is never logged.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from catalina.errors import ProtocolError
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.tribes.io.java.descriptors import CONCURRENT_HASH_MAP, WRITE_METHOD, describe, new_object, string
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.node_reader import read_object
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import BlockData, JavaObject, JavaString, Node, text_of

__all__ = ["SsoEntry", "SsoKey"]

CLASS_NAME = "org.apache.catalina.authenticator.SingleSignOnEntry"
KEY_CLASS_NAME = "org.apache.catalina.authenticator.SingleSignOnSessionKey"

_STRING = "Ljava/lang/String;"
_CLASS = describe(
    CLASS_NAME,
    1,
    WRITE_METHOD,
    f"Z canReauthenticate, {_STRING} authType, {_STRING} password, Ljava/util/Map; sessionKeys, {_STRING} username",
)
_KEY_CLASS = describe(KEY_CLASS_NAME, 1, fields=f"{_STRING} contextName, {_STRING} hostName, {_STRING} sessionId")


@dataclass(frozen=True, slots=True)
class SsoKey:
    """One session of a single sign-on."""

    context_name: str
    host_name: str
    session_id: str

    def _to_node(self) -> JavaObject:
        return new_object(
            _KEY_CLASS,
            contextName=JavaString(self.context_name),
            hostName=JavaString(self.host_name),
            sessionId=JavaString(self.session_id),
        )

    @classmethod
    def _of_node(cls, node: JavaObject) -> SsoKey:
        texts = [text_of(node.get(name), name) for name in ("contextName", "hostName", "sessionId")]
        if None in texts:
            raise ProtocolError(f"{KEY_CLASS_NAME}: expected three names, got {texts!r}")
        return cls(*[text or "" for text in texts])


@dataclass(frozen=True, slots=True)
class SsoEntry:
    """One single sign-on as it travels.

    Args:
        principal: the user; None when the user object cannot travel, so that the other node logs in with name and
            password.
        can_reauthenticate: True when another realm can check name and password.
    """

    username: str | None
    password: str | None = field(default=None, repr=False)
    auth_type: str | None = None
    can_reauthenticate: bool = False
    session_keys: frozenset[SsoKey] = frozenset()
    principal: SerializablePrincipal | None = None

    def encode(self) -> EncodedValue:
        """The value of the map's entry."""
        node = new_object(
            _CLASS,
            canReauthenticate=self.can_reauthenticate,
            authType=string(self.auth_type),
            password=string(self.password),
            sessionKeys=_keys_node(self.session_keys),
            username=string(self.username),
        )
        annotation: list[Node | BlockData] = [BlockData(bytes((self.principal is not None,)))]
        if self.principal is not None:
            annotation.append(read_object(self.principal.encode().data))
        node.data[-1].annotation = annotation
        return encode_node(node)

    @classmethod
    def decode(cls, encoded: EncodedValue) -> SsoEntry:
        """Read a value.

        Raises:
            ProtocolError: the bytes are no SingleSignOnEntry.
        """
        node = read_object(encoded.data)
        if not isinstance(node, JavaObject) or node.class_name != CLASS_NAME:
            raise ProtocolError(f"expected a {CLASS_NAME}, got {node!r}")
        return cls(
            text_of(node.get("username"), "username"),
            text_of(node.get("password"), "password"),
            text_of(node.get("authType"), "authType"),
            node.get("canReauthenticate") is True,
            _keys(node.get("sessionKeys")),
            _principal(node.annotation(CLASS_NAME)),
        )


def _keys_node(keys: frozenset[SsoKey]) -> JavaObject:
    """A ConcurrentHashMap without its obsolete fields, which readers ignore and do not miss."""
    node = new_object(CONCURRENT_HASH_MAP)
    pairs: list[Node | BlockData] = []
    for key in sorted(keys, key=str):
        key_node = key._to_node()
        pairs += [key_node, key_node]
    node.data[-1].annotation = [*pairs, None, None]
    return node


def _keys(node: object) -> frozenset[SsoKey]:
    if not isinstance(node, JavaObject):
        return frozenset()
    items = [item for item in node.annotation() if isinstance(item, JavaObject) and item.class_name == KEY_CLASS_NAME]
    return frozenset(map(SsoKey._of_node, items))


def _principal(annotation: list[Node | BlockData]) -> SerializablePrincipal | None:
    for item in annotation:
        if isinstance(item, JavaObject):
            return SerializablePrincipal.decode(encode_node(item))
    return None
