"""Attributes of the element, as Tomcat documents them."""

from catalina.digester.class_names import find_class
from catalina.tomcat.util.descriptor.web.context_environment import ContextEnvironment


def test_the_class_name_leads_here():
    assert find_class("org.apache.tomcat.util.descriptor.web.ContextEnvironment") is ContextEnvironment


def test_web_xml_wins_unless_told_otherwise():
    environment = ContextEnvironment()
    assert environment.override
    assert environment.set_attribute("override", "false")
    assert not environment.override
