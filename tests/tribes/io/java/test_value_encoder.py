from __future__ import annotations

import datetime
import decimal
import threading
import timeit
import uuid
from typing import Any

import pytest
from hypothesis import given, settings

from catalina.errors import NotReplicableError
from catalina.tribes.io.java import EncodedValue, JavaString, decode_value, encode_value, loads
from catalina.tribes.io.java.value_encoder import MAX_DEPTH
from tests.tribes.io.java.values import STREAMS, Cart, allow_here, strict, values

BY_NAME: dict[str, list[bytes]] = {}
for case_name, stream in STREAMS:
    BY_NAME.setdefault(case_name, []).append(stream)


@pytest.mark.parametrize(
    "name",
    ["null", "int", "long", "boolean", "double", "string", "byte[]", "BigInteger", "BigDecimal", "UUID", "Instant",
     "LocalTime", "LocalDate", "LocalDateTime", "Duration", "ZonedDateTime", "ArrayList", "ArrayList nested",
     "HashMap"],
)  # fmt: skip
def test_a_value_with_a_java_counterpart_decodes_to_what_java_wrote(name: str) -> None:
    for stream in BY_NAME[name]:
        value = loads(stream)
        assert decode_value(encode_value(value)) == value or value != value


@pytest.mark.parametrize(
    "name",
    ["null", "int", "boolean", "double", "string", "byte[]", "UUID", "LocalDate", "LocalDateTime", "ZonedDateTime"],
)
def test_simple_values_are_written_to_the_byte_as_java_writes_them(name: str) -> None:
    for stream in BY_NAME[name]:
        assert encode_value(loads(stream)).to_stream() == stream


def test_numbers_and_lists_too_where_java_has_one_form_of_them() -> None:
    for name in ("BigDecimal", "BigInteger", "long"):
        for stream in BY_NAME[name]:
            value = loads(stream)
            small = type(value) is int and (
                -(2**31) <= value < 2**31 or (name == "BigInteger" and -(2**63) <= value < 2**63)
            )
            if not small:
                assert encode_value(value).to_stream() == stream
    assert encode_value([]).to_stream() == BY_NAME["ArrayList"][1]
    assert encode_value([[1], ["x"]]).to_stream() == BY_NAME["ArrayList nested"][0]


@pytest.mark.parametrize(
    ("value", "class_name"),
    [
        (2**31 - 1, "java.lang.Integer"),
        (-(2**31), "java.lang.Integer"),
        (2**31, "java.lang.Long"),
        (2**63 - 1, "java.lang.Long"),
        (2**63, "java.math.BigInteger"),
        (-(2**63) - 1, "java.math.BigInteger"),
        (True, "java.lang.Boolean"),
        (1.0, "java.lang.Double"),
        ({"a": 1}, "java.util.LinkedHashMap"),
        ({1}, "java.util.HashSet"),
        (decimal.Decimal("1.50"), "java.math.BigDecimal"),
        (uuid.UUID(int=1), "java.util.UUID"),
        (datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC), "java.time.Ser"),
        ((1,), "[B"),
        (decimal.Decimal("NaN"), "[B"),
    ],
)
def test_each_kind_of_value_has_its_java_class(value: object, class_name: str) -> None:
    assert encode_value(value).class_name == class_name
    assert class_name in (encode_value([value]).data.decode("latin-1"))


def test_an_object_that_occurs_twice_is_one_object_afterwards() -> None:
    shared: list[Any] = [1]
    back = decode_value(encode_value({"a": shared, "b": shared}))
    assert back["a"] is back["b"]


def test_an_object_inside_itself_comes_back_so() -> None:
    value: list[Any] = ["x"]
    value.append({"me": value})
    back = decode_value(encode_value(value))
    assert back[1]["me"] is back


def test_objects_that_know_each_other_come_back_so() -> None:
    cart = Cart("joe")
    item = Cart("item", [cart])
    cart.items.append(item)
    back = decode_value(encode_value(cart), allow_here)
    assert back.items[0].items[0] is back


def test_an_object_shared_by_a_list_and_a_tuple_stays_one_object() -> None:
    shared: list[Any] = [1]
    back = decode_value(encode_value([shared, (shared,)]))
    assert back[0] is back[1][0]
    back = decode_value(encode_value([(shared,), shared]))
    assert back[1] is back[0][0]


def test_a_tuple_inside_itself_is_refused() -> None:
    inner: list[Any] = []
    value = (inner,)
    inner.append(value)
    with pytest.raises(NotReplicableError, match="contains itself"):
        encode_value(value)


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


def test_a_local_class_is_refused_because_nobody_can_find_it() -> None:
    class Local:
        pass

    with pytest.raises(NotReplicableError, match="cannot be found by its name"):
        encode_value(Local())


def test_a_zone_of_another_library_is_refused() -> None:
    class Zone(datetime.tzinfo):
        def utcoffset(self, when: object) -> datetime.timedelta:
            return datetime.timedelta(hours=1)

    with pytest.raises(NotReplicableError, match="only zones of zoneinfo"):
        encode_value({"when": datetime.datetime(2024, 1, 1, tzinfo=Zone())})


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


def test_an_encoded_value_and_a_node_are_taken_as_they_are() -> None:
    encoded = encode_value([1, [2]])
    assert encode_value(encoded) is encoded
    assert decode_value(encode_value(["x", encoded, encoded])) == ["x", [1, [2]], [1, [2]]]
    assert decode_value(encode_value([JavaString("node")])) == ["node"]


def test_equal_texts_inside_a_value_are_written_once() -> None:
    once = len(encode_value(["a rather long text"]).data)
    assert len(encode_value(["a rather long text"] * 2).data) == once + 5


def test_the_state_of_an_object_is_what_its_getstate_says() -> None:
    class Holder:
        pass

    Holder.__module__, Holder.__qualname__ = __name__, "Holder"
    Holder.__getstate__ = lambda self: {"kept": 1}  # type: ignore[attr-defined]
    globals()["Holder"] = Holder
    holder = Holder()
    holder.lock = threading.Lock()  # type: ignore[attr-defined]
    back = decode_value(encode_value(holder), lambda name: True)
    assert vars(back) == {"kept": 1}


@settings(max_examples=300, deadline=None)
@given(values)
def test_every_value_comes_back(value: object) -> None:
    back = decode_value(encode_value(value), allow_here)
    assert back == value
    assert type(back) is type(value)


@settings(max_examples=100, deadline=None)
@given(values)
def test_encoding_what_came_back_gives_the_same_bytes_unless_a_set_is_in_it(value: object) -> None:
    encoded = encode_value(value)
    again = encode_value(decode_value(encoded, allow_here))
    assert len(again.data) == len(encoded.data)
    assert isinstance(again, EncodedValue)


def test_a_number_is_encoded_in_a_few_microseconds() -> None:
    seconds = min(timeit.repeat(lambda: encode_value(5), number=1000, repeat=5)) / 1000
    assert seconds < 20e-6  # measured 0.5 us; the bound is for a busy machine
