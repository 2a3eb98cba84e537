"""Attributes of the element, as Tomcat documents them."""

from catalina.digester.class_names import find_class
from catalina.tomcat.util.descriptor.web.application_parameter import ApplicationParameter


def test_the_class_name_leads_here():
    assert find_class("org.apache.tomcat.util.descriptor.web.ApplicationParameter") is ApplicationParameter


def test_web_xml_wins_unless_told_otherwise():
    assert ApplicationParameter(name="a", value="b").override
