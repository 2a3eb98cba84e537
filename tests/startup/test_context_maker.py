"""Contexts from descriptors and names."""

from __future__ import annotations

import os

import pytest

from catalina.deploy.archive import read_archive
from catalina.errors import DeploymentError
from catalina.startup.context_maker import make_context, make_settings, name_context
from catalina.util.context_name import ContextName
from tests.deploy.archives import hello, make_wheel
from tests.startup.hosts import Base


@pytest.fixture
def host(tmp_path):
    return Base(tmp_path).host


def descriptor(tmp_path, text):
    (tmp_path / "a.xml").write_text(text)
    return str(tmp_path / "a.xml")


def test_attributes_of_the_root_element_are_set_with_properties_replaced(host, tmp_path):
    made = make_context(host, descriptor(tmp_path, '<Context docBase="${catalina.base}/x" reloadable="true"/>'))
    assert (made.doc_base, made.reloadable) == (f"{tmp_path}/x", True)
    assert str(made.config_file) == str(tmp_path / "a.xml")


def test_a_value_that_does_not_convert_leaves_the_default(host, tmp_path):
    assert make_context(host, descriptor(tmp_path, '<Context reloadable="perhaps"/>')).reloadable is False


@pytest.mark.parametrize(
    ("text", "says"),
    [("<Server/>", "a.xml:1: expected <Context> as the root element, got <Server>"), ("<Context", "a.xml:1"),
     ('<Context className="org.apache.catalina.core.StandardHost"/>', "is not the class of a context")],
)  # fmt: skip
def test_what_is_no_context_is_refused_with_the_place(host, tmp_path, text, says):
    with pytest.raises(DeploymentError) as error:
        make_context(host, descriptor(tmp_path, text))
    assert says in str(error.value)


def test_a_context_is_named_after_its_file(host):
    made = make_context(host, None)
    name_context(made, host, ContextName("/a", "2"), os.path.join(host.app_base_path, "a##2"), None)
    assert (made.name, made.path, made.web_app_version, made.doc_base) == ("/a##2", "/a", "2", "a##2")


def test_a_document_base_outside_stays_absolute(host):
    made = make_context(host, None)
    name_context(made, host, ContextName("/a"), "/srv/a", None)
    assert made.doc_base == "/srv/a"


def test_versions_of_wheels_are_ordered_as_such(host, tmp_path):
    keys = []
    for version in ("1.9", "1.10"):
        archive = read_archive(str(make_wheel(tmp_path / "w", "shop", version, {"shop.py": hello("x")})))
        made = make_context(host, None)
        name_context(made, host, archive.name, None, archive)
        keys.append(made.version_key)
    assert keys == sorted(keys)


@pytest.mark.parametrize("version", ["", "blue"])
def test_a_wheel_that_a_descriptor_gives_another_name_has_the_descriptors_version(host, tmp_path, version):
    wheel = make_wheel(tmp_path, "shop", "1.0", {"shop.py": hello("x")})
    made = make_context(host, None)
    name_context(made, host, ContextName("/other", version), str(tmp_path / "x"), read_archive(str(wheel)))
    assert (made.path, made.version_key) == ("/other", version)


def test_defaults_of_the_host_stand_below_the_attributes_of_a_descriptor(host, tmp_path):
    (tmp_path / "conf" / "context.xml").write_text('<Context isolation="process" workers="2" maxRequests="7"/>')
    (tmp_path / "conf" / "Catalina" / "localhost").mkdir(parents=True)
    (tmp_path / "conf" / "Catalina" / "localhost" / "context.xml.default").write_text('<Context workers="3"/>')
    found = make_settings(host, descriptor(tmp_path, '<Context maxRequests="9"/>'))
    assert (found.isolation, found.workers, found.max_requests) == ("process", 3, 9)
    assert make_settings(host, None).isolation == "process"
    assert make_settings(host, descriptor(tmp_path, '<Context override="true"/>')).isolation == "auto"
    (tmp_path / "conf" / "context.xml").write_text("<Context")
    assert make_settings(host, None).workers == 3, "ContextConfig says what is wrong with the other file"
