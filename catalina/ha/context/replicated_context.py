"""A context whose attributes all nodes share (Tomcat: ha/context/ReplicatedContext.java).

``<Context className="org.apache.catalina.ha.context.ReplicatedContext" ...>`` under a Host with a cluster: the other
nodes can read the values that one node sets in ``environ["catalina.context"].attributes``. A value is sent when it is
set; a change inside it is sent when it is set again. Values that cannot travel, and the container's own names, stay in
their node.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from catalina.attributes import Attribute
from catalina.core.standard_context import StandardContext
from catalina.errors import ChannelError, LifecycleError, NotReplicableError, ProtocolError
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.lifecycle import LifecycleEvent
from catalina.node_state import NodeState, node_state
from catalina.repeated_messages import RepeatedMessages
from catalina.tribes.channel import SEND_OPTIONS_DEFAULT, parse_send_options
from catalina.tribes.io.java import EncodedValue, ObjectInputStream, OpaqueValue, decode_value, encode_value
from catalina.tribes.tipis.replicated_map import ReplicatedMap

if TYPE_CHECKING:
    from catalina.node_state import Kept

__all__ = ["ReplicatedAttributes", "ReplicatedContext"]

log = logging.getLogger("org.apache.catalina.ha.context.ReplicatedContext")
_repeated = RepeatedMessages(log)

#: Prefixes of attributes of the container itself, which mean something in one process only.
OWN_PREFIXES = ("catalina.", "jakarta.", "javax.", "java.", "org.apache.")

_NOT_DECODED = object()


class SharedValue:
    """One attribute: as bytes for the other nodes, and as a value once this node uses it."""

    __slots__ = ("encoded", "value")

    def __init__(self, encoded: EncodedValue, value: object = _NOT_DECODED) -> None:
        self.encoded = encoded
        self.value = value


class AttributeCodec:
    """Encodes attributes as plain objects; none is decoded before it is read."""

    def encode(self, value: SharedValue, suid: int) -> bytes:
        """The stream that has only the value."""
        return value.encoded.to_stream()

    def decode(self, data: bytes) -> SharedValue:
        """The value, still encoded.

        Raises:
            ProtocolError: the bytes are no object stream.
        """
        return SharedValue(ObjectInputStream(data).read_encoded())


class Shared(Protocol):
    """The values that others have, too."""

    def peek(self, key: str) -> Any: ...

    def put(self, key: str, value: Any) -> object: ...

    def remove(self, key: str) -> object: ...

    def keys(self) -> list[Any]: ...

    def __contains__(self, key: str) -> bool: ...


class NodeAttributes(NodeState):
    """The shared values in the keeper of a node of several processes, as text of their bytes.

    The next keeper gets those of the group from its members. If nobody else is in the group, it begins with those that
    this keeper's workers have seen last.
    """

    shared = frozenset({"names", "peek", "put", "remove"})
    lasts: ClassVar[bool] = True

    def __init__(self) -> None:
        #: The group's; None without a cluster, then they are the node's.
        self.map: ReplicatedMap | None = None
        self._own: dict[str, str] = {}
        self._kept: Kept | None = None

    def keep(self, kept: Kept) -> None:
        """See :class:`NodeState`."""
        self._kept = kept
        self._own.update(kept.items())

    def join(self, shared: ReplicatedMap) -> None:
        """Use the group's values from now on."""
        self.map = shared
        if not shared.members:
            for name, text in self._own.items():
                if name not in shared:
                    shared.put(name, _value(text))

    def _note(self, name: str, text: str | None) -> None:
        """A worker knows this value."""
        if self._own.get(name) == text:
            return
        if text is None:
            self._own.pop(name, None)
        else:
            self._own[name] = text
        if self._kept is not None:
            self._kept.put(name, text)

    def names(self) -> list[str]:
        """The names of all values."""
        return [str(name) for name in (self._own.keys() if self.map is None else self.map.keys())]

    def peek(self, name: str) -> str | None:
        """A value, None when there is none."""
        if self.map is None:
            return self._own.get(name)
        value = self.map.peek(name)
        text = _text(value) if isinstance(value, SharedValue) else None
        self._note(name, text)
        return text

    def put(self, name: str, text: str) -> None:
        """Set a value, in the whole group."""
        if self.map is not None:
            self.map.put(name, _value(text))
        self._note(name, text)

    def remove(self, name: str) -> None:
        """Remove a value, if there is one."""
        if self.map is not None:
            self.map.remove(name)
        self._note(name, None)


def _text(value: SharedValue) -> str:
    return base64.b64encode(value.encoded.to_stream()).decode()


def _value(text: str) -> SharedValue:
    return SharedValue(ObjectInputStream(base64.b64decode(text)).read_encoded())


class AttributesOfKeeper:
    """The shared values, in a worker. A value that has not changed is decoded once."""

    def __init__(self, keeper: NodeAttributes) -> None:
        self._keeper = keeper
        self._known: dict[str, tuple[str, SharedValue]] = {}

    def peek(self, key: str) -> SharedValue | None:
        """A value, None when there is none."""
        text = self._keeper.peek(key)
        if text is None:
            self._known.pop(key, None)
            return None
        known = self._known.get(key)
        if known is None or known[0] != text:
            known = self._known[key] = text, _value(text)
        return known[1]

    def put(self, key: str, value: SharedValue) -> None:
        """Set a value, at all workers and in the whole group."""
        text = _text(value)
        self._keeper.put(key, text)
        self._known[key] = text, value

    def remove(self, key: str) -> None:
        """Remove a value."""
        self._known.pop(key, None)
        self._keeper.remove(key)

    def keys(self) -> list[str]:
        """The names."""
        return list(self._keeper.names())

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._keeper.peek(key) is not None


class ReplicatedAttributes(MutableMapping[str, Any]):
    """The attributes of the application: the shared ones, overridden by those of this node.

    Args:
        local: the context's own mapping, which also notifies the listeners.
        shared: a started map, or what stands for it.
        context: the context whose classes may be decoded.
    """

    def __init__(self, local: MutableMapping[str, Any], shared: Shared, context: ReplicatedContext) -> None:
        self._local = local
        self._shared = shared
        self._context = context

    def __getitem__(self, name: str) -> Any:
        shared = self._shared.peek(name)
        if shared is None:
            return self._local[name]
        return self._decode(name, shared) if shared.value is _NOT_DECODED else shared.value

    def _decode(self, name: str, shared: SharedValue) -> Any:
        """Decode the value. The result is kept, unless parts of it are still bytes for lack of a module."""
        missing: list[str] = []
        loader, allow = self._context.loader, self._context.allows_class
        try:
            with loader.bound():
                value = decode_value(shared.encoded, allow, missing=missing)
                loaded = [loader.load_imported(module) for module in sorted(set(missing))]
                if any(loaded):
                    missing.clear()
                    value = decode_value(shared.encoded, allow, missing=missing)
        except ProtocolError as error:
            _repeated.log(
                logging.WARNING, "context attributes that cannot be read",
                "Context [%s]: attribute [%s] of another node cannot be read: %s", self._context.name, name, error,
            )  # fmt: skip
            value = OpaqueValue(shared.encoded, why=str(error), broken=True)
        if not missing:
            shared.value = value
        return value

    def __setitem__(self, name: str, value: object) -> None:
        encoded = self._encoded(name, value)
        self._local[name] = value
        if encoded is not None:
            self._shared.put(name, SharedValue(encoded, value))
        elif name in self._shared:
            self._shared.remove(name)

    def __delitem__(self, name: str) -> None:
        known = name in self
        self._shared.remove(name)
        if name in self._local:
            del self._local[name]
        elif not known:
            raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._local, *self._shared.keys()]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _encoded(self, name: str, value: object) -> EncodedValue | None:
        """The form for the others; None for what stays here."""
        if name.startswith(OWN_PREFIXES):
            return None
        try:
            return encode_value(value, name)
        except NotReplicableError as error:
            log.warning("Context [%s]: an attribute stays in this node: %s", self._context.name, error)
            return None


class ReplicatedContext(StandardContext):
    """A StandardContext that shares its attributes with the other nodes that have it."""

    map_send_options = Attribute(
        parse_send_options, SEND_OPTIONS_DEFAULT, doc="How attributes are sent: a number or names. 2 is use_ack."
    )
    rpc_timeout = Attribute(
        int, 15000, unit="ms", doc="How long the start waits for the attributes that the group has."
    )

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.map: ReplicatedMap | None = None
        self.add_lifecycle_listener(self._on_event)

    def allows_class(self, name: str) -> bool:
        """True when ``package.module.Class`` is one of the application's own classes."""
        return self.loader.allows_class(name)

    def _on_event(self, event: LifecycleEvent) -> None:
        """Join before the application's listeners run, and leave when nothing of the application runs any more."""
        if event.type == "configure_start":
            self._share()
        elif event.type in ("after_stop", "configure_stop"):
            self._leave()

    def _share(self) -> None:
        state = node_state(NodeAttributes, self, "attributes")
        if state is not None and self.runs_here:
            self._use(AttributesOfKeeper(state))
            return
        cluster = self.cluster
        channel = cluster.channel if isinstance(cluster, SimpleTcpCluster) else None
        if channel is None:
            log.warning("Context [%s] has no cluster: its attributes stay in this node", self.name)
            return
        shared = ReplicatedMap(
            channel,
            self.name,
            None,
            AttributeCodec(),
            rpc_timeout_ms=self.rpc_timeout,
            send_options=self.map_send_options,
        )
        try:
            shared.start()
        except ChannelError as error:
            raise LifecycleError(f"Failed to start ReplicatedContext [{self.name}]: {error}") from error
        self.map = shared
        if state is not None:
            state.join(shared)
        self._use(shared)

    def _use(self, shared: Shared) -> None:
        self.application_context.attributes = ReplicatedAttributes(self.application_context.attributes, shared, self)

    def _leave(self) -> None:
        shared, self.map = self.map, None
        state = node_state(NodeAttributes, self, "attributes")
        if state is not None and not self.runs_here:
            state.map = None
        if shared is not None:
            shared.stop()
