"""Users of a file."""

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_server import StandardServer
from catalina.errors import LifecycleError
from catalina.realm.memory_realm import MemoryRealm
from tests.realm.realms import check_realm
from tests.support.stand_in import stand_in

USERS = """<tomcat-users>
  <user name="bob" password="${bob.password}" roles="user, admin" fullName="Bob B."/>
  <user username="ann" password="x" groups="g"/>
</tomcat-users>"""


def make(tmp_path, **properties):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "tomcat-users.xml").write_text(USERS)
    realm = MemoryRealm()
    realm.container = stand_in(
        StandardContext, server=stand_in(StandardServer, catalina_base=tmp_path, properties=properties)
    )
    return realm


def test_users_of_the_file_log_in(tmp_path):
    realm = make(tmp_path, **{"bob.password": "secret"})
    realm.start()
    check_realm(realm)
    assert realm.authenticate("bob", "secret").roles == ("admin", "user")


def test_groups_give_no_roles(tmp_path):
    realm = make(tmp_path)
    realm.start()
    assert realm.authenticate("ann", "x").roles == ()


def test_a_missing_file_stops_the_start(tmp_path):
    with pytest.raises(LifecycleError):
        MemoryRealm(pathname=str(tmp_path / "none.xml")).start()


def test_the_full_name_is_an_attribute_on_demand(tmp_path):
    realm = make(tmp_path, **{"bob.password": "secret"})
    assert realm.set_attribute("userAttributes", "fullName, none")
    realm.start()
    assert realm.authenticate("bob", "secret").attributes == {"fullName": "Bob B."}
    assert realm.authenticate("ann", "x").attributes == {}
