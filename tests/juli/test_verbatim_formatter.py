from __future__ import annotations

from catalina.juli.verbatim_formatter import VerbatimFormatter
from tests.juli.records import failed


def test_only_the_message_is_written() -> None:
    assert VerbatimFormatter().format(failed()) == "boom"
