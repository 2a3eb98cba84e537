"""Group communication that speaks Apache Tomcat's cluster protocol, usable without the container (README.md).

    from catalina.tribes import SEND_OPTIONS_USE_ACK, GroupChannel

- The contracts: ``channel`` (messages, options, deliveries, listeners), ``member`` (who can be sent to).
- ``group`` has the channel and its interceptors, ``membership`` finds the members, ``transport`` moves bytes, ``io``
  has the wire formats, ``tipis`` the replicated maps, ``ledger`` the machine by which nodes agree about sessions.
- Around them: ``__main__`` (``python -m catalina.tribes``) with ``measurement``; ``in_runner`` (calls into the event
  loop's thread), ``byte_text`` (bytes as operators write them), ``logs``.

The names in ``__all__`` are what users of the library need. Each is loaded when it is first asked for: who needs the
member records alone does not load the transport.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.errors import ChannelError as ChannelError
    from catalina.tribes.channel import SEND_OPTIONS_ASYNCHRONOUS as SEND_OPTIONS_ASYNCHRONOUS
    from catalina.tribes.channel import SEND_OPTIONS_DEFAULT as SEND_OPTIONS_DEFAULT
    from catalina.tribes.channel import SEND_OPTIONS_MULTICAST as SEND_OPTIONS_MULTICAST
    from catalina.tribes.channel import SEND_OPTIONS_SYNCHRONIZED_ACK as SEND_OPTIONS_SYNCHRONIZED_ACK
    from catalina.tribes.channel import SEND_OPTIONS_UDP as SEND_OPTIONS_UDP
    from catalina.tribes.channel import SEND_OPTIONS_USE_ACK as SEND_OPTIONS_USE_ACK
    from catalina.tribes.channel import ChannelMessage as ChannelMessage
    from catalina.tribes.channel import Delivery as Delivery
    from catalina.tribes.channel import ObjectBytes as ObjectBytes
    from catalina.tribes.group.channel_interceptor import ChannelInterceptorBase as ChannelInterceptorBase
    from catalina.tribes.group.group_channel import GroupChannel as GroupChannel
    from catalina.tribes.group.rpc_channel import ALL_REPLY as ALL_REPLY
    from catalina.tribes.group.rpc_channel import FIRST_REPLY as FIRST_REPLY
    from catalina.tribes.group.rpc_channel import MAJORITY_REPLY as MAJORITY_REPLY
    from catalina.tribes.group.rpc_channel import NO_REPLY as NO_REPLY
    from catalina.tribes.group.rpc_channel import RpcChannel as RpcChannel
    from catalina.tribes.io.java import EncodedValue as EncodedValue
    from catalina.tribes.io.java import decode_value as decode_value
    from catalina.tribes.io.java import encode_value as encode_value
    from catalina.tribes.member import Member as Member
    from catalina.tribes.tipis.lazy_replicated_map import LazyReplicatedMap as LazyReplicatedMap
    from catalina.tribes.tipis.replicated_map import ReplicatedMap as ReplicatedMap

#: The public names, by the module that has them.
_HOMES = {
    "catalina.errors": ("ChannelError",),
    "catalina.tribes.channel": (
        "SEND_OPTIONS_ASYNCHRONOUS",
        "SEND_OPTIONS_DEFAULT",
        "SEND_OPTIONS_MULTICAST",
        "SEND_OPTIONS_SYNCHRONIZED_ACK",
        "SEND_OPTIONS_UDP",
        "SEND_OPTIONS_USE_ACK",
        "ChannelMessage",
        "Delivery",
        "ObjectBytes",
    ),
    "catalina.tribes.group.channel_interceptor": ("ChannelInterceptorBase",),
    "catalina.tribes.group.group_channel": ("GroupChannel",),
    "catalina.tribes.group.rpc_channel": ("ALL_REPLY", "FIRST_REPLY", "MAJORITY_REPLY", "NO_REPLY", "RpcChannel"),
    "catalina.tribes.io.java": ("EncodedValue", "decode_value", "encode_value"),
    "catalina.tribes.member": ("Member",),
    "catalina.tribes.tipis.lazy_replicated_map": ("LazyReplicatedMap",),
    "catalina.tribes.tipis.replicated_map": ("ReplicatedMap",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
