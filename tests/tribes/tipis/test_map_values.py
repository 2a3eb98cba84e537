from __future__ import annotations

import pytest

from catalina.errors import NotReplicableError
from catalina.tribes.io.java import JavaObject, dumps
from catalina.tribes.tipis.map_values import ObjectCodec, is_diffable
from tests.tribes.io.java.values import STREAMS


class Counts:
    def take_diff(self) -> bytes | None:
        return None

    def apply_diff(self, diff: bytes) -> None: ...

    def access_due(self) -> bool:
        return False

    def accessed_elsewhere(self) -> None: ...


def test_a_value_that_can_say_what_changed_is_told_by_its_methods() -> None:
    assert is_diffable(Counts())
    assert not is_diffable([1])


def test_plain_values_travel_as_java_objects() -> None:
    codec = ObjectCodec()
    assert codec.encode({"a": [1]}, 0) == dumps({"a": [1]})
    assert codec.decode(codec.encode({"a": [1]}, 0)) == {"a": [1]}
    with pytest.raises(NotReplicableError):
        codec.encode(open, 0)


def test_a_class_that_only_java_has_is_a_node() -> None:
    assert isinstance(ObjectCodec().decode(dict(STREAMS)["bean"]), JavaObject)
