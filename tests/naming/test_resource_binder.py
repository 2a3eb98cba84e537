"""Elements become names."""

import pytest
from sqlalchemy import create_engine

from catalina.errors import NamingError
from catalina.naming.naming_context import NamingContext
from catalina.naming.resource_binder import ResourceBinder, environment_value
from catalina.tomcat.util.descriptor.web.context_environment import ContextEnvironment
from catalina.tomcat.util.descriptor.web.context_resource import ContextResource
from catalina.tomcat.util.descriptor.web.context_resource_link import ContextResourceLink
from catalina.tomcat.util.descriptor.web.context_transaction import ContextTransaction
from catalina.users.memory_user_database import MemoryUserDatabase
from tests.support.narrowing import there


def bind(*entries, **values):
    names = NamingContext()
    binder = ResourceBinder(names, **values)
    for entry in entries:
        binder.bind(entry)
    return names


def resource(name="x", java_type="", **attributes):
    entry = ContextResource(name=name, type=java_type)
    for key, text in attributes.items():
        entry.set_attribute(key, text)
    return entry


def make_pair(one="", two=""):
    """A factory of the operator's."""
    return (one, two)


def fail():
    """Another one."""
    raise RuntimeError("no connection")


class Factory:
    """A factory class of the operator's."""

    def get_object(self, spec):
        return f"{spec.name}:{spec.properties['a']}"


def test_an_environment_entry_is_its_value():
    names = bind(ContextEnvironment(name="limit", type="java.lang.Integer", value="7"))
    assert names.lookup("java:comp/env/limit") == 7


def test_an_environment_entry_without_value_is_not_bound():
    assert bind(ContextEnvironment(name="limit", type="java.lang.Integer")).names == ()


def test_an_environment_entry_can_be_another_name():
    names = bind(ContextEnvironment(name="a", value="x"), ContextEnvironment(name="b", lookup_name="java:comp/env/a"))
    assert names.lookup("b") == "x"


def test_a_wrong_value_is_said_when_it_is_bound():
    with pytest.raises(NamingError, match="limit"):
        bind(ContextEnvironment(name="limit", type="java.lang.Integer", value="x"))


@pytest.mark.parametrize("entry", [ContextResource(), ContextEnvironment(), ContextResourceLink(global_name="x")])
def test_an_element_without_a_name_is_refused(entry):
    with pytest.raises(NamingError, match="needs the attribute name"):
        bind(entry)


@pytest.mark.parametrize(
    ("java_type", "factory"),
    [
        ("javax.sql.DataSource", None),
        ("javax.sql.DataSource", "org.apache.tomcat.jdbc.pool.DataSourceFactory"),
        ("javax.sql.DataSource", "org.apache.commons.dbcp.BasicDataSourceFactory"),
        ("javax.sql.DataSource", "com.zaxxer.hikari.HikariJNDIFactory"),
        ("org.apache.tomcat.jdbc.pool.DataSource", None),
    ],
)
def test_a_data_source_is_an_engine_whatever_pool_is_named(tmp_path, java_type, factory):
    url = f"jdbc:sqlite:{tmp_path}/x.db"
    attributes = {"url": url, "jdbcUrl": url, **({"factory": factory} if factory else {})}
    names = bind(resource("jdbc/x", java_type, **attributes))
    assert str(names.lookup("jdbc/x").url).endswith("x.db")
    names.close()


def test_a_user_database_is_found_by_its_type(tmp_path):
    (tmp_path / "u.xml").write_text('<tomcat-users><user username="bob" password="${pw}"/></tomcat-users>')
    names = bind(
        resource("UserDatabase", "org.apache.catalina.UserDatabase", pathname="u.xml"),
        base=tmp_path, substitutions={"pw": "secret"},
    )  # fmt: skip
    database = names.lookup("UserDatabase")
    assert isinstance(database, MemoryUserDatabase)
    assert there(database.find_user("bob")).password == "secret"


def test_a_function_of_the_operators_gets_the_attributes():
    for factory in (f"{__name__}:make_pair", f"{__name__}.make_pair"):
        assert bind(resource("x", "", factory=factory, one="1", two="2")).lookup("x") == ("1", "2")


def test_a_class_of_the_operators_is_asked_for_the_object():
    assert bind(resource("x", "", factory=f"{__name__}.Factory", a="1")).lookup("x") == "x:1"


def test_an_application_finds_factories_in_its_own_modules():
    names = bind(resource("x", "", factory="own.factory"), load=lambda name: lambda: name)
    assert names.lookup("x") == "own.factory"


@pytest.mark.parametrize(
    ("java_type", "attributes", "text"),
    [
        ("com.example.Thing", {}, "no factory makes a com.example.Thing"),
        ("", {}, "resource without type"),
        ("x", {"factory": "com.example.Factory"}, "there is no factory com.example.Factory"),
        ("x", {"factory": "no.such.module"}, "there is no factory no.such.module"),
        ("x", {"factory": f"{__name__}:__doc__"}, "cannot be called"),
        ("x", {"factory": f"{__name__}:fail"}, "the factory failed: no connection"),
        ("x", {"factory": f"{__name__}:make_pair", "unknown": "1"}, "the factory failed"),
    ],
)
def test_a_resource_that_cannot_be_made_says_why_when_it_is_looked_up(java_type, attributes, text):
    names = bind(resource("x", java_type, **attributes))
    with pytest.raises(NamingError, match=text):
        names.lookup("x")


def test_a_resource_can_be_another_name():
    entry = resource("b")
    entry.lookup_name = "a"
    assert bind(ContextEnvironment(name="a", value="x"), entry).lookup("b") == "x"


def test_a_link_shows_the_global_object_and_does_not_close_it():
    closed = []

    class Global:
        def close(self):
            closed.append(1)

    shared = Global()
    names = bind(ContextResourceLink(name="own", global_name="all"), global_lookup={"all": shared}.__getitem__)
    assert names.lookup("own") is shared
    names.close()
    assert closed == []


def test_a_link_without_global_resources_is_an_error():
    with pytest.raises(NamingError, match="no GlobalNamingResources"):
        bind(ContextResourceLink(name="own", global_name="all")).lookup("own")


def test_a_link_can_have_credentials_of_its_own():
    engine = create_engine("postgresql+psycopg://a:b@db/shop")
    link = ContextResourceLink(
        name="own", global_name="all", username="bob", password="secret",
        factory="org.apache.naming.factory.DataSourceLinkFactory",
    )  # fmt: skip
    own = bind(link, global_lookup=lambda name: engine).lookup("own")
    assert own.url.render_as_string(hide_password=False) == "postgresql+psycopg://bob:secret@db/shop"


def test_a_transaction_is_made_by_its_factory():
    entry = ContextTransaction(factory=f"{__name__}:make_pair")
    assert bind(entry).lookup("UserTransaction") == ("", "")


@pytest.mark.parametrize(
    ("java_type", "text", "value"),
    [
        ("java.lang.String", " a ", " a "), ("", "a", "a"), ("java.lang.Boolean", "TRUE", True),
        ("java.lang.Boolean", "x", False), ("java.lang.Integer", "-7", -7), ("java.lang.Long", str(2**40), 2**40),
        ("java.lang.Byte", "127", 127), ("java.lang.Short", "1", 1), ("java.lang.Double", "1.5", 1.5),
        ("java.lang.Float", "2", 2.0), ("java.lang.Character", "x", "x"), ("java.lang.Class", "a.B", "a.B"),
    ],
)  # fmt: skip
def test_the_type_says_what_the_text_becomes(java_type, text, value):
    assert environment_value("n", java_type, text) == value
    assert type(environment_value("n", java_type, text)) is type(value)


@pytest.mark.parametrize(
    ("java_type", "text"),
    [("java.lang.Integer", "x"), ("java.lang.Byte", "128"), ("java.lang.Integer", str(2**31)),
     ("java.lang.Character", "ab"), ("java.lang.Double", "")],
)  # fmt: skip
def test_text_that_is_no_value_is_named(java_type, text):
    with pytest.raises(NamingError, match=r"Environment entry \[n\]"):
        environment_value("n", java_type, text)
