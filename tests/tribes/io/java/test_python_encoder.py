from __future__ import annotations

import datetime
import threading
from typing import Any

import pytest

from catalina.errors import NotReplicableError
from catalina.tribes.io.java import decode_value, encode_value
from tests.tribes.io.java.values import Right, allow_here


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
