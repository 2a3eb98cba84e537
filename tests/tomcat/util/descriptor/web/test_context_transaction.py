"""Attributes of the element, as Tomcat documents them."""

from catalina.digester.class_names import find_class
from catalina.tomcat.util.descriptor.web.context_transaction import ContextTransaction


def test_the_class_name_leads_here():
    assert find_class("org.apache.tomcat.util.descriptor.web.ContextTransaction") is ContextTransaction


def test_the_factorys_attributes_are_kept():
    transaction = ContextTransaction()
    assert transaction.set_attribute("factory", "shop.tx:make")
    assert transaction.set_attribute("timeout", "5")
    assert transaction.properties == {"timeout": "5"}
