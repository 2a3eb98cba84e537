from __future__ import annotations

from catalina.ha.request_deliveries import note, settle
from catalina.tribes.channel import Delivery
from tests.ha.support import collected
from tests.tribes.fakes import a_member


def test_what_is_noted_inside_is_collected() -> None:
    delivery = Delivery(1)
    with collected() as deliveries:
        note(delivery)
    assert deliveries == [delivery]


def test_what_is_done_needs_no_waiting() -> None:
    with collected() as deliveries:
        note(Delivery(0))
    assert deliveries == []


def test_outside_nobody_waits() -> None:
    with collected() as deliveries:
        pass
    note(Delivery(1))
    assert deliveries == []


def test_what_is_held_is_done_when_everything_it_waits_for_is() -> None:
    held, waited_for = [Delivery(1), Delivery(1)], [Delivery(1), Delivery(0), Delivery(1)]
    settle(held, waited_for)
    waited_for[0].succeeded()
    assert not any(each.done for each in held)
    waited_for[2].failed(a_member(2), OSError("no"))
    assert all(each.done for each in held)


def test_what_waits_for_nothing_is_done_at_once() -> None:
    held = Delivery(1)
    settle([held], [])
    assert held.done


def test_what_waits_for_one_thing_is_done_with_it_whatever_becomes_of_it() -> None:
    held, waited_for = [Delivery(1), Delivery(1)], Delivery(1)
    settle(held, [waited_for])
    assert not any(each.done for each in held)
    waited_for.failed(a_member(2), OSError("no"))
    assert all(each.done for each in held)
