"""Life of responses by content type."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.attributes import AttributeRefused
from catalina.errors import DeploymentError
from catalina.filters.expires_filter import ExpiresFilter, ExpiresRule, parse_rule
from tests.filters.middleware import CONTEXT, Stand, unreached

AT = 1_700_000_000  # Tue, 14 Nov 2023 22:13:20 GMT
RULES = {
    "ExpiresByType text/css": "access plus 1 hour",
    "ExpiresByType image": "access plus 1 day",
    "ExpiresByType text/html;charset=utf-8": "access plus 2 seconds",
    "ExpiresDefault": "access plus 1 minute",
}
NOW = datetime(2024, 1, 31, 12, 0, tzinfo=UTC)
THEN = datetime(2023, 6, 1, tzinfo=UTC)


def ask(content_type=None, rules=RULES, status="200 OK", method="GET", path="/x", **headers):
    made = ExpiresFilter()
    made.clock = lambda: AT
    for name, value in rules.items():
        assert made.set_attribute(name, value)
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    if content_type:
        fields.append(("Content-Type", content_type))
    return Stand(made, status, fields).ask(path, method)


@pytest.mark.parametrize(
    ("content_type", "seconds"),
    [("text/css", 3600), ("TEXT/CSS; charset=x", 3600), ("image/png", 86400), ("text/html;charset=utf-8", 2),
     ("text/html; charset=UTF-8", 2), ("text/html ;charset = utf-8", 2), ("text/html", 60), (None, 60)],
)  # fmt: skip
def test_the_most_exact_rule_counts(content_type, seconds):
    assert ask(content_type).get("Cache-Control") == f"max-age={seconds}"


def test_expires_is_the_date_of_the_same_moment():
    assert ask("text/css").get("Expires") == "Tue, 14 Nov 2023 23:13:20 GMT"


def test_modification_counts_from_the_last_change():
    rules = {"ExpiresDefault": "modification plus 1 hour"}
    reply = ask(rules=rules, Last_Modified="Tue, 14 Nov 2023 22:00:00 GMT")
    assert reply.get("Cache-Control") == f"max-age={3600 - 800}"
    assert ask(rules=rules, Last_Modified="nonsense").get("Cache-Control") == "max-age=3600"


def test_other_directives_stay():
    assert ask("text/css", Cache_Control="private").get("Cache-Control") == "private, max-age=3600"


@pytest.mark.parametrize(
    "arguments",
    [
        {"Cache_Control": "max-age=5"}, {"Cache_Control": "no-store"}, {"Expires": "0"}, {"method": "POST"},
        {"status": "304 Not Modified"}, {"rules": {}},
    ],
    ids=str,
)  # fmt: skip
def test_some_responses_are_left_alone(arguments):
    before = {name.replace("_", "-"): value for name, value in arguments.items() if name[0].isupper()}
    reply = ask("text/css", **arguments)
    assert {name: value for name, value in reply.headers if name != "Content-Type"} == before


def test_a_304_of_a_file_has_the_type_of_its_name():
    rules = {**RULES, "ExpiresExcludedResponseStatusCodes": "404"}
    assert ask(None, rules, "304 Not Modified", path="/a.css").get("Cache-Control") == "max-age=3600"


@pytest.mark.parametrize(
    ("name", "value"), [("ExpiresByType text/css", "later"), ("ExpiresDefault", "later"),
                        ("ExpiresExcludedResponseStatusCodes", "x")]
)  # fmt: skip
def test_a_wrong_rule_keeps_the_application_from_starting(name, value):
    made = ExpiresFilter()
    with pytest.raises(AttributeRefused):
        made.set_attribute(name, value)
    with pytest.raises(DeploymentError):
        made.start(unreached, CONTEXT)


def test_the_container_s_page_for_an_error_is_not_kept():
    assert ask(None, status="404 Not Found").get("Expires") is None
    assert ask("text/html", status="404 Not Found").get("Expires") is not None


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
