"""The example of messages."""

from __future__ import annotations

from catalina.tribes.examples import echo
from tests.support.ports import free_udp_port


def test_both_members_answer_and_the_failure_is_shown(capsys):
    assert echo.main(free_udp_port()) == [{"answer": 42}, {"answer": 42}]
    assert "did not get it" in capsys.readouterr().out
