"""The charset of bodies."""

import pytest

from catalina.filters.set_character_encoding_filter import SetCharacterEncodingFilter
from tests.filters.middleware import Stand, configured
from tests.support.narrowing import there


@pytest.mark.parametrize(
    ("parameters", "sent", "seen"),
    [
        ({"encoding": "UTF-8"}, "text/plain", "text/plain; charset=UTF-8"),
        ({"encoding": "UTF-8"}, "text/plain; charset=x", "text/plain; charset=x"),
        ({"encoding": "UTF-8", "ignore": "true"}, 'text/plain;charset="x"; a=b', "text/plain; a=b; charset=UTF-8"),
        ({}, "text/plain", "text/plain"),
        ({"encoding": "UTF-8"}, "", ""),
    ],
)
def test_a_missing_charset_is_named(parameters, sent, seen):
    stand = Stand(configured(SetCharacterEncodingFilter(), **parameters))
    assert there(stand.ask(CONTENT_TYPE=sent).seen)["CONTENT_TYPE"] == seen
