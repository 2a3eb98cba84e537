"""Our object streams are read by the real Java, and what it writes of them is read by us."""

from __future__ import annotations

import datetime
import decimal
import subprocess
import uuid
import zoneinfo
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from catalina.ha.authenticator.sso_cache import SsoEntry, SsoKey
from catalina.ha.deploy.file_message import FileMessage
from catalina.ha.deploy.undeploy_message import UndeployMessage
from catalina.ha.session.delta_request import (
    TYPE_AUTHTYPE,
    TYPE_ISNEW,
    TYPE_MAXINTERVAL,
    TYPE_PRINCIPAL,
    DeltaRequest,
    fixed_action,
    serialize,
)
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.ha.session.session_message import SessionMessage
from catalina.tribes.group.rpc_message import NoRpcChannelReply, RpcMessage
from catalina.tribes.io.java import ObjectInputStream, decode_value, encode_value
from catalina.tribes.member import Member
from catalina.tribes.membership.static_membership_provider import MemberMessage
from catalina.tribes.tipis.map_message import MapMessage, MapState, decode_entries, encode_entries
from tests.ha.session.deltas import attribute
from tests.support.needs import need_java_tomcat
from tests.tribes.io.java.values import ONE_OF_EACH, allow_here, values

pytestmark = pytest.mark.interop

ME = Member(b"\x7f\0\0\x01", 4000, unique_id=b"1" * 16)


class Java:
    """A Java process that reads objects and writes them again."""

    def __init__(self, folder: Path) -> None:
        jars = sorted(str(jar) for jar in need_java_tomcat().glob("*.jar") if "i18n" not in jar.name)
        source = Path(__file__).with_name("ObjectDriver.java")
        classpath = ":".join([str(folder), *jars, "/usr/share/tomcat10/bin/tomcat-juli.jar"])
        subprocess.run(["javac", "-nowarn", "-cp", classpath, "-d", str(folder), str(source)], check=True, timeout=120)
        self.process = subprocess.Popen(
            ["java", "-Xmx128m", "-Xshare:auto", "-cp", classpath, "ObjectDriver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def read(self, stream: bytes, kind: str = "object") -> tuple[str, str, bytes]:
        """Its class, its text, and the stream that Java writes of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{kind} {stream.hex()}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert not answer.startswith("ERROR"), answer
        name, text, again = answer.split("|")
        return name, bytes.fromhex(text).decode("utf-16-be", "surrogatepass"), bytes.fromhex(again)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Java]:
    driver = Java(tmp_path_factory.mktemp("classes"))
    yield driver
    driver.stop()


def of_java(stream: bytes) -> Any:
    return decode_value(ObjectInputStream(stream).read_encoded(), allow_here)


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (5, "java.lang.Integer", "5"),
        (2**40, "java.lang.Long", str(2**40)),
        (-(2**100), "java.math.BigInteger", str(-(2**100))),
        (True, "java.lang.Boolean", "true"),
        (1.5, "java.lang.Double", "1.5"),
        ("caf\u00e9 \U0001f600\0", "java.lang.String", "caf\u00e9 \U0001f600\0"),
        ("x" * 70000, "java.lang.String", "x" * 70000),
        (b"\x01\xff", "[B", "01ff"),
        ([1, "a", None, [True]], "java.util.ArrayList", "[1, a, null, [true]]"),
        ({"b": 1, "a": [2.0]}, "java.util.LinkedHashMap", "{b=1, a=[2.0]}"),
        ({"x"}, "java.util.HashSet", "[x]"),
        (decimal.Decimal("-12.50"), "java.math.BigDecimal", "-12.50"),
        (uuid.UUID(int=7), "java.util.UUID", str(uuid.UUID(int=7))),
        (datetime.datetime(2024, 2, 29, 1, 2, 3, 4, datetime.UTC), "java.time.Instant", "2024-02-29T01:02:03.000004Z"),
        (datetime.datetime(2024, 2, 29, 1, 2), "java.time.LocalDateTime", "2024-02-29T01:02"),
        (datetime.date(2024, 2, 29), "java.time.LocalDate", "2024-02-29"),
        (datetime.time(1, 2, 3), "java.time.LocalTime", "01:02:03"),
        (datetime.timedelta(hours=25), "java.time.Duration", "PT25H"),
        (
            datetime.datetime(2024, 2, 29, 1, 2, tzinfo=zoneinfo.ZoneInfo("Europe/Paris")),
            "java.time.ZonedDateTime",
            "2024-02-29T01:02+01:00[Europe/Paris]",
        ),
        (
            datetime.datetime(2024, 2, 29, 1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
            "java.time.OffsetDateTime",
            "2024-02-29T01:02+02:00",
        ),
    ],
)
def test_a_python_value_is_a_java_value(java: Java, value: object, name: str, text: str) -> None:
    assert java.read(encode_value(value).to_stream())[:2] == (name, text)


@pytest.mark.parametrize("value", ONE_OF_EACH, ids=repr)
def test_a_value_that_java_cannot_see_into_comes_back_through_it(java: Java, value: Any) -> None:
    name, _, again = java.read(encode_value(value).to_stream())
    back = of_java(again)
    assert name.startswith(("[B", "java."))
    assert type(back) is type(value)
    assert back == value or repr(back) == repr(value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values)
def test_every_value_comes_back_through_java(java: Java, value: object) -> None:
    back = of_java(java.read(encode_value(value).to_stream())[2])
    assert back == value


def test_a_list_inside_itself_comes_back_through_java(java: Java) -> None:
    # Java's own toString would not end: it is told only that the list is inside a map.
    value: dict[str, Any] = {"list": [1]}
    value["again"] = value["list"]
    back = of_java(java.read(encode_value(value).to_stream())[2])
    assert back["again"] is back["list"]


MESSAGES = {
    "org.apache.catalina.ha.session.SessionMessageImpl": SessionMessage(
        13, "/app", b"delta", "id", "unique", 5
    ).encode(),
    "org.apache.catalina.tribes.group.RpcMessage": RpcMessage(b"app", b"u" * 16, encode_value([1, [1]]), True).encode(),
    "org.apache.catalina.tribes.group.RpcMessage$NoRpcChannelReply": NoRpcChannelReply(b"app", b"u" * 16).encode(),
    "org.apache.catalina.tribes.tipis.AbstractReplicatedMap$MapMessage": MapMessage(
        b"app", 1, encode_value("key").to_stream(), encode_value([1]).to_stream(), None, ME, (ME, ME)
    ).encode(),
    "org.apache.catalina.tribes.membership.StaticMembershipProvider$MemberMessage": MemberMessage(b"m", 1, ME).encode(),
    "org.apache.catalina.ha.deploy.FileMessage": FileMessage("a.war", "/a", b"data", 1, 2).encode(),
    "org.apache.catalina.ha.deploy.UndeployMessage": UndeployMessage("/a", 5, ME).encode(),
    "org.apache.catalina.realm.GenericPrincipal": SerializablePrincipal("joe", ("a",), None, {"m": 1})
    .encode()
    .to_stream(),
    "org.apache.catalina.authenticator.SingleSignOnEntry": SsoEntry(
        "joe", "secret", "FORM", True, frozenset({SsoKey("/a", "h", "s")}), SerializablePrincipal("joe")
    )
    .encode()
    .to_stream(),
}


#: Streams that Java writes in another way than it read: members get another alive time, maps their obsolete fields.
READERS: dict[str, Callable[[bytes], object]] = {
    "MapMessage": MapMessage.decode,
    "MemberMessage": MemberMessage.decode,
    "UndeployMessage": UndeployMessage.decode,
    "GenericPrincipal": lambda wire: SerializablePrincipal.decode(ObjectInputStream(wire).read_encoded()),
    "SingleSignOnEntry": lambda wire: SsoEntry.decode(ObjectInputStream(wire).read_encoded()),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_an_object_of_tomcat_and_comes_back_through_it(java: Java, name: str) -> None:
    wire = MESSAGES[name]
    found, _, again = java.read(wire)
    assert found == name
    reader = READERS.get(name.replace("$", ".").split(".")[-1])
    if reader is None:
        assert again == wire
    else:
        assert reader(again) == reader(wire)


def test_the_entries_of_a_map_s_state_are_a_list_of_messages(java: Java) -> None:
    entries = [MapMessage(b"app", 3, encode_value(f"k{n}").to_stream(), None, None, ME, (ME,)) for n in range(3)]
    name, _, again = java.read(encode_entries(entries))
    assert name == "java.util.ArrayList"
    assert decode_entries(again) == decode_entries(encode_entries(entries))
    assert java.read(MapState.encode("INITIALIZED"))[1] == "INITIALIZED"


def test_a_delta_is_read_by_the_java_class_and_written_again(java: Java) -> None:
    actions = [
        attribute("cart", encode_value({"items": [1, 2, {"a": "b"}], "when": datetime.date(2024, 1, 1)})),
        attribute("python", encode_value((1, 2))),
        attribute("gone", None),
        fixed_action(TYPE_ISNEW, encode_value(False)),
        fixed_action(TYPE_PRINCIPAL, SerializablePrincipal("joe", ("a", "b")).encode()),
        fixed_action(TYPE_MAXINTERVAL, encode_value(60)),
        fixed_action(TYPE_AUTHTYPE, encode_value("FORM")),
    ]
    name, size, again = java.read(serialize("id", False, actions), "delta")
    assert (name, size) == ("delta", "7")
    back = DeltaRequest.decode(again)
    assert [action[:3] for action in back.actions] == [action[:3] for action in actions]
    values_back = [decode_value(action.value) for action in back.actions[:2] if action.value]
    assert values_back == [{"items": [1, 2, {"a": "b"}], "when": datetime.date(2024, 1, 1)}, (1, 2)]
