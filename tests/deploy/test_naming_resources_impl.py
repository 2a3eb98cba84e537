"""The resources of a server or an application."""

import logging

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_server import StandardServer
from catalina.deploy.naming_resources_impl import NamingResourcesImpl
from catalina.errors import NamingError
from catalina.loader.webapp_loader import WebappLoader
from catalina.tomcat.util.descriptor.web.context_environment import ContextEnvironment
from catalina.tomcat.util.descriptor.web.context_resource import ContextResource
from catalina.tomcat.util.descriptor.web.context_resource_link import ContextResourceLink
from tests.support.stand_in import stand_in


def value(name, text):
    return ContextEnvironment(name=name, value=text)


def started(*entries, container=None):
    resources = NamingResourcesImpl()
    resources.container = container
    for entry in entries:
        resources.add(entry)
    resources.start()
    return resources


def test_names_are_bound_while_it_runs():
    resources = started(value("a", "x"))
    assert resources.lookup("a") == "x"
    resources.stop()
    with pytest.raises(NamingError):
        resources.lookup("a")


def test_an_entry_can_be_added_while_it_runs():
    resources = started()
    resources.add(value("a", "x"))
    assert resources.lookup("a") == "x"


def test_the_later_of_two_entries_with_one_name_counts(caplog):
    with caplog.at_level(logging.WARNING):
        resources = started(value("a", "1"), value("a", "2"))
    assert resources.lookup("a") == "2"
    assert "the name [a] is there already" in caplog.text


def test_a_wrong_entry_costs_its_own_name_only(caplog):
    wrong = ContextEnvironment(name="wrong", type="java.lang.Integer", value="x")
    resources = started(wrong, value("a", "x"))
    assert resources.lookup("a") == "x"
    assert "Environment entry [wrong]" in caplog.text


def test_an_applications_links_lead_to_the_servers_resources(tmp_path):
    server = stand_in(StandardServer, catalina_base=tmp_path, properties={}, global_naming_resources=None)
    server.global_naming_resources = started(value("all", "shared"), container=server)
    context = stand_in(StandardContext, server=server, loader=stand_in(WebappLoader, load=None))
    own = started(ContextResourceLink(name="own", global_name="all"), container=context)
    assert own.lookup("own") == "shared"


def test_files_are_found_below_catalina_base(tmp_path):
    (tmp_path / "u.xml").write_text('<tomcat-users><user username="bob" password="${pw}"/></tomcat-users>')
    server = stand_in(StandardServer, catalina_base=tmp_path, properties={"pw": "secret"}, global_naming_resources=None)
    entry = ContextResource(name="UserDatabase", type="org.apache.catalina.UserDatabase")
    entry.set_attribute("pathname", "u.xml")
    resources = started(entry, container=server)
    assert resources.lookup("UserDatabase").find_user("bob").password == "secret"


def test_the_elements_of_server_xml_arrive_here():
    assert set(NamingResourcesImpl.child_elements()) == {
        "Environment", "Resource", "ResourceEnvRef", "ResourceLink", "Transaction",
    }  # fmt: skip
