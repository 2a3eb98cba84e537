"""Conditions of a request as a table; the answers are those of the real Tomcat."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.servlets.conditions import BadConditionError, check_conditions, if_range_matches

TAG = 'W/"6-1748779200000"'
MTIME = 1_748_779_200_123  # Sun, 01 Jun 2025 12:00:00 GMT and a bit
DATE, LATER, EARLIER = (
    "Sun, 01 Jun 2025 12:00:00 GMT",
    "Tue, 01 Dec 2037 12:00:00 GMT",
    "Wed, 01 Jan 2020 12:00:00 GMT",
)


@pytest.mark.parametrize(
    ("method", "fields", "status"),
    [
        ("GET", {}, None),
        ("GET", {"IF_NONE_MATCH": TAG}, 304),
        ("GET", {"IF_NONE_MATCH": '"6-1748779200000"'}, 304),
        ("GET", {"IF_NONE_MATCH": "*"}, 304),
        ("GET", {"IF_NONE_MATCH": '"x"'}, None),
        ("GET", {"IF_NONE_MATCH": f'"x", {TAG}'}, 304),
        ("HEAD", {"IF_NONE_MATCH": TAG}, 304),
        ("POST", {"IF_NONE_MATCH": TAG}, 412),
        ("GET", {"IF_MATCH": TAG}, 412),
        ("GET", {"IF_MATCH": "*"}, None),
        ("GET", {"IF_MATCH": '"x"'}, 412),
        ("GET", {"IF_MODIFIED_SINCE": DATE}, 304),
        ("GET", {"IF_MODIFIED_SINCE": LATER}, 304),
        ("GET", {"IF_MODIFIED_SINCE": EARLIER}, None),
        ("GET", {"IF_MODIFIED_SINCE": "garbage"}, None),
        ("POST", {"IF_MODIFIED_SINCE": LATER}, None),
        ("GET", {"IF_UNMODIFIED_SINCE": DATE}, None),
        ("GET", {"IF_UNMODIFIED_SINCE": EARLIER}, 412),
        ("GET", {"IF_UNMODIFIED_SINCE": "garbage"}, None),
        ("GET", {"IF_NONE_MATCH": '"x"', "IF_MODIFIED_SINCE": LATER}, None),
        ("GET", {"IF_NONE_MATCH": TAG, "IF_MODIFIED_SINCE": EARLIER}, 304),
        ("GET", {"IF_MATCH": "*", "IF_UNMODIFIED_SINCE": EARLIER}, None),
    ],
)
def test_what_a_condition_gives(method: str, fields: dict[str, str], status: int | None) -> None:
    environ = {"REQUEST_METHOD": method, **{f"HTTP_{name}": value for name, value in fields.items()}}
    assert check_conditions(environ, TAG, MTIME) == status


def test_a_strong_tag_matches_strongly() -> None:
    environ = {"REQUEST_METHOD": "GET", "HTTP_IF_MATCH": '"abc"'}
    assert check_conditions(environ, '"abc"', MTIME) is None


@pytest.mark.parametrize(
    "field",
    ["garbage", "", " ", '"x', 'x"', '"x" "y"', 'w/"x"', '*, "x"', '"x", *', '"x",', ',"x"', '"x",,"y"', "*,*", '"\\'],
)
def test_a_malformed_tag_is_an_error(field: str) -> None:
    with pytest.raises(BadConditionError):
        check_conditions({"REQUEST_METHOD": "GET", "HTTP_IF_NONE_MATCH": field}, TAG, MTIME)


@given(st.text(max_size=40))
def test_any_text_gives_a_status_or_the_documented_error(field: str) -> None:
    for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"):
        try:
            assert check_conditions({"REQUEST_METHOD": "GET", name: field}, TAG, MTIME) in (None, 304, 412)
        except BadConditionError:
            assert "MATCH" in name


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, None), ({"IF_MATCH": "*"}, 412), ({"IF_MATCH": '"x"'}, 412), ({"IF_NONE_MATCH": "*"}, None),
        ({"IF_NONE_MATCH": '"x"'}, None), ({"IF_MODIFIED_SINCE": LATER}, None),
        ({"IF_UNMODIFIED_SINCE": EARLIER}, None),
    ],
)  # fmt: skip
def test_no_tag_matches_what_does_not_exist(method: str, fields: dict[str, str], status: int | None) -> None:
    environ = {"REQUEST_METHOD": method, **{f"HTTP_{name}": value for name, value in fields.items()}}
    assert check_conditions(environ, None, 0) == status


@pytest.mark.parametrize(
    "field",
    [f"{DATE},{DATE}", "Sun, 01 Jun 9880198801 12:00:00 GMT", "9880198801", "Sun, 99 Jun 2025 12:00:00 GMT", "", "0"],
)
@pytest.mark.parametrize("name", ["HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"])
def test_what_is_not_one_date_does_not_count(name: str, field: str) -> None:
    assert check_conditions({"REQUEST_METHOD": "GET", name: field}, TAG, MTIME) is None


@pytest.mark.parametrize(
    "field", ["Sun, 01 Jun 2025 12:00:00 GMT", "Sunday, 01-Jun-25 12:00:00 GMT", "Sun Jun  1 12:00:00 2025"]
)
def test_the_three_forms_of_a_date(field: str) -> None:
    assert check_conditions({"REQUEST_METHOD": "GET", "HTTP_IF_MODIFIED_SINCE": field}, TAG, MTIME) == 304


@pytest.mark.parametrize(
    ("field", "etag", "counts"),
    [
        (None, TAG, True),
        (TAG, TAG, False),
        ('"abc"', '"abc"', True),
        ('"x"', '"abc"', False),
        (DATE, TAG, True),
        (LATER, TAG, False),
    ],
)
def test_if_range_names_exactly_this_state(field: str | None, etag: str, counts: bool) -> None:
    assert if_range_matches(field, etag, MTIME) is counts


def test_an_if_range_that_is_neither_tag_nor_date_is_an_error() -> None:
    for field in ("garbage", '"a", "b"', '"a', 'W/"a', "", f"{DATE},{DATE}"):
        with pytest.raises(BadConditionError):
            if_range_matches(field, TAG, MTIME)


@pytest.mark.parametrize("field", [" " * 300_000, "W/" + " " * 300_000, '"x"' + " " * 300_000 + "x"])
def test_long_blanks_cost_no_more_than_their_length(field: str) -> None:
    """A pattern that tries every way to share them out would take half an hour for this."""
    with pytest.raises(BadConditionError):
        check_conditions({"REQUEST_METHOD": "GET", "HTTP_IF_MATCH": field}, TAG, MTIME)
