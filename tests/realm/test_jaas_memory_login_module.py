"""The login module named as a realm."""

from catalina.realm.jaas_memory_login_module import JAASMemoryLoginModule
from tests.realm.realms import check_realm


def test_as_a_realm_it_is_the_memory_realm(tmp_path):
    file = tmp_path / "users.xml"
    file.write_text('<tomcat-users><user username="bob" password="secret" roles="user"/></tomcat-users>')
    realm = JAASMemoryLoginModule(pathname=str(file))
    realm.start()
    check_realm(realm)
