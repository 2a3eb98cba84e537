"""Input that comes over the group's network besides sessions: frames, members, messages of the layers, maps, farm."""

from __future__ import annotations

from catalina.ha.deploy.farm_introductions import (
    FarmHello,
    FarmOffer,
    FarmReturn,
    FarmTrial,
    FarmWant,
    decode_farm_message,
)
from catalina.ha.deploy.farm_trailer import FarmTrailer
from catalina.ha.deploy.file_message import FileMessage
from catalina.ha.deploy.file_message_factory import FarmFile
from catalina.ha.deploy.undeploy_message import UndeployMessage
from catalina.ha.tcp.live_facts import read_live
from catalina.ha.tcp.node_facts import WATCHED, read_answer, read_facts
from catalina.manager.cluster.orders import read_order
from catalina.tribes.group.interceptors.gzip_interceptor import compress, decompress
from catalina.tribes.group.interceptors.non_blocking_coordinator import COORD_REQUEST, CoordinationMessage
from catalina.tribes.group.rpc_message import RpcMessage
from catalina.tribes.io.channel_data import PackageDecoder
from catalina.tribes.io.java import EncodedValue, dumps, encode_value
from catalina.tribes.io.x_byte_buffer import ACK, FrameDecoder
from catalina.tribes.ledger import wire as ledger_wire
from catalina.tribes.ledger.version_table import decode_version_table, encode_version_table
from catalina.tribes.member import Member
from catalina.tribes.membership.static_membership_provider import MemberMessage
from catalina.tribes.tipis.map_message import MapMessage, MapState, decode_entries, decode_key, encode_entries
from catalina.tribes.tipis.map_names import Names, decode_names
from catalina.tribes.tipis.map_stamp import NO_STAMP, VERSION_SIZE, Stamp, stamp_key, unstamp_key
from tests.fuzz.target import Target
from tests.fuzz.targets_sessions import captured
from tests.ha.tcp import test_live_facts
from tests.tribes.ledger import test_version_table, test_wire

_STAMPS = (NO_STAMP, Stamp(b"v" * VERSION_SIZE))
_NAMES = [Names("X", "Y.n1", b"v" * VERSION_SIZE, {"X": b"v" * VERSION_SIZE, "Y": b""}).encode(str, is_whole=is_whole)
          for is_whole in (False, True)]  # fmt: skip
_FACTS = (b'{"now": 1.5, "software": "x", "alike": {"channelSendOptions": "8"}, "applications": '
          b'[{"name": "localhost/shop", "manager": "DeltaManager", "runs": true, "distributable": true}]}')  # fmt: skip
_ORDER = b'{"verb": "expire", "application": "localhost/shop", "idle": 5, "user": "gui", "address": "127.0.0.1"}'
_DEPLOY = "catalina.ha.deploy"


def _frames(data: bytes) -> None:
    whole = FrameDecoder(1 << 16).receive_data(data)
    decoder = FrameDecoder(1 << 16)
    cut = [package for at in range(0, len(data), 7) for package in decoder.receive_data(data[at : at + 7])]
    assert cut == whole


def _package(data: bytes) -> None:
    PackageDecoder().decode(data)


def _packages() -> list[bytes]:
    return [package for wire in captured("frames", key="wire") for package in FrameDecoder().receive_data(wire)]


def _map(data: bytes) -> None:
    message = MapMessage.decode(data)
    if message.value is not None and message.value[:4] == data[:4]:
        decode_entries(message.value)


def _maps() -> list[MapMessage]:
    return [MapMessage.decode(data) for data in captured("map")[:3]]


def _members() -> list[bytes]:
    return captured("members", key="wire")


def _peers() -> list[Member]:
    return [Member(bytes((10, 0, 0, number)), 4000 + number, unique_id=bytes([number] * 16)) for number in range(1, 4)]


def _live(data: bytes) -> object:
    return read_live(data), read_answer(_peers()[0], EncodedValue(data, 1), WATCHED)


def _election() -> list[bytes]:
    peers = _peers()
    return [CoordinationMessage(peers[0], peers[1], tuple(peers), bytes(16), COORD_REQUEST).encode()]


def _ledger() -> list[bytes]:
    comparison = [ledger_wire.encode(message) for message in test_wire.MESSAGES]
    ends = ledger_wire.encode_ends(test_wire.GRAVES)
    return [*comparison, ledger_wire.encode_copies(test_wire.copies(2)), ends, ledger_wire.encode_question("S1")]


def _farm() -> list[bytes]:
    offer = FarmOffer((), ())
    trial = FarmTrial(FarmFile("a.war", "/a", 1, bytes(32), 1), "it does not start")
    more = [trial.encode(), FarmReturn("a.war", "it does not start").encode()]
    return [FarmHello().encode(), offer.encode(), FarmWant(("a.war", "b.war")).encode(), *more]


TARGETS = [
    Target("frames", _frames, ("catalina.tribes.io.x_byte_buffer:FrameDecoder.receive_data",),
           lambda: [*captured("frames", key="wire"), ACK + ACK]),
    Target("package", _package, ("catalina.tribes.io.channel_data:PackageDecoder.decode",), _packages),
    Target("member", Member.decode, ("catalina.tribes.member:Member.decode",), _members),
    Target("membermsg", MemberMessage.decode,
           ("catalina.tribes.membership.static_membership_provider:MemberMessage.decode",),
           lambda: [MemberMessage(b"id", 1, member).encode() for member in _peers()]),
    Target("facts", lambda data: read_facts(EncodedValue(data, 1)), ("catalina.ha.tcp.node_facts:read_facts",),
           lambda: [encode_value(_FACTS).data, encode_value(b"[]").data]),
    Target("live", _live, ("catalina.ha.tcp.live_facts:read_live", "catalina.ha.tcp.live_facts:read_as",
                           "catalina.ha.tcp.node_facts:read_answer"), lambda: [test_live_facts.NODE.encode()]),
    Target("order", lambda data: read_order(EncodedValue(data, 1)), ("catalina.manager.cluster.orders:read_order",),
           lambda: [encode_value(_ORDER).data, encode_value(b"[]").data]),
    Target("rpc", RpcMessage.decode, ("catalina.tribes.group.rpc_message:RpcMessage.decode",), lambda: captured("rpc")),
    Target("coord", CoordinationMessage.decode,
           ("catalina.tribes.group.interceptors.non_blocking_coordinator:CoordinationMessage.decode",), _election),
    Target("gzip", lambda data: decompress(data, 1 << 16),
           ("catalina.tribes.group.interceptors.gzip_interceptor:decompress",),
           lambda: [compress(b""), compress(b"abc" * 100), compress(b"a") + compress(b"b"), compress(bytes(1 << 17))]),
    Target("map", _map, ("catalina.tribes.tipis.map_message:MapMessage.decode",
                         "catalina.tribes.io.java.object_form:*"), lambda: captured("map")),
    Target("mapentries", decode_entries, ("catalina.tribes.tipis.map_message:decode_entries",),
           lambda: [encode_entries(_maps())]),
    Target("mapstate", MapState.decode, ("catalina.tribes.tipis.map_message:MapState.decode",),
           lambda: [MapState.encode(MapState.INITIALIZED)]),
    Target("mapkey", unstamp_key, ("catalina.tribes.tipis.map_stamp:unstamp_key",),
           lambda: [dumps("S1"), dumps(5), *[stamp_key(dumps("S1"), stamp, names)
                                             for stamp in _STAMPS for names in (b"", *_NAMES)]], ()),
    Target("mapkeytext", decode_key, ("catalina.tribes.tipis.map_message:decode_key",),
           lambda: [dumps("S1"), dumps(""), dumps("x" * 300), dumps(5)]),
    Target("mapnames", lambda data: decode_names(data, "Y.n1"), ("catalina.tribes.tipis.map_names:decode_names",),
           lambda: list(_NAMES)),
    Target("ledger", ledger_wire.decode, ("catalina.tribes.ledger.wire:decode",), _ledger),
    Target(
        "versions",
        lambda data: decode_version_table(data, "X", "X"),
        ("catalina.tribes.ledger.version_table:decode_version_table",),
        lambda: [encode_version_table(test_version_table.a_record())],
    ),
    Target("farm", decode_farm_message, (f"{_DEPLOY}.farm_introductions:decode_farm_message",), _farm),
    Target("trailer", FarmTrailer.decode, (f"{_DEPLOY}.farm_trailer:FarmTrailer.decode",),
           lambda: [FarmTrailer(bytes(16), 0, 5, 1, bytes(32)).encode()]),
    Target("file", FileMessage.decode, (f"{_DEPLOY}.file_message:FileMessage.decode",),
           lambda: captured("file_messages")),
    Target("undeploy", UndeployMessage.decode, (f"{_DEPLOY}.undeploy_message:UndeployMessage.decode",),
           lambda: captured("file_messages")),
]  # fmt: skip
