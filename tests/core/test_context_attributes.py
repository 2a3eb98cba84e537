"""Attributes of <Context>; that all of Tomcat's are there with its defaults is in tests/test_declared_attributes.py."""

from __future__ import annotations

from catalina.core.context_attributes import ContextAttributes
from catalina.core.standard_context import StandardContext
from tests.support.tomcat_table import tomcat_classes


def test_a_context_has_them_under_tomcats_names() -> None:
    today = {
        name
        for name, attribute in tomcat_classes()["org.apache.catalina.core.StandardContext"].attributes.items()
        if not attribute.until
    }
    assert len(today) > 60
    assert today <= set(StandardContext.attributes())
    assert StandardContext().session_cookie_path_uses_trailing_slash is False


def test_the_older_places_of_resources_attributes_say_nothing_by_default() -> None:
    older = ("allow_linking", "caching_allowed", "cache_max_size", "cache_ttl")
    assert [ContextAttributes.declared[name].default for name in older] == [None] * len(older)
