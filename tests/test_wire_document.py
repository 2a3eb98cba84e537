"""docs/wire.md against the code: its tables, its examples, and the sections that the code cites."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalina.ha.deploy import file_message, undeploy_message
from catalina.ha.deploy.farm_trailer import FarmTrailer
from catalina.ha.session import session_message
from catalina.ha.session.delta_request import ACTION_SET, FIXED_NAMES, TYPE_ATTRIBUTE, DeltaAction, serialize
from catalina.ha.session.session_message import EVENT_NAMES, EVT_SESSION_ACCESSED, encode_message
from catalina.tribes.channel import SEND_OPTIONS_ASYNCHRONOUS, ChannelMessage
from catalina.tribes.group.interceptors import two_phase_commit_interceptor
from catalina.tribes.group.interceptors.non_blocking_coordinator import COORD_CONF, COORD_HEADER, COORD_REQUEST
from catalina.tribes.io.channel_data import PackageEncoder
from catalina.tribes.io.java import encode_value
from catalina.tribes.io.java.nodes import ClassDesc
from catalina.tribes.io.java.object_form import ObjectForm
from catalina.tribes.io.java.python_form import MARK
from catalina.tribes.io.member_object import MEMBER_IMPL_SUIDS
from catalina.tribes.io.x_byte_buffer import ACK_BODY, FAIL_ACK_BODY
from catalina.tribes.member import BEGIN, END, SHUTDOWN_COMMAND, Member
from catalina.tribes.membership import static_membership_provider
from catalina.tribes.tipis import map_message, map_stamp
from catalina.tribes.transport.nio.parallel_nio_sender import ORDERED_PEER
from catalina.tribes.transport.nio.tcp_probe import TCP_FAIL_DETECT

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "wire.md").read_text("utf-8")
FORMS = [
    module._FORM
    for module in (session_message, map_message, file_message, undeploy_message, static_membership_provider)
]


def rows(heading: str) -> list[list[str]]:
    """The table of a section, without its head."""
    section = TEXT[TEXT.index(f"\n### {heading}") :].split("\n### ")[1]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def example(heading: str) -> bytes:
    """The indented lines of a section, without the remarks behind their bytes."""
    section = TEXT[TEXT.index(f"\n### {heading}") :].split("\n### ")[1]
    words: list[str] = []
    for line in section.splitlines():
        if line.startswith("    "):
            words += line.partition("#")[0].split()
    return bytes.fromhex("".join(words))


def test_the_message_of_the_example_is_what_is_sent() -> None:
    member = Member(bytes((10, 0, 0, 7)), 4000, unique_id=bytes(range(16)))
    data = encode_message(EVT_SESSION_ACCESSED, "localhost#/app", None, "A1.n1", "A1.n1", 1700000000000)
    message = ChannelMessage(data, SEND_OPTIONS_ASYNCHRONOUS, 1700000000001, bytes(range(16, 32)), member)
    assert example("5.1").hex() == PackageEncoder().frame(message).hex()


def test_the_delta_of_the_example_is_what_is_sent() -> None:
    action = DeltaAction(TYPE_ATTRIBUTE, ACTION_SET, "n", encode_value(7))
    assert example("5.2").hex() == serialize("A1.n1", False, [action]).hex()


def test_the_events_are_those_of_the_code() -> None:
    assert {int(row[0]): row[1].split(":")[0].split(",")[0] for row in rows("5.1")} == EVENT_NAMES


def test_the_actions_are_those_of_the_code() -> None:
    names = {int(row[0]): row[2].strip("`") for row in rows("5.2") if row[2].startswith("`")}
    assert names == FIXED_NAMES


def test_the_messages_of_maps_are_those_of_the_code() -> None:
    ours = {getattr(map_message, name): name[4:] for name in map_message.__all__ if name.startswith("MSG_")}
    assert {int(row[0]): row[1] for row in rows("6.1")} == ours


def described(desc: ClassDesc) -> tuple[str, str, str, str]:
    """A row of the table of classes."""
    shorter = {"Ljava/lang/String;": "String", "[B": "byte[]"}
    member = {"Lorg/apache/catalina/tribes/Member;": "Member", "[Lorg/apache/catalina/tribes/Member;": "Member[]"}

    def fields(each: ClassDesc) -> str:
        types = [
            field.kind if field.signature is None else {**shorter, **member}[str(field.signature)]
            for field in each.fields
        ]
        return ", ".join([f"{kind} {field.name}" for kind, field in zip(types, each.fields, strict=True)])

    def name(each: ClassDesc) -> str:
        return each.name.removeprefix("org.apache.catalina.")

    above = desc.super_desc
    base = f"{name(above)}, {above.suid}: {fields(above)}" if isinstance(above, ClassDesc) else ""
    return name(desc), str(desc.suid), fields(desc), base


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.class_name.rpartition(".")[2])
def test_the_classes_are_those_of_the_code(form: ObjectForm) -> None:
    assert described(form.desc) in [tuple(row) for row in rows("4.2")]
    assert len(rows("4.2")) == len(FORMS)


@pytest.mark.parametrize(
    "data",
    [
        BEGIN, END, SHUTDOWN_COMMAND, ORDERED_PEER, ACK_BODY, FAIL_ACK_BODY, MARK,
        COORD_HEADER, COORD_REQUEST, COORD_CONF,
        two_phase_commit_interceptor.START_DATA, two_phase_commit_interceptor.END_DATA, TCP_FAIL_DETECT[:8],
        TCP_FAIL_DETECT[-3:], map_stamp.NAMES_MAGIC, session_message.STAMP, FarmTrailer(b"", 0, 0, 0, b"").encode()[:8],
    ],
)  # fmt: skip
def test_the_marks_are_those_of_the_code(data: bytes) -> None:
    assert data.hex() in TEXT


def test_the_versions_of_members_are_those_of_the_code() -> None:
    assert all(str(suid) in TEXT for suid in MEMBER_IMPL_SUIDS)


def sources() -> Iterator[tuple[Path, str]]:
    """All that cites: code, tests, scripts."""
    for folder in ("catalina", "tests", "benchmarks", "bin", "conf"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in (".py", ".sh", ".xml", ".toml", ".properties") and "corpus" not in file.parts:
                yield file, file.read_text("utf-8", "replace")


def test_each_section_that_is_cited_is_there() -> None:
    sections = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?) ", TEXT, re.M))
    cited = {
        number: file
        for file, text in sources()
        for number in re.findall(r"docs/wire\.md (?:section )?(\d+(?:\.\d+)?)", text)
    }
    assert cited
    assert {number: file for number, file in cited.items() if number not in sections} == {}


def test_no_document_is_cited_that_is_not_in_the_repository() -> None:
    missing = []
    for file, text in sources():
        for name in re.findall(r"(?<![\w/*<{\"'-])((?:[\w-]+/)*[\w-]+\.md)\b", text):
            places = (ROOT / name, ROOT / "docs" / name, file.parent / name, ROOT / "catalina" / name)
            if not any(place.exists() for place in places):
                missing.append(f"{file.relative_to(ROOT)}: {name}")
        missing += [f"{file.relative_to(ROOT)}: {cited}" for cited in re.findall(r"\bwire reference [\d.]+", text)]
    assert [each for each in missing if "test_wire_document" not in each] == []
