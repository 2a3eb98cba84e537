from __future__ import annotations

from catalina.ha.request_deliveries import CollectedDeliveries, note
from catalina.tribes.channel import Delivery


def test_what_is_noted_inside_is_collected() -> None:
    delivery = Delivery(1)
    with CollectedDeliveries() as deliveries:
        note(delivery)
    assert deliveries == [delivery]


def test_what_is_done_needs_no_waiting() -> None:
    with CollectedDeliveries() as deliveries:
        note(Delivery(0))
    assert deliveries == []


def test_outside_nobody_waits() -> None:
    with CollectedDeliveries() as deliveries:
        pass
    note(Delivery(1))
    assert deliveries == []


def test_an_inner_collection_keeps_its_own_also_after_a_failure() -> None:
    inner, outer = Delivery(1), Delivery(1)
    with CollectedDeliveries() as outside:
        try:
            with CollectedDeliveries() as inside:
                note(inner)
                raise ValueError
        except ValueError:
            note(outer)
    assert (inside, outside) == ([inner], [outer])
