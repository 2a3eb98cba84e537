"""The single sign-ons of all nodes as a mapping for the valve, over a replicated map."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from catalina.authenticator.single_sign_on_entry import SingleSignOnEntry
from catalina.authenticator.single_sign_on_session_key import SingleSignOnSessionKey
from catalina.ha.authenticator.sso_entry import SsoEntry, SsoKey
from catalina.ha.request_deliveries import note
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.tribes.io.java import EncodedValue
from catalina.tribes.io.java.grammar import STREAM_HEADER
from catalina.tribes.tipis.replicated_map import ReplicatedMap

__all__ = ["SsoCache", "SsoCodec"]


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
