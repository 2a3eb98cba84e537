"""Users of a directory, with ldap3's server in memory."""

import pytest

from catalina.errors import LifecycleError
from catalina.realm.jndi_realm import JNDIRealm
from catalina.realm.ldap_directory import LdapDirectory, LdapUrl
from tests.realm.ldap_server import MemoryServer
from tests.realm.realms import check_realm
from tests.support.narrowing import there

URL = LdapUrl("ldap.example", 389, False, "")
ROLES = {"role_base": "ou=groups,dc=example", "role_name": "cn", "role_search": "(member={0})"}
SEARCH = {"user_base": "ou=people,dc=example", "user_search": "(uid={0})"}


def make(server=None, **values):
    realm = JNDIRealm(**values)
    server = server or MemoryServer()
    realm.directory = LdapDirectory((URL,), server.connect, "cn=manager,dc=example", "manager")
    realm.start()
    return realm


def test_a_user_found_by_a_pattern_logs_in_by_a_bind():
    check_realm(make(user_pattern="uid={0},ou=people,dc=example", **ROLES))


def test_several_patterns_are_tried_in_order():
    check_realm(make(user_pattern="(uid={0},ou=nowhere,dc=example)(uid={0},ou=people,dc=example)", **ROLES))


def test_a_user_found_by_a_search_logs_in_by_a_bind():
    check_realm(make(**SEARCH, **ROLES))


def test_a_password_can_be_compared_here():
    realm = make(user_password="userPassword", **SEARCH, **ROLES)
    check_realm(realm)
    assert realm.get_password("bob") == "secret"
    assert make(**SEARCH).get_password("bob") is None


def test_roles_come_from_the_entry_and_from_the_configuration():
    realm = make(user_role_name="memberOf", common_role="everybody", **SEARCH)
    assert realm.authenticate("bob", "secret").roles == ("everybody", "staff")


def test_nested_groups_are_followed_on_demand():
    assert make(**SEARCH, **ROLES).authenticate("bob", "secret").roles == ("user",)
    assert make(role_nested=True, **SEARCH, **ROLES).authenticate("bob", "secret").roles == ("admin", "user")


def test_an_attribute_of_the_user_can_be_searched_for():
    values = {**ROLES, "role_search": "(member={2})"}
    realm = make(user_role_attribute="number", **SEARCH, **values)
    assert realm.authenticate("bob", "secret").roles == ("seven",)
    assert realm.authenticate("ann", "x").roles == ()


def test_a_name_with_two_entries_is_nobody(caplog):
    assert make(user_subtree=True, **SEARCH).authenticate("twin", "x") is None


@pytest.mark.parametrize("username", ["*", "b*", "bob)(uid=*", "bob,ou=people"])
def test_a_user_name_is_never_a_filter_or_a_name(username):
    assert make(**SEARCH, **ROLES).authenticate(username, "secret") is None
    pattern = "uid={0},ou=people,dc=example"
    assert make(user_pattern=pattern).authenticate(username, "secret") is None


def test_a_directory_that_is_down_makes_logins_fail(caplog):
    server = MemoryServer()
    server.down = True
    realm = make(server, **SEARCH)
    assert realm.authenticate("bob", "secret") is None
    assert realm.authenticate_name("bob") is None
    assert not realm.is_available
    assert "Exception performing authentication" in caplog.text


def test_searches_can_be_made_as_the_user():
    server = MemoryServer()
    values = {**SEARCH, "user_pattern": "uid={0},ou=people,dc=example"}
    realm = make(server, role_search_as_user=True, **values, **ROLES)
    assert realm.authenticate("bob", "secret").roles == ("user",)
    assert ("ldap.example", "uid=bob,ou=people,dc=example") in server.opened


@pytest.mark.parametrize("url", ["", "http://h"])
def test_a_url_that_is_none_stops_the_start(url):
    with pytest.raises(LifecycleError, match="connectionURL"):
        JNDIRealm(connection_url=url).start()


def test_a_real_url_makes_a_directory_without_connecting():
    realm = JNDIRealm(connection_url="ldap://a/dc=x", alternate_url="ldaps://b/dc=x", time_limit=1500)
    realm.start()
    assert [url.host for url in there(realm.directory).urls] == ["a", "b"]
    assert there(realm.directory).time_limit == 2
    realm.stop()
    assert realm.directory is None


def test_parts_of_the_users_name_can_stand_in_the_base_of_roles():
    values = {**ROLES, "role_base": "ou=groups,{0}"}
    assert make(**SEARCH, **values).authenticate("bob", "secret").roles == ("user",)


def test_the_principal_carries_what_user_attributes_names():
    realm = make(user_attributes=("number", "nothing", "userPassword"), **SEARCH)
    assert realm.authenticate("bob", "secret").attributes == {"number": "7"}
    realm = make(user_attributes=("*",), user_password="userPassword", **SEARCH)
    found = realm.authenticate("bob", "secret").attributes
    assert found["number"] == "7"
    assert "userpassword" not in found
    assert make(**SEARCH).authenticate("bob", "secret").attributes == {}
