from __future__ import annotations

from pathlib import Path

import pytest

from catalina.mbeans.object_name import ObjectName
from catalina.startup.catalina import Catalina

SERVER_XML = """\
<Server port="-1">
  <Listener className="org.apache.catalina.mbeans.GlobalResourcesLifecycleListener"/>
  <GlobalNamingResources>
    <Resource name="UserDatabase" type="org.apache.catalina.UserDatabase" pathname="conf/users.xml"
              factory="org.apache.catalina.users.MemoryUserDatabaseFactory"/>
  </GlobalNamingResources>
</Server>
"""
USERS = """\
<tomcat-users><role rolename="admin"/><group groupname="ops" roles="admin"/>
<user username="ann" password="geheim" roles="admin" groups="ops"/></tomcat-users>
"""


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
    assert found['Users:type=User,username="ann",database=UserDatabase']["roles"] == ["admin"]
    assert found['Users:type=User,username="ann",database=UserDatabase']["groups"] == ["ops"]
    assert found['Users:type=Group,groupname="ops",database=UserDatabase']["roles"] == ["admin"]
    assert found['Users:type=Role,rolename="admin",database=UserDatabase']["rolename"] == "admin"
    assert "Users:type=UserDatabase,database=UserDatabase" in found
    assert "geheim" not in str(found)
    assert server.mbeans.query(users) == []
