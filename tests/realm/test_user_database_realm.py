"""Users of a user database resource."""

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_server import StandardServer
from catalina.errors import LifecycleError, NamingError
from catalina.realm.user_database_realm import UserDatabasePrincipal, UserDatabaseRealm
from catalina.users.memory_user_database import MemoryUserDatabase
from tests.realm.realms import check_realm
from tests.support.stand_in import stand_in

USERS = """<tomcat-users>
  <group groupname="g" roles="from-group"/>
  <user username="bob" password="secret" roles="user" groups="g"/>
</tomcat-users>"""


class Resources:
    def __init__(self, **bound):
        self.bound = bound

    def lookup(self, name):
        if name not in self.bound:
            raise NamingError(f"Name [{name}] is not bound")
        return self.bound[name]


@pytest.fixture
def database(tmp_path):
    file = tmp_path / "tomcat-users.xml"
    file.write_text(USERS)
    database = MemoryUserDatabase(tmp_path, pathname="tomcat-users.xml")
    database.open()
    return database


def make(resources, **values):
    realm = UserDatabaseRealm(**values)
    realm.container = stand_in(
        StandardContext,
        server=stand_in(StandardServer, global_naming_resources=resources),
        lookup=getattr(resources, "lookup", None),
    )
    return realm


def test_users_of_the_database_log_in(database):
    realm = make(Resources(UserDatabase=database))
    realm.start()
    check_realm(realm)
    assert realm.authenticate("bob", "secret").roles == ("from-group", "user")
    assert realm.is_available


def test_a_role_that_is_taken_away_is_gone_at_once(database):
    realm = make(Resources(UserDatabase=database))
    realm.start()
    bob = realm.authenticate("bob", "secret")
    assert bob.has_role("from-group")
    database.remove_group("g")
    assert not bob.has_role("from-group")
    database.remove_user("bob")
    assert bob.roles == ()


def test_a_static_principal_keeps_its_roles(database):
    realm = make(Resources(Users=database), resource_name="Users", use_static_principal=True)
    realm.start()
    bob = realm.authenticate("bob", "secret")
    database.remove_user("bob")
    assert bob.roles == ("from-group", "user")


def test_a_missing_database_stops_the_start():
    with pytest.raises(LifecycleError, match=r"No UserDatabase component found under key \[UserDatabase\]"):
        make(Resources()).start()
    with pytest.raises(LifecycleError):
        make(None).start()


def test_a_local_database_is_looked_up_with_the_first_login(database):
    realm = make(Resources(UserDatabase=database), local_jndi_resource=True)
    realm.start()
    assert not realm.is_available
    check_realm(realm)
    realm.stop()
    assert not realm.is_available


def test_the_background_tick_reaches_the_database(database):
    ticks = []
    database.background_process = lambda: ticks.append(1)
    realm = make(Resources(UserDatabase=database))
    realm.background_process()
    realm.start()
    realm.background_process()
    assert ticks == [1]


def test_principals_are_equal_by_name(database):
    assert UserDatabasePrincipal("bob", database) == UserDatabasePrincipal("bob", database)
    assert hash(UserDatabasePrincipal("bob", database)) == hash(UserDatabasePrincipal("bob", database))
    assert UserDatabasePrincipal("bob", database) != "bob"
    assert str(UserDatabasePrincipal("bob", database)) == "UserDatabasePrincipal[bob(from-group,user)]"
    assert UserDatabasePrincipal("bob", database).has_role("*")


@pytest.mark.parametrize("static", [True, False])
def test_the_full_name_is_an_attribute_on_demand(database, static):
    database.find_user("bob").full_name = "Bob B."
    values = {"user_attributes": ("fullName",), "use_static_principal": static}
    realm = make(Resources(UserDatabase=database), **values)
    realm.start()
    assert realm.authenticate("bob", "secret").attributes == {"fullName": "Bob B."}
    plain = make(Resources(UserDatabase=database))
    plain.start()
    assert plain.authenticate("bob", "secret").attributes == {}


def test_a_resource_that_is_no_user_database_stops_the_start(caplog):
    with pytest.raises(LifecycleError, match="No UserDatabase component found"):
        make(Resources(UserDatabase="users")).start()
    assert "[UserDatabase] is a str, expected a UserDatabase" in caplog.text
