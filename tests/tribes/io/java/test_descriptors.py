from __future__ import annotations

import pytest

from catalina.tribes.io.java import descriptors
from catalina.tribes.io.java.node_reader import NodeReader
from catalina.tribes.io.java.node_writer import encode_node
from catalina.tribes.io.java.nodes import ClassDesc, JavaObject
from tests.support.narrowing import of_type
from tests.tribes.io.java.values import STREAMS, array_list

OURS = {desc.name: desc for desc in vars(descriptors).values() if isinstance(desc, ClassDesc)}


def classes_in(stream: bytes) -> dict[str, ClassDesc]:
    reader = NodeReader(stream, 4)
    reader.read_node()
    return {node.name: node for node in reader.handles if isinstance(node, ClassDesc)}


CAPTURED = {name: desc for _, stream in STREAMS for name, desc in classes_in(stream).items()}


@pytest.mark.parametrize("name", sorted(set(OURS) - {"java.util.concurrent.ConcurrentHashMap"}))
def test_a_descriptor_is_the_one_that_java_writes(name: str) -> None:
    assert encode_node(OURS[name]) == encode_node(CAPTURED[name])


def test_the_map_without_its_obsolete_fields_has_javas_number() -> None:
    assert descriptors.CONCURRENT_HASH_MAP.suid == CAPTURED["java.util.concurrent.ConcurrentHashMap"].suid
    assert descriptors.CONCURRENT_HASH_MAP.fields == ()


def test_a_signature_is_one_node_for_all_classes() -> None:
    assert descriptors.signature("Ljava/lang/String;") is descriptors.signature("Ljava/lang/String;")


@pytest.mark.parametrize(
    ("node", "name"),
    [
        (descriptors.integer(1), "int"),
        (descriptors.byte_array(b"\0" * 17), "byte[]"),
        (descriptors.string("a"), "string"),
    ],
)
def test_simple_values_have_the_class_of_the_captured_ones(node: object, name: str) -> None:
    stream = dict(STREAMS)[name]
    assert encode_node(node).class_name == encode_node(NodeReader(stream, 4).read_node()).class_name  # type: ignore[arg-type]


def test_none_is_null() -> None:
    assert descriptors.byte_array(None) is None
    assert descriptors.string(None) is None


def test_a_list_and_an_enum_constant_read_back() -> None:
    data = encode_node(array_list([descriptors.string("a"), None])).data
    assert len(of_type(JavaObject, NodeReader(data).read_node()).annotation()) == 3
    colour = descriptors.describe("Colour", 0, 0x12, super_desc=descriptors.ENUM)
    assert NodeReader(encode_node(descriptors.enum_constant(colour, "RED")).data).read_node().constant.value == "RED"  # type: ignore[union-attr]
