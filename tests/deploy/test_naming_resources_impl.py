"""The resources of a server or an application."""

import logging

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_host import StandardHost
from catalina.core.standard_server import StandardServer
from catalina.deploy.naming_resources_impl import NamingResourcesImpl
from catalina.errors import NamingError
from catalina.loader.webapp_loader import WebappLoader
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.values import NotOfType
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


def invoke(resources, name, *arguments):
    bean = ManagedBean(resources)
    return bean.invoke(bean.operation(name, len(arguments)), arguments)


def test_values_come_and_go_at_run_time():
    resources = started(value("a", "x"))
    name = invoke(resources, "addEnvironment", "limit", "java.lang.Integer", "7")
    assert name == 'Catalina:type=Environment,resourcetype=Global,name="limit"'
    assert resources.lookup("limit") == 7
    assert ManagedBean(resources).get("environments") == [
        'Catalina:type=Environment,resourcetype=Global,name="a"', name
    ]  # fmt: skip
    invoke(resources, "removeEnvironment", "limit")
    with pytest.raises(NamingError):
        resources.lookup("limit")


@pytest.mark.parametrize(
    ("operation", "arguments", "words"),
    [
        ("addEnvironment", ("a", "java.lang.String", "y"), "already exists"),
        ("addEnvironment", ("n", "java.lang.Integer", "many"), "is no java.lang.Integer"),
        ("addResource", ("a", "javax.sql.DataSource"), "already exists"),
        ("addResource", ("r", "org.apache.catalina.UserDatabase"), "Invalid resource type"),
        ("addResourceLink", ("", "java.lang.String"), "Invalid resource link name"),
        ("removeEnvironment", ("none",), "Invalid environment name 'none'"),
        ("removeResource", ("a",), "Invalid resource name 'a'"),
        ("removeResourceLink", ("a",), "Invalid resource link name 'a'"),
    ],
)
def test_what_cannot_be_added_or_removed_changes_nothing(operation, arguments, words):
    resources = started(value("a", "x"))
    with pytest.raises(ValueError, match=words):
        invoke(resources, operation, *arguments)
    assert [entry.name for entry in resources.entries] == ["a"]
    assert resources.lookup("a") == "x"


def test_a_value_that_is_set_is_found_at_the_next_look_up():
    entry = ContextEnvironment(name="limit", type="java.lang.Integer", value="7")
    resources = started(entry)
    bean = ManagedBean(entry)
    bean.set("value", "8")
    assert resources.lookup("limit") == 8
    with pytest.raises(NotOfType, match="what can be bound"):
        bean.set("value", "many")
    assert (resources.lookup("limit"), entry.value) == (8, "8")
    bean.set("name", "most")
    assert resources.lookup("most") == 8
    with pytest.raises(NamingError):
        resources.lookup("limit")


def test_a_resource_gets_its_properties_at_run_time(tmp_path):
    pytest.importorskip("sqlalchemy")
    resources = started()
    invoke(resources, "addResource", "jdbc/shop", "javax.sql.DataSource")
    (entry,) = resources.entries
    bean = ManagedBean(entry)
    bean.set("url", f"jdbc:sqlite:{tmp_path / 'shop.db'}")
    assert bean.get("url").startswith("jdbc:sqlite:")
    with resources.lookup("jdbc/shop").connect() as connection:
        assert connection.exec_driver_sql("select 1").scalar() == 1
    first = resources.lookup("jdbc/shop")
    bean.set("maxTotal", "3")
    assert resources.lookup("jdbc/shop") is not first
    bean.set("password", "geheim")
    assert bean.get("password") == "***"
    invoke(resources, "removeResource", "jdbc/shop")
    assert resources.entries == []


@pytest.mark.parametrize("name", ["factory", "closeMethod"])
def test_no_code_is_named_at_run_time(name):
    resources = started()
    invoke(resources, "addResource", "jdbc/shop", "javax.sql.DataSource")
    with pytest.raises(NotOfType, match="names code"):
        ManagedBean(resources.entries[0]).set(name, "os.system")


def test_a_configured_resource_of_another_type_stays_as_it_is_configured():
    entry = ContextResource(name="users", type="org.apache.catalina.UserDatabase")
    started(entry)
    for name, text in (("pathname", "/etc/passwd"), ("type", "javax.sql.Other")):
        with pytest.raises(NotOfType, match="others are configured"):
            ManagedBean(entry).set(name, text)
    ManagedBean(entry).set("description", "Who may log in.")
    assert entry.description == "Who may log in."


def test_a_link_leads_where_its_bean_says(tmp_path):
    server = stand_in(StandardServer, catalina_base=tmp_path, properties={}, global_naming_resources=None)
    server.global_naming_resources = started(value("a", "x"), value("b", "y"), container=server)
    resources = started(container=stand_in(StandardContext, server=server, loader=None, name="/shop",
                                           host=stand_in(StandardHost, name="localhost")))  # fmt: skip
    name = invoke(resources, "addResourceLink", "mine", "java.lang.String")
    assert name == 'Catalina:type=ResourceLink,resourcetype=Context,host=localhost,context=/shop,name="mine"'
    bean = ManagedBean(resources.entries[0])
    bean.set("global", "a")
    assert resources.lookup("mine") == "x"
    bean.set("global", "b")
    assert resources.lookup("mine") == "y"
