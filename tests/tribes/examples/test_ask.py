"""The example of RPC."""

from __future__ import annotations

from catalina.tribes.examples import ask
from tests.support.ports import free_udp_port


def test_all_answers_come_or_one():
    total, first = ask.main(free_udp_port())
    assert total == 7
    assert first >= 1
