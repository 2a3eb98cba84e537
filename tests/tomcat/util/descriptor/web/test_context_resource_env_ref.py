"""Attributes of the element, as Tomcat documents them."""

from catalina.digester.class_names import find_class
from catalina.tomcat.util.descriptor.web.context_resource_env_ref import ContextResourceEnvRef


def test_the_class_name_leads_here():
    assert find_class("org.apache.tomcat.util.descriptor.web.ContextResourceEnvRef") is ContextResourceEnvRef


def test_it_is_a_resource_that_web_xml_may_replace():
    assert ContextResourceEnvRef(name="a").override
