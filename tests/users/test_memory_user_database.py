"""The user database in memory."""

import logging
import os
import time

import pytest

from catalina.errors import ConfigurationError
from catalina.users.memory_user_database import MemoryUserDatabase
from tests.support.narrowing import there

CONTENT = """<tomcat-users><group groupname="g" roles="r1"/>
<user username="bob" password="secret" groups="g" roles="r2"/></tomcat-users>"""


@pytest.fixture
def database(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "tomcat-users.xml").write_text(CONTENT)
    database = MemoryUserDatabase(tmp_path, name="UserDatabase")
    database.open()
    return database


def write(database, text, age=10):
    database.path.write_text(text)
    then = time.time() - age
    os.utime(database.path, (then, then))


def test_the_file_is_found_below_catalina_base(database):
    assert database.find_user("bob").password == "secret"
    assert database.roles_of("bob") == ("r1", "r2")
    assert database.roles_of("nobody") == ()
    assert [user.name for user in database.users] == ["bob"]
    assert [group.name for group in database.groups] == ["g"]
    assert {role.name for role in database.roles} == {"r1", "r2"}


def test_a_missing_file_is_an_empty_database(tmp_path, caplog):
    database = MemoryUserDatabase(tmp_path)
    database.open()
    assert database.users == ()
    assert "could not be found" in caplog.text


def test_a_changed_file_is_read_again_on_the_background_tick(database, caplog):
    write(database, CONTENT.replace("secret", "changed"))
    with caplog.at_level(logging.INFO):
        database.background_process()
    assert database.find_user("bob").password == "changed"
    assert "Reloading memory user database [UserDatabase]" in caplog.text


def test_a_file_that_has_just_changed_may_not_be_complete_yet(database):
    write(database, CONTENT.replace("secret", "changed"), age=0)
    database.background_process()
    assert database.find_user("bob").password == "secret"


def test_a_broken_new_version_leaves_the_old_one_in_force_and_is_said_once(database, caplog):
    write(database, "<tomcat-users>")
    database.background_process()
    database.background_process()
    assert database.find_user("bob").password == "secret"
    assert caplog.text.count("Error reloading memory user database") == 1


def test_the_file_need_not_be_watched(database):
    database.watch_source = False
    write(database, CONTENT.replace("secret", "changed"))
    database.background_process()
    assert database.find_user("bob").password == "secret"


def test_a_file_that_disappears_changes_nothing(database):
    database.path.unlink()
    database.background_process()
    assert database.find_user("bob") is not None


def test_a_broken_file_stops_the_open(database):
    write(database, "<tomcat-users>")
    with pytest.raises(ConfigurationError):
        database.open()


def test_users_groups_and_roles_can_be_made_and_removed(database):
    assert database.create_user("ann", "x").name == "ann"
    assert database.create_user("ann", "y") is None
    assert database.create_group("h").name == "h"
    assert database.create_role("r3").name == "r3"
    database.remove_role("r2")
    database.remove_group("g")
    assert database.roles_of("bob") == ()
    database.remove_user("bob")
    database.remove_user("bob")
    assert database.find_user("bob") is None
    assert database.find_group("g") is None
    assert database.find_role("r2") is None


@pytest.mark.parametrize("make", ["create_user", "create_group", "create_role"])
def test_names_must_not_be_empty(database, make):
    arguments = ("", "x") if make == "create_user" else ("",)
    with pytest.raises(ValueError, match="zero length"):
        getattr(database, make)(*arguments)


def test_changes_are_saved_when_allowed(database, caplog):
    database.create_user("ann", "x")
    database.save()
    assert "read only" in caplog.text
    assert "ann" not in database.path.read_text()
    database.readonly = False
    database.save()
    again = MemoryUserDatabase(database.base)
    again.open()
    assert there(again.find_user("ann")).password == "x"


def test_a_closed_database_is_empty(database):
    database.close()
    assert database.users == ()
