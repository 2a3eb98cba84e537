"""Requests of the manager."""

from __future__ import annotations

import pytest

from catalina.manager.asked import Asked, Refused, context_name, html_escaped


def asked(query: str) -> Asked:
    return Asked({"REQUEST_METHOD": "GET", "PATH_INFO": "/list", "QUERY_STRING": query, "REMOTE_ADDR": "::1"}, "door")


def test_the_first_value_of_a_parameter_counts():
    assert asked("path=/a&path=/b")["path"] == "/a"
    assert asked("")["path"] is None


@pytest.mark.parametrize(("path", "name"), [("/", "/"), ("", "/"), ("/ROOT", "/"), ("/a/b", "/a/b")])
def test_paths_name_applications(path, name):
    assert context_name(path).display_name == name


@pytest.mark.parametrize(
    ("path", "shown"), [(None, "null"), ("del", "del"), ("/a#b", "&#47;a#b"), ("/../x", "&#47;..&#47;x")]
)
def test_other_texts_are_none(path, shown):
    with pytest.raises(Refused) as refused:
        context_name(path)
    assert str(refused.value) == f"Invalid context path [{shown}] was specified"


def test_names_are_escaped_as_tomcat_does():
    assert html_escaped("/a<b>'\"&") == "&#47;a&lt;b&gt;&#39;&quot;&amp;"


def test_more_parameters_than_anybody_needs_are_refused():
    with pytest.raises(Refused, match="More than 1000 parameters"):
        asked("a=1&" * 1001)
