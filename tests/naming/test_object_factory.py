"""The arguments of factories."""

import logging

from catalina.naming.object_factory import ResourceSpec, log_ignored
from catalina.place import Place


def test_a_resource_is_named_with_its_place_and_without_its_password():
    spec = ResourceSpec("jdbc/shop", "x", {"password": "secret"}, place=Place("server.xml", 7))
    assert str(spec) == "server.xml:7: Resource [jdbc/shop]"
    assert "secret" not in repr(spec)


def test_properties_without_effect_are_said_once(caplog):
    with caplog.at_level(logging.INFO):
        log_ignored(ResourceSpec("jdbc/shop", "x"), {"b", "a"})
        log_ignored(ResourceSpec("jdbc/shop", "x"), set())
    assert caplog.text.count("without effect in Python: a, b") == 1
