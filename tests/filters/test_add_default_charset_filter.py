"""The charset of responses."""

import pytest

from catalina.attributes import AttributeRefused
from catalina.filters.add_default_charset_filter import AddDefaultCharsetFilter
from tests.filters.middleware import Stand, configured


@pytest.mark.parametrize(
    ("parameters", "sent", "got"),
    [
        ({}, "text/html", "text/html;charset=ISO-8859-1"),
        ({"encoding": "default"}, "text/html", "text/html;charset=ISO-8859-1"),
        ({"encoding": "UTF-8"}, "text/html", "text/html;charset=UTF-8"),
        ({}, "text/html;charset=x", "text/html;charset=x"),
        ({}, "image/png", "image/png"),
    ],
)
def test_text_gets_a_charset(parameters, sent, got):
    stand = Stand(configured(AddDefaultCharsetFilter(), **parameters), headers=[("Content-Type", sent)])
    assert stand.ask().get("Content-Type") == got


def test_a_response_without_type_has_none():
    assert Stand(AddDefaultCharsetFilter()).ask().get("Content-Type") is None


def test_the_systems_charset_is_one():
    assert configured(AddDefaultCharsetFilter(), encoding="system").encoding


def test_an_unknown_charset_is_refused():
    with pytest.raises(AttributeRefused):
        AddDefaultCharsetFilter().set_attribute("encoding", "klingon")
