from __future__ import annotations

from typing import Any

import pytest

from catalina.errors import ProtocolError
from catalina.ha.deploy.undeploy_message import UndeployMessage
from catalina.tribes.io.java import dumps
from tests.tribes.wire import cases

CASES = [case for case in cases("file_messages") if case["name"].startswith("Undeploy")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_captured_message_is_read_and_written_to_the_byte(case: dict[str, Any]) -> None:
    wire = bytes.fromhex(case["hex"])
    message = UndeployMessage.decode(wire)
    assert message.context_name == case["input"]["contextName"]
    assert message.timestamp_ms == case["input"]["timestamp"]
    assert (message.address is None) is (case["input"]["address"] is None)
    assert message.encode() == wire
    assert UndeployMessage.matches(wire)


def test_the_id_is_made_of_what_it_says() -> None:
    wire = UndeployMessage("/app", 1759613342760).encode()
    assert wire == bytes.fromhex(CASES[1]["hex"])


@pytest.mark.parametrize("data", [b"", dumps(1), dumps(["/app"]), bytes.fromhex(CASES[0]["hex"])[:-5]])
def test_other_messages_are_refused(data: bytes) -> None:
    assert UndeployMessage.matches(data) is (len(data) > 100)
    with pytest.raises(ProtocolError):
        UndeployMessage.decode(data)
