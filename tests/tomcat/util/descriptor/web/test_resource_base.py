"""Attributes of the element, as Tomcat documents them."""

from catalina.digester.class_names import find_class
from catalina.tomcat.util.descriptor.web.resource_base import ResourceBase


def test_the_class_name_leads_here():
    assert find_class("org.apache.tomcat.util.descriptor.web.ResourceBase") is ResourceBase


def test_unknown_attributes_are_kept():
    base = ResourceBase()
    assert base.set_attribute("anything", "x")
    assert base.properties == {"anything": "x"}
