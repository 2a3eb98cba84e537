from __future__ import annotations

from catalina.ha.backend.collected_info import CollectedInfo


def test_the_message_is_what_mod_heartmonitor_reads() -> None:
    assert CollectedInfo(ready=199, busy=1, port=8080).message() == "v=1&ready=199&busy=1&port=8080"
