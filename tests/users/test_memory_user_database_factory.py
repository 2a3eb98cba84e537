"""The UserDatabase resource."""

import pytest

from catalina.errors import NamingError
from catalina.naming.object_factory import ResourceSpec
from catalina.users.memory_user_database_factory import MemoryUserDatabaseFactory


def make(tmp_path, **properties):
    spec = ResourceSpec("UserDatabase", "org.apache.catalina.UserDatabase", properties, tmp_path, {"pw": "secret"})
    return MemoryUserDatabaseFactory().get_object(spec)


def test_the_database_is_open_with_the_resources_attributes(tmp_path):
    (tmp_path / "u.xml").write_text('<tomcat-users><user username="bob" password="${pw}"/></tomcat-users>')
    database = make(tmp_path, pathname="u.xml", readonly="false", watchSource="false", factory="x")
    assert database.find_user("bob").password == "secret"
    assert (database.readonly, database.watch_source) == (False, False)


def test_a_file_that_cannot_be_used_is_an_error(tmp_path):
    (tmp_path / "u.xml").write_text("<tomcat-users>")
    with pytest.raises(NamingError, match="UserDatabase"):
        make(tmp_path, pathname="u.xml")


def test_an_attribute_that_is_none_is_an_error(tmp_path):
    with pytest.raises(NamingError, match="readonly"):
        make(tmp_path, readonly="perhaps")
