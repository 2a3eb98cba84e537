"""Names and the objects behind them."""

import threading

import pytest

from catalina.errors import NamingError
from catalina.naming.naming_context import NamingContext, normal_name


@pytest.mark.parametrize("name", ["jdbc/shop", "java:comp/env/jdbc/shop", "java:/comp/env/jdbc/shop", "java:jdbc/shop"])
def test_a_name_may_have_javas_prefixes(name):
    assert normal_name(name) == "jdbc/shop"


def test_an_object_is_made_when_it_is_first_looked_up_and_kept():
    names, made = NamingContext(), list[int]()
    names.bind("a", lambda: [made.append(1)])
    assert made == []
    assert names.lookup("a") is names.lookup("java:comp/env/a")
    assert made == [1]
    assert "a" in names
    assert 7 not in names


def test_without_singleton_each_lookup_makes_one():
    names = NamingContext()
    names.bind("a", object, singleton=False)
    assert names.lookup("a") is not names.lookup("a")


def test_two_threads_get_one_object():
    names, made = NamingContext(), []
    start = threading.Barrier(4)

    def make():
        made.append(1)
        return object()

    names.bind("a", make)
    found = []

    def look():
        start.wait(10)
        found.append(names.lookup("a"))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert made == [1]
    assert len(set(map(id, found))) == 1


def test_an_unknown_name_is_an_error_that_says_the_known_ones():
    names = NamingContext()
    names.bind("b", object)
    with pytest.raises(NamingError, match=r"\[a\] is not bound in this Context; bound are: b"):
        names.lookup("a")
    with pytest.raises(LookupError):
        names.lookup("a")


class Closing:
    def __init__(self):
        self.calls = []

    def close(self):
        self.calls.append("close")

    def shut(self):
        self.calls.append("shut")


@pytest.mark.parametrize(("method", "calls"), [("", ["close"]), ("shut", ["shut"]), (None, [])])
def test_objects_are_ended_by_the_method_that_was_named(method, calls):
    names, made = NamingContext(), Closing()
    names.bind("a", lambda: made, close_method=method)
    names.bind("never looked up", object, close_method="close")
    names.lookup("a")
    names.close()
    assert made.calls == calls
    assert names.names == ()


def test_a_close_that_fails_does_not_keep_the_others_open(caplog):
    class Failing:
        def close(self):
            raise ValueError("driver")

    names, good = NamingContext(), Closing()
    names.bind("a", Failing, close_method="")
    names.bind("b", lambda: good, close_method="")
    names.lookup("a")
    names.lookup("b")
    names.close()
    assert good.calls == ["close"]
    assert "Resource [a] could not be closed" in caplog.text


def test_a_name_can_be_unbound():
    names, made = NamingContext(), Closing()
    names.bind("a", lambda: made, close_method="")
    names.lookup("a")
    names.unbind("a")
    names.unbind("a")
    assert made.calls == ["close"]
    assert "a" not in names
