"""Patterns cut into codes, and lines compiled from them."""

from hypothesis import given
from hypothesis import strategies as st

from catalina.valves.access_log_pattern import ALIASES, Code, compile_line, parse_pattern
from tests.valves.exchange import make_request


def test_codes_names_and_literals_are_told_apart():
    assert parse_pattern('%h "%{User-Agent}i"%%') == [
        Code("h", None), ' "', Code("i", "User-Agent"), '"', Code("%", None),
    ]  # fmt: skip


def test_a_brace_that_never_closes_is_a_code_of_its_own():
    assert parse_pattern("%{User") == [Code("{", None), "User"]
    assert parse_pattern("%{User}") == [Code("{", None), "User}"]


def test_a_percent_sign_at_the_end_vanishes():
    assert parse_pattern("x%") == ["x"]


def test_combined_is_common_with_referer_and_user_agent():
    assert ALIASES["combined"] == ALIASES["common"] + ' "%{Referer}i" "%{User-Agent}i"'


def test_a_compiled_line_keeps_percent_signs_of_literals():
    request, response = make_request()
    line = compile_line(["100% ", lambda _request, _response, time_ns: str(time_ns), "%s"])
    assert line(request, response, 7) == "100% 7%s"


@given(st.text(alphabet='%{}abr "-', max_size=30))
def test_every_text_is_a_pattern(pattern):
    for part in parse_pattern(pattern):
        assert isinstance(part, str | Code)
