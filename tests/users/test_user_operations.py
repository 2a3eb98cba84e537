"""The beans of user databases; tests/mbeans/test_global_resources_lifecycle_listener.py has them in a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.mbeans.managed_bean import ManagedBean
from catalina.users.memory_user_database import MemoryUserDatabase
from catalina.users.user_operations import bean_name
from tests.support.narrowing import there

CONTENT = """<tomcat-users><role rolename="admin"/><role rolename="clerk"/>
<group groupname="ops" roles="admin" description="They run it."/><group groupname="shop"/>
<user username="ann" password="geheim" fullName="Ann A." groups="ops" roles="clerk"/></tomcat-users>"""
ANN = bean_name("User", "ann", "UserDatabase")


@pytest.fixture
def database(tmp_path: Path) -> MemoryUserDatabase:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "tomcat-users.xml").write_text(CONTENT)
    made = MemoryUserDatabase(tmp_path, name="UserDatabase")
    made.open()
    return made


def invoke(bean: ManagedBean, name: str, *arguments: str | None) -> object:
    return bean.invoke(bean.operation(name, len(arguments)), arguments)


def entry(database: MemoryUserDatabase, kind: str, name: str) -> ManagedBean:
    wanted = bean_name(kind, name, "UserDatabase")
    return next(ManagedBean(bean, found) for found, bean in database.entry_beans() if found == wanted)


def test_a_user_gets_and_loses_roles_and_groups(database: MemoryUserDatabase) -> None:
    ann = entry(database, "User", "ann")
    assert ann.get("roles") == ['Users:type=Role,rolename="clerk",database=UserDatabase']
    assert (ann.get("username"), ann.get("fullName")) == ("ann", "Ann A.")
    assert "password" not in ann.names()
    invoke(ann, "addRole", "admin")
    invoke(ann, "addRole", "admin")
    invoke(ann, "addGroup", "shop")
    invoke(ann, "removeRole", "clerk")
    user = there(database.find_user("ann"))
    assert (user.roles, user.groups) == (["admin"], ["ops", "shop"])
    invoke(ann, "removeRoles")
    invoke(ann, "removeGroups")
    assert (user.roles, user.groups) == ([], [])


def test_a_group_gets_and_loses_roles_for_its_users(database: MemoryUserDatabase) -> None:
    ops = entry(database, "Group", "ops")
    assert ops.get("users") == [str(ANN)]
    assert ops.get("description") == "They run it."
    assert database.roles_of("ann") == ("admin", "clerk")
    invoke(ops, "removeRole", "admin")
    assert database.roles_of("ann") == ("clerk",)


@pytest.mark.parametrize(
    ("operation", "argument"), [("addRole", "none"), ("removeRole", "none"), ("addGroup", "none"), ("removeGroup", "")]
)
def test_unknown_roles_and_groups_are_refused(database: MemoryUserDatabase, operation: str, argument: str) -> None:
    with pytest.raises(ValueError, match=r"Invalid (role|group) name"):
        invoke(entry(database, "User", "ann"), operation, argument)


def test_who_was_removed_meanwhile_is_not_changed(database: MemoryUserDatabase) -> None:
    ann = entry(database, "User", "ann")
    invoke(ManagedBean(database), "removeUser", "ann")
    with pytest.raises(ValueError, match=r"\[ann\] has been removed"):
        invoke(ann, "addRole", "admin")


def test_names_are_found_or_null(database: MemoryUserDatabase) -> None:
    bean = ManagedBean(database)
    assert invoke(bean, "findUser", "ann") == str(ANN)
    assert invoke(bean, "findGroup", "none") is None
    assert invoke(bean, "findRole", "clerk") == str(bean_name("Role", "clerk", "UserDatabase"))
    with pytest.raises(ValueError, match="is there already"):
        invoke(bean, "createUser", "ann", "x", None)
    assert bean.get("users") == [str(ANN)]
    with pytest.raises(ValueError, match="zero length"):
        invoke(bean, "createGroup", "", None)


def test_neither_the_file_nor_its_use_are_changed_by_a_bean(database: MemoryUserDatabase) -> None:
    for name, text in (("pathname", "/etc/passwd"), ("readonly", "false")):
        with pytest.raises(Exception, match="Cannot find setter"):
            ManagedBean(database).set(name, text)
