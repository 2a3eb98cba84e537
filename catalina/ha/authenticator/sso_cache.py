"""The single sign-ons of all nodes as a mapping for the valve, over a replicated map.

In the messages between the nodes (Tomcat: authenticator/SingleSignOnEntry.java; docs/wire.md 6.4)::

    class SingleSignOnEntry, suid 1, flags 03
        boolean canReauthenticate, String authType, String password, Map sessionKeys, String username
        then block data: boolean has principal, [SerializablePrincipal]
    class SingleSignOnSessionKey, suid 1:   String contextName, String hostName, String sessionId

sessionKeys is a ConcurrentHashMap with each key as its own value. The password travels unencrypted, as in Tomcat, which
is one more reason to encrypt the channel. It is never logged.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from catalina.authenticator.single_sign_on_entry import SingleSignOnEntry
from catalina.authenticator.single_sign_on_session_key import SingleSignOnSessionKey
from catalina.errors import ProtocolError
from catalina.ha.request_deliveries import note
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.tribes.io.java.descriptors import CONCURRENT_HASH_MAP, WRITE_METHOD, describe, new_object, string
from catalina.tribes.io.java.encoded_value import EncodedValue
from catalina.tribes.io.java.grammar import STREAM_HEADER
from catalina.tribes.io.java.node_reader import read_object
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import BlockData, JavaObject, JavaString, Node, text_of
from catalina.tribes.tipis.replicated_map import ReplicatedMap

__all__ = ["SsoCache", "SsoCodec", "SsoEntry", "SsoKey"]
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


class SsoCodec:
    """Encodes entries as SingleSignOnEntry objects of Java."""

    def encode(self, value: SingleSignOnEntry, suid: int) -> bytes:
        """See :class:`catalina.tribes.tipis.map_values.ValueCodec`."""
        principal = value.principal
        keys = [SsoKey(key.context_name, key.host_name, key.session_id) for key in tuple(value.session_keys)]
        entry = SsoEntry(
            value.username,
            value.password,
            value.auth_type,
            value.can_reauthenticate,
            frozenset(keys),
            None if principal is None else SerializablePrincipal.of(principal),
        )
        return entry.encode().to_stream()

    def decode(self, data: bytes) -> SingleSignOnEntry:
        """See :class:`catalina.tribes.tipis.map_values.ValueCodec`."""
        entry = SsoEntry.decode(EncodedValue(data[len(STREAM_HEADER) :], 0))
        return SingleSignOnEntry(
            None if entry.principal is None else entry.principal.to_principal(),
            entry.auth_type,
            entry.username,
            entry.password,
            {SingleSignOnSessionKey(key.session_id, key.context_name, key.host_name) for key in entry.session_keys},
        )


class SsoCache(MutableMapping[str, SingleSignOnEntry]):
    """A mapping whose reads use this node's copies and claim nothing; the answer to a request waits for the request's
    changes.

    Args:
        entries: the map, with an :class:`SsoCodec`.
    """

    def __init__(self, entries: ReplicatedMap) -> None:
        self.entries = entries

    def __getitem__(self, sso_id: str) -> SingleSignOnEntry:
        value: Any = self.entries.peek(sso_id)
        if value is None:
            value = self.entries.get(sso_id)  # a node that has only the key asks for the value
        if not isinstance(value, SingleSignOnEntry):
            raise KeyError(sso_id)
        return value

    def __setitem__(self, sso_id: str, entry: SingleSignOnEntry) -> None:
        note(self.entries.put(sso_id, entry))

    def __delitem__(self, sso_id: str) -> None:
        if sso_id not in self.entries:
            raise KeyError(sso_id)
        self.entries.remove(sso_id)

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries.keys())

    def __len__(self) -> int:
        return len(self.entries)

    def replicate(self, sso_id: str) -> None:
        """Send an entry that was changed in place to the other nodes."""
        delivery = self.entries.replicate(sso_id, complete=True)
        if delivery is not None:
            note(delivery)
