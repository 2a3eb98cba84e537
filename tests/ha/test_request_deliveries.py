from __future__ import annotations

from catalina.ha.request_deliveries import note
from catalina.tribes.channel import Delivery
from tests.ha.support import collected


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
