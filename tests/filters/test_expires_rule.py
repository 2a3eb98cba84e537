"""Rules of mod_expires."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.filters.expires_rule import ExpiresRule, parse_rule

NOW = datetime(2024, 1, 31, 12, 0, tzinfo=UTC)
THEN = datetime(2023, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expires"),
    [
        ("access plus 1 month", datetime(2024, 2, 29, 12, 0, tzinfo=UTC)),
        ("access plus 1 month 15 days 2 hours", datetime(2024, 3, 15, 14, 0, tzinfo=UTC)),
        ("now 1 year", datetime(2025, 1, 31, 12, 0, tzinfo=UTC)),
        ("modification plus 5 hours 3 minutes", datetime(2023, 6, 1, 5, 3, tzinfo=UTC)),
        ("A3600", datetime(2024, 1, 31, 13, 0, tzinfo=UTC)),
        ("M60", datetime(2023, 6, 1, 0, 1, tzinfo=UTC)),
        ("access plus 1 week 1 second", datetime(2024, 2, 7, 12, 0, 1, tzinfo=UTC)),
        ("access plus 99999 years", datetime(9999, 12, 31, 12, 0, tzinfo=UTC)),
    ],
)
def test_rules_move_the_time_as_a_calendar_does(text, expires):
    assert parse_rule(text).expires(NOW, THEN) == expires


def test_without_a_date_of_modification_it_is_now():
    assert parse_rule("M60").expires(NOW, None) == datetime(2024, 1, 31, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "later", "access", "access plus", "access plus x days", "access plus 1", "access plus 1 eon", "Ax"]
)
def test_what_is_no_rule_says_where(text):
    with pytest.raises(ValueError, match="expected"):
        parse_rule(text)


@given(st.text(alphabet="access plus modification 0123456789 days months years AM-", max_size=40))
def test_any_text_is_a_rule_or_the_documented_error(text):
    try:
        rule = parse_rule(text)
    except ValueError:
        return
    assert isinstance(rule, ExpiresRule)
    rule.expires(NOW, THEN)
