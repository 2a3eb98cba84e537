from __future__ import annotations

from catalina.tribes.ledger.commands import Ask, Tell
from catalina.tribes.ledger.record import Record


def test_commands_are_values() -> None:
    record = Record("X")
    assert Ask("n2", "X.n1") == Ask("n2", "X.n1")
    assert Tell("n2", record) == Tell("n2", record)
