from __future__ import annotations

from catalina.core.lifecycle_listener import LifecycleListener
from catalina.lifecycle import Lifecycle, LifecycleEvent


def test_a_listener_is_told_the_events_of_what_it_listens_to() -> None:
    class Recorder(LifecycleListener):
        def lifecycle_event(self, event: LifecycleEvent) -> None:
            seen.append(event.type)

    seen: list[str] = []
    component = Lifecycle()
    component.add_lifecycle_listener(Recorder())
    component.init()
    assert seen == ["before_init", "after_init"]
