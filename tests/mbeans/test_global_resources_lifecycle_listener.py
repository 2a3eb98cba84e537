from __future__ import annotations

import logging
from pathlib import Path

import pytest

from catalina.mbeans.audit import Caller
from catalina.mbeans.object_name import ObjectName
from catalina.mbeans.registry import OperationFailed
from catalina.startup.catalina import Catalina
from catalina.users.users_file import read_users_file
from tests.support.narrowing import there

SERVER_XML = """\
<Server port="-1">
  <Listener className="org.apache.catalina.mbeans.GlobalResourcesLifecycleListener"/>
  <GlobalNamingResources>
    <Resource name="UserDatabase" type="org.apache.catalina.UserDatabase" pathname="conf/users.xml" readonly="false"
              factory="org.apache.catalina.users.MemoryUserDatabaseFactory"/>
  </GlobalNamingResources>
</Server>
"""
USERS = """\
<tomcat-users><role rolename="admin"/><group groupname="ops" roles="admin"/>
<user username="ann" password="geheim" roles="admin" groups="ops"/></tomcat-users>
"""


ADMIN = 'Users:type=Role,rolename="admin",database=UserDatabase'
OPS = 'Users:type=Group,groupname="ops",database=UserDatabase'


@pytest.fixture
def catalina(tmp_path: Path) -> Catalina:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "server.xml").write_text(SERVER_XML)
    (tmp_path / "conf" / "users.xml").write_text(USERS)
    return Catalina(tmp_path, tmp_path)


def test_users_groups_and_roles_can_be_read_while_the_server_runs(catalina: Catalina) -> None:
    server = catalina.load()
    users = ObjectName.parse("Users:*")
    assert server.mbeans.query(users) == []
    catalina.start()
    try:
        found = {str(name): dict(bean.items()) for name, bean in server.mbeans.query(users)}
    finally:
        catalina.stop()
    assert found['Users:type=User,username="ann",database=UserDatabase']["roles"] == [ADMIN]
    assert found['Users:type=User,username="ann",database=UserDatabase']["groups"] == [OPS]
    assert found['Users:type=Group,groupname="ops",database=UserDatabase']["roles"] == [ADMIN]
    assert found['Users:type=Role,rolename="admin",database=UserDatabase']["rolename"] == "admin"
    assert "Users:type=UserDatabase,database=UserDatabase" in found
    assert "geheim" not in str(found)
    assert server.mbeans.query(users) == []


def test_who_may_log_in_changes_at_once_and_lasts_when_it_is_saved(catalina: Catalina, tmp_path: Path) -> None:
    server = catalina.load()
    database = ObjectName.parse("Users:type=UserDatabase,database=UserDatabase")
    caller = Caller("test")

    def invoke(name: ObjectName | str, operation: str, *arguments: object) -> object:
        return server.mbeans.invoke(ObjectName.parse(str(name)), operation, arguments, caller)

    catalina.start()
    try:
        name = str(invoke(database, "createUser", "bob", "geheim", None))
        assert name == 'Users:type=User,username="bob",database=UserDatabase'
        assert invoke(database, "createRole", "clerk", "does things") == (
            'Users:type=Role,rolename="clerk",database=UserDatabase'
        )
        invoke(name, "addRole", "clerk")
        invoke(name, "addGroup", "ops")
        found = there(server.global_naming_resources).lookup("UserDatabase")
        assert found.roles_of("bob") == ("admin", "clerk")
        assert name in server.mbeans.find(database).get("users")
        assert invoke(database, "findUser", "bob") == name
        assert server.mbeans.find(ObjectName.parse(OPS)).get("users") == [
            'Users:type=User,username="ann",database=UserDatabase', name
        ]  # fmt: skip
        for bean, operation, arguments in ((name, "addRole", ["none"]), (name, "addGroup", ["none"]),
                                           (database, "createRole", ["clerk", None])):  # fmt: skip
            with pytest.raises(OperationFailed):
                invoke(bean, operation, *arguments)
        invoke(name, "removeGroup", "ops")
        invoke(database, "removeUser", "ann")
        invoke(database, "save")
    finally:
        catalina.stop()
    again = read_users_file(tmp_path / "conf" / "users.xml")
    assert list(again.users) == ["bob"]
    bob = again.users["bob"]
    assert (bob.password, bob.roles, bob.groups) == ("geheim", ["clerk"], [])


def test_a_password_is_not_in_the_audit_log(catalina: Catalina, caplog: pytest.LogCaptureFixture) -> None:
    server = catalina.load()
    catalina.start()
    try:
        with caplog.at_level(logging.INFO, "org.apache.catalina.mbeans.Audit"):
            server.mbeans.invoke(ObjectName.parse("Users:type=UserDatabase,database=UserDatabase"), "createUser",
                                 ["bob", "streng", "Bob"], Caller("test"))  # fmt: skip
    finally:
        catalina.stop()
    assert "invoke [createUser]" in caplog.text
    assert "bob" in caplog.text
    assert "streng" not in caplog.text


def test_what_is_configured_to_be_read_only_is_not_saved(catalina: Catalina, tmp_path: Path) -> None:
    text = (tmp_path / "conf" / "server.xml").read_text()
    (tmp_path / "conf" / "server.xml").write_text(text.replace(' readonly="false"', ""))
    server = catalina.load()
    catalina.start()
    try:
        with pytest.raises(OperationFailed):
            server.mbeans.invoke(
                ObjectName.parse("Users:type=UserDatabase,database=UserDatabase"), "save", [], Caller("test")
            )
    finally:
        catalina.stop()
