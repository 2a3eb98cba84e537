"""The interfaces of a replicated map to its values and to their owner: how values travel, and who hears of changes."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple, Protocol, TypeGuard

from catalina.tribes.io.java import dumps, loads

__all__ = ["Diffable", "MapOwner", "Merge", "Mergeable", "ObjectCodec", "ValueCodec", "is_diffable", "is_mergeable"]


class ValueCodec(Protocol):
    """Converts a value to the valuedata of a message and back."""

    def encode(self, value: Any, suid: int) -> bytes:
        """Encode a value as a whole object stream.

        Args:
            suid: the serialVersionUID of MemberImpl at the receiver, which identifies its version.
        """

    def decode(self, data: bytes) -> object:
        """Decode a value.

        Raises:
            ProtocolError: the bytes are no value; the entry stays as it was.
        """


class ObjectCodec:
    """Encodes values that the Java object stream can carry; decodes them as far as no class of an application is
    needed.
    """

    def encode(self, value: object, suid: int) -> bytes:
        """See :class:`ValueCodec`."""
        return dumps(value)

    def decode(self, data: bytes) -> object:
        """See :class:`ValueCodec`."""
        return loads(data)


class Diffable(Protocol):
    """A value that can say what has changed in it since the last question (Tomcat: tipis/ReplicatedMapEntry.java)."""

    def take_diff(self) -> bytes | None:
        """The changes that the holders do not know yet, None for none; from now on they count as known."""

    def apply_diff(self, diff: bytes) -> None:
        """Apply the changes of another node's :meth:`take_diff`.

        Raises:
            ProtocolError: they cannot be read; the value stays as it was.
        """

    def access_due(self) -> bool:
        """True when the holders should hear of a use although nothing changed."""

    def accessed_elsewhere(self) -> None:
        """Another node has used the value."""


def is_diffable(value: object) -> TypeGuard[Diffable]:
    """True when the value can say what has changed. It is asked with every request, so this does not inspect the
    class.
    """
    return hasattr(type(value), "take_diff")


class Merge(NamedTuple):
    """The outcome of merging another node's copy into the one here.

    Args:
        is_changed: the merge has changed the copy here.
        has_newer: the other node's copy lacks something that is here.
    """

    is_changed: bool
    has_newer: bool


class Mergeable(Diffable, Protocol):
    """A value that can merge two copies that were changed apart, and keeps both changes."""

    def merge_value(self, other: object) -> Merge:
        """Take everything that is later in another node's copy."""

    def merge_diff(self, diff: bytes) -> Merge:
        """As :meth:`apply_diff`, but this node does not become a backup by it."""

    def renamed(self, key: str, version: bytes) -> None:
        """The entry has had this key since that version."""

    def in_use(self) -> bool:
        """True when the value was used here so recently that it is not idle, whatever another node thinks."""


def is_mergeable(value: object) -> TypeGuard[Mergeable]:
    """True when copies of the value that were changed apart can be merged."""
    return hasattr(type(value), "merge_value")


class MapOwner(Protocol):
    """Is told of changes to entries that this node did not make itself. Called mostly in the runner's thread."""

    def value_received(self, key: Hashable, value: object) -> None:
        """A value came from another node: prepare it for use on this node."""

    def made_primary(self, key: Hashable, value: object) -> None:
        """This node owns the entry from now on."""

    def made_backup(self, key: Hashable, value: object) -> None:
        """Another node owns the entry from now on; the value stays here."""

    def value_removed(self, key: Hashable, value: object) -> None:
        """The value is no longer here: the entry was removed, or other nodes hold the value."""
