"""What a replicated map needs to know of its values: how they travel, and who is told what becomes of them."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, TypeGuard

from catalina.tribes.io.java import dumps, loads

__all__ = ["Diffable", "MapOwner", "Merge", "Mergeable", "ObjectCodec", "ValueCodec", "is_diffable", "is_mergeable"]


class ValueCodec(Protocol):
    """How a value becomes the valuedata of a message and back."""

    def encode(self, value: Any, suid: int) -> bytes:
        """A whole object stream.

        Args:
            suid: the serialVersionUID of MemberImpl that the receiver has, which tells its version.
        """

    def decode(self, data: bytes) -> Any:
        """The value.

        Raises:
            ProtocolError: it is none; the entry stays as it was.
        """


class ObjectCodec:
    """Values that the Java object stream can carry, decoded as far as no class of an application is needed."""

    def encode(self, value: Any, suid: int) -> bytes:
        """See :class:`ValueCodec`."""
        return dumps(value)

    def decode(self, data: bytes) -> Any:
        """See :class:`ValueCodec`."""
        return loads(data)


class Diffable(Protocol):
    """A value that can say what has changed in it since it was last asked (Tomcat: tipis/ReplicatedMapEntry.java)."""

    def take_diff(self) -> bytes | None:
        """What the holders do not know yet, None for nothing; from now on they know it."""

    def apply_diff(self, diff: bytes) -> None:
        """Take over what another node's :meth:`take_diff` said.

        Raises:
            ProtocolError: it cannot be read; the value stays as it was.
        """

    def access_due(self) -> bool:
        """Whether the holders should hear that the value was used, although nothing changed."""

    def accessed_elsewhere(self) -> None:
        """Another node has used the value."""


def is_diffable(value: object) -> TypeGuard[Diffable]:
    """True when the value can say what has changed; asked with every request, so its class is not looked into."""
    return hasattr(type(value), "take_diff")


class Merge(NamedTuple):
    """The outcome of merging another node's copy into the one here.

    Args:
        is_changed: the copy here is another one now.
        has_newer: the other node's copy lacks something that is here.
    """

    is_changed: bool
    has_newer: bool


class Mergeable(Diffable, Protocol):
    """A value of which two copies that were changed apart become one that has both changes."""

    def merge_value(self, other: Any) -> Merge:
        """Take what is later in another node's copy."""

    def merge_diff(self, diff: bytes) -> Merge:
        """:meth:`apply_diff`, but the node does not become a backup by it."""

    def renamed(self, key: str, version: bytes) -> None:
        """The entry has this key, since that version."""

    def in_use(self) -> bool:
        """True when the value was used here so lately that it is not idle, whatever another node thinks."""


def is_mergeable(value: object) -> TypeGuard[Mergeable]:
    """True when copies of the value that were changed apart can be merged."""
    return hasattr(type(value), "merge_value")


class MapOwner(Protocol):
    """Told what becomes of entries that this node did not change itself. Called in the runner's thread mostly."""

    def value_received(self, key: Any, value: Any) -> None:
        """A value came from another node: give it what it needs here."""

    def made_primary(self, key: Any, value: Any) -> None:
        """This node owns the entry from now on."""

    def made_backup(self, key: Any, value: Any) -> None:
        """Another node owns the entry from now on; the value stays here."""

    def value_removed(self, key: Any, value: Any) -> None:
        """The value is no longer here: removed, or held by others only."""
