from __future__ import annotations

import threading

from catalina.mbeans.notification_hub import DELEGATE, NotificationHub
from catalina.mbeans.object_name import ObjectName

A, B = ObjectName("d", {"a": "1"}), ObjectName("d", {"b": "1"})


def test_what_comes_and_goes_is_told_from_the_first_watch_on() -> None:
    names = {A}
    hub = NotificationHub(lambda: names)
    hub.look()
    hub.watch()
    names = {B}
    hub.look()
    _, following, found = hub.fetch(0, 10, 0)
    assert [(one.type, one.bean, one.source) for one in found] == [
        ("JMX.mbean.unregistered", A, DELEGATE), ("JMX.mbean.registered", B, DELEGATE)
    ]  # fmt: skip
    assert following == 2


def test_who_waits_is_woken() -> None:
    hub = NotificationHub(list)
    got: list[str] = []
    waiter = threading.Thread(target=lambda: got.extend(one.message for one in hub.fetch(0, 10, 30)[2]))
    waiter.start()
    hub.send("x", A, "hello")
    waiter.join(10)
    assert got == ["hello"]


def test_only_the_newest_are_kept_and_the_loss_shows() -> None:
    hub = NotificationHub(list, capacity=2)
    for number in range(5):
        hub.send("x", A, str(number))
    earliest, following, found = hub.fetch(0, 10, 0)
    assert (earliest, following, [one.message for one in found]) == (3, 5, ["3", "4"])


def test_a_part_can_be_fetched_and_then_the_rest() -> None:
    hub = NotificationHub(list)
    for number in range(5):
        hub.send("x", A if number % 2 else B, str(number))
    _, following, found = hub.fetch(0, 1, 0, lambda one: one.source == A)
    assert (following, [one.message for one in found]) == (2, ["1"])
    assert [one.message for one in hub.fetch(following, 10, 0, lambda one: one.source == A)[2]] == ["3"]


def test_a_first_fetch_only_tells_where_to_go_on() -> None:
    hub = NotificationHub(list)
    hub.send("x", A, "old")
    assert hub.fetch(-1, 10, 30) == (0, 1, [])
