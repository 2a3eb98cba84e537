"""Texts of error pages."""

from __future__ import annotations

import pytest

from catalina.valves.status_texts import TEXTS, describe_status


@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, "Bad Request"), (404, "Not Found"), (413, "Payload Too Large"), (511, "Network Authentication Required")],
)
def test_statuses_have_reason_and_description(status: int, reason: str) -> None:
    found = describe_status(status)
    assert found is not None
    assert found[0] == reason
    assert found[1]


def test_a_status_that_nobody_describes_has_none() -> None:
    assert describe_status(418) is None
    assert describe_status(599) is None


def test_no_text_has_a_gap_or_a_break_in_it() -> None:
    assert [text for texts in TEXTS.values() for text in texts if "  " in text or "\n" in text] == []
