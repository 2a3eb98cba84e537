from __future__ import annotations

import threading
from typing import Any

import pytest

from catalina.errors import NotReplicableError
from catalina.tribes.io.java import decode_value, encode_value
from catalina.tribes.io.java.value_writer import MAX_DEPTH
from tests.tribes.io.java.values import Cart, allow_here, strict


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (threading.Lock(), "cart"),
        ({"items": [1, 2, {"file": open}]}, "cart['items'][2]['file']"),
        ([(1, [strict(lock=threading.Lock())])], "cart[0][1][0].lock"),
        ({"a": {1: lambda: None}}, "cart['a'][1]"),
        (Cart("joe", [Exception("x")]), "cart.items[0]"),
        ({("a", int): 1}, "cart[('a', <class 'int'>)][1]"),
    ],
)
def test_the_error_names_the_part_that_cannot_travel(value: object, path: str) -> None:
    with pytest.raises(NotReplicableError) as caught:
        encode_value(value, "cart")
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: a ")


def test_an_object_that_occurs_twice_is_one_object_afterwards() -> None:
    shared: list[Any] = [1]
    back = decode_value(encode_value({"a": shared, "b": shared}))
    assert back["a"] is back["b"]


def test_an_object_inside_itself_comes_back_so() -> None:
    value: list[Any] = ["x"]
    value.append({"me": value})
    back = decode_value(encode_value(value))
    assert back[1]["me"] is back


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: (v,), lambda v: {"a": v}, lambda v: Cart("x", v)])
def test_what_is_not_too_deep_to_write_is_not_too_deep_to_read(wrap: Any) -> None:
    value: Any = 1
    depth = 0
    while depth < MAX_DEPTH + 5:
        depth += 1
        value = wrap(value)
        try:
            encoded = encode_value(value)
        except NotReplicableError:
            break
        assert type(decode_value(encoded, allow_here)) is type(value)
    assert MAX_DEPTH // 3 <= depth < MAX_DEPTH + 4
    with pytest.raises(NotReplicableError, match="nested more than"):
        encode_value(value)
