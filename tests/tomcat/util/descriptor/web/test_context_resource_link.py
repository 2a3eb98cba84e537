"""Attributes of the element, as Tomcat documents them."""

from catalina.digester.class_names import find_class
from catalina.tomcat.util.descriptor.web.context_resource_link import ContextResourceLink


def test_the_class_name_leads_here():
    assert find_class("org.apache.tomcat.util.descriptor.web.ContextResourceLink") is ContextResourceLink


def test_global_is_the_name_in_the_xml():
    link = ContextResourceLink()
    assert link.set_attribute("global", "jdbc/all")
    assert link.global_name == "jdbc/all"
    assert link.factory == "org.apache.naming.factory.ResourceLinkFactory"
