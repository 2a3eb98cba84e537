from __future__ import annotations

import datetime
import decimal
import threading
import uuid
from typing import Any

import pytest

from catalina.errors import NotReplicableError
from catalina.tribes.io.java import decode_value, encode_value, loads
from tests.tribes.io.java.values import STREAMS, Right, allow_here

BY_NAME: dict[str, list[bytes]] = {}
for case_name, stream in STREAMS:
    BY_NAME.setdefault(case_name, []).append(stream)


def test_a_tuple_inside_itself_is_refused() -> None:
    inner: list[Any] = []
    value = (inner,)
    inner.append(value)
    with pytest.raises(NotReplicableError, match="contains itself"):
        encode_value(value)


def test_a_local_class_is_refused_because_nobody_can_find_it() -> None:
    class Local:
        pass

    with pytest.raises(NotReplicableError, match="cannot be found by its name"):
        encode_value(Local())


def test_a_zone_of_another_library_is_refused() -> None:
    class Zone(datetime.tzinfo):
        def utcoffset(self, when: object) -> datetime.timedelta:
            return datetime.timedelta(hours=1)

        def dst(self, when: object) -> None: ...

        def tzname(self, when: object) -> None: ...

    with pytest.raises(NotReplicableError, match="only zones of zoneinfo"):
        encode_value({"when": datetime.datetime(2024, 1, 1, tzinfo=Zone())})


def test_the_state_of_an_object_is_what_its_getstate_says() -> None:
    class Holder:
        lock: object

        def __getstate__(self) -> object:
            return {"kept": 1}

    Holder.__module__, Holder.__qualname__ = __name__, "Holder"
    globals()["Holder"] = Holder
    holder = Holder()
    holder.lock = threading.Lock()
    back = decode_value(encode_value(holder), lambda name: True)
    assert vars(back) == {"kept": 1}


def test_an_object_shared_by_a_list_and_a_tuple_stays_one_object() -> None:
    shared: list[Any] = [1]
    back = decode_value(encode_value([shared, (shared,)]))
    assert back[0] is back[1][0]
    back = decode_value(encode_value([(shared,), shared]))
    assert back[1] is back[0][0]


def test_a_member_of_an_enum_that_is_an_int_stays_a_member() -> None:
    assert decode_value(encode_value({Right.READ: 1}), allow_here) == {Right.READ: 1}
    assert encode_value(Right.READ).class_name == "[B"


def test_what_a_subclass_says_of_itself_is_not_asked() -> None:
    class Loud(list):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            raise AssertionError("__iter__ ran")

    Loud.__module__, Loud.__qualname__ = __name__, "Loud"
    globals()["Loud"] = Loud
    loud = Loud()
    list.extend(loud, [1, 2])
    back = decode_value(encode_value(loud), lambda name: True)
    assert list.__len__(back) == 2


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


def test_equal_texts_inside_a_value_are_written_once() -> None:
    once = len(encode_value(["a rather long text"]).data)
    assert len(encode_value(["a rather long text"] * 2).data) == once + 5


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


def test_tables_are_as_large_as_java_would_make_them() -> None:
    for size, buckets in ((0, 16), (12, 16), (13, 32), (24, 32), (25, 64)):
        data = encode_value({number: number for number in range(size)}).data
        assert b"\x77\x08" + buckets.to_bytes(4, "big") + size.to_bytes(4, "big") in data
        data = encode_value(set(range(size))).data
        assert b"\x77\x0c" + buckets.to_bytes(4, "big") in data
