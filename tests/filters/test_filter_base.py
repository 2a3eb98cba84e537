"""The common part of filters."""

import pytest

from catalina.attributes import AttributeRefused
from catalina.errors import DeploymentError
from catalina.filters.filter_base import FilterBase, add_vary, header, set_header
from catalina.filters.remote_cidr_filter import RemoteCIDRFilter
from catalina.filters.set_character_encoding_filter import SetCharacterEncodingFilter
from tests.filters.middleware import CONTEXT, Stand, unreached


def test_a_wrong_parameter_of_a_guarding_filter_keeps_the_application_from_starting():
    guarding = RemoteCIDRFilter()
    with pytest.raises(AttributeRefused):
        guarding.set_attribute("deny", "nonsense")
    with pytest.raises(DeploymentError, match="deny='nonsense'"):
        guarding.start(unreached, CONTEXT)
    guarding = RemoteCIDRFilter()
    assert not guarding.set_attribute("denny", "10.0.0.0/8")
    with pytest.raises(DeploymentError, match="denny"):
        guarding.start(unreached, CONTEXT)


def test_a_wrong_parameter_of_another_filter_does_not():
    harmless = SetCharacterEncodingFilter()
    harmless.set_attribute("unknown", "x")
    assert Stand(harmless).ask().status == 200


def test_the_path_is_that_inside_the_application():
    harmless = SetCharacterEncodingFilter()
    harmless.start(unreached, CONTEXT)
    assert harmless.path_of({"SCRIPT_NAME": "/shop/api", "PATH_INFO": "/\u00c3\u00a4"}) == "/api/\u00e4"


def test_a_filter_says_what_it_does():
    with pytest.raises(NotImplementedError):
        FilterBase()({}, unreached)


def test_fields_are_found_and_set_in_any_case():
    headers = [("content-type", "a"), ("Content-Type", "b")]
    assert header(headers, "Content-TYPE") == "a"
    set_header(headers, "Content-Type", "c")
    assert headers == [("Content-Type", "c")]


@pytest.mark.parametrize(
    ("before", "after"), [([], "Origin"), (["Accept"], "accept,Origin"), (["*"], "*"), (["origin, X"], "origin, X")]
)
def test_vary_names_a_field_once(before, after):
    headers = [("Vary", value) for value in before]
    add_vary(headers, "Origin")
    assert [value for _, value in headers] == [after]
