"""Access log lines as JSON."""

import json

from hypothesis import given
from hypothesis import strategies as st

from catalina.valves.json_access_log_valve import JsonAccessLogValve
from tests.support.narrowing import there
from tests.valves.exchange import make_request


def line(pattern, **arguments):
    valve = JsonAccessLogValve(pattern=pattern, rotatable=False)
    write = there(valve._compile(pattern))
    request, response = make_request(**arguments)
    return write(request, response, 1_500_000_000)


def test_codes_become_members_and_literals_vanish():
    assert json.loads(line('%h [%s] "%m" %T %{ms}T')) == {
        "host": "192.0.2.1", "statusCode": "200", "method": "GET", "elapsedTimeS": "1", "elapsedTimeS-ms": "1500",
    }  # fmt: skip


def test_named_values_are_collected_in_objects():
    text = line("%{User-Agent}i %m %{Accept}i %{c}c", headers=[("User-Agent", "x"), ("Cookie", "c=1")])
    assert json.loads(text) == {
        "method": "GET", "cookies": {"c": "1"}, "requestHeaders": {"User-Agent": "x", "Accept": "-"},
    }  # fmt: skip


def test_the_line_has_tomcats_form():
    assert line("%m %{a}r") == '{"method":"GET","requestAttributes": {"a":"-"}}'


def test_a_pattern_without_codes_is_an_empty_object():
    assert line("nothing %%") == "{}"


@given(st.text(alphabet=st.characters(min_codepoint=0, max_codepoint=255)))
def test_whatever_a_client_sends_the_line_is_json(value):
    text = line("%{X-Any}i", headers=[("X-Any", value)])
    assert json.loads(text)["requestHeaders"]["X-Any"] in (value, "-")
