"""Attributes of the element, as Tomcat documents them."""

from catalina.digester.class_names import find_class
from catalina.tomcat.util.descriptor.web.context_resource import ContextResource


def test_the_class_name_leads_here():
    assert find_class("org.apache.tomcat.util.descriptor.web.ContextResource") is ContextResource


def test_the_factorys_attributes_are_kept():
    resource = ContextResource()
    for name, text in (("name", "jdbc/x"), ("singleton", "false"), ("maxTotal", "5"), ("closeMethod", "shut")):
        assert resource.set_attribute(name, text)
    assert (resource.name, resource.singleton, resource.close_method) == ("jdbc/x", False, "shut")
    assert resource.properties == {"maxTotal": "5"}
