"""The parts of a node that applications in processes of their own share: logins, attributes, resources, realms, and
crossContext, which ends there. Real processes.
"""

from __future__ import annotations

import base64
import http.client
import shutil
from collections.abc import Iterator

import pytest

from tests.cluster.node import Node
from tests.cluster.test_workers import write_application
from tests.support.waiting import wait_until

pytestmark = pytest.mark.cluster

HOST = '<Valve className="org.apache.catalina.authenticator.SingleSignOn"/>'
ENGINE = """<Realm className="org.apache.catalina.realm.LockOutRealm" failureCount="2" lockOutTime="600">
  <Realm className="org.apache.catalina.realm.UserDatabaseRealm" resourceName="users"/>
</Realm>"""
RESOURCES = """<GlobalNamingResources>
  <Environment name="colour" value="green" type="java.lang.String"/>
  <Resource name="users" auth="Container" type="org.apache.catalina.UserDatabase" pathname="conf/tomcat-users.xml"
      factory="org.apache.catalina.users.MemoryUserDatabaseFactory"/>
  <Resource name="jdbc/data" type="javax.sql.DataSource" url="sqlite:///DIRECTORY/data.db"/>
</GlobalNamingResources>"""
USERS = '<tomcat-users><role rolename="buyer"/><user username="ann" password="secret" roles="buyer"/>\
<user username="bob" password="secret" roles="buyer"/></tomcat-users>'
WEB_XML = """<web-app>
  <servlet><servlet-name>a</servlet-name><servlet-class>counting:application</servlet-class></servlet>
  <servlet-mapping><servlet-name>a</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>
  <security-constraint><web-resource-collection><url-pattern>/private/*</url-pattern></web-resource-collection>
    <auth-constraint><role-name>buyer</role-name></auth-constraint></security-constraint>
  <login-config><auth-method>BASIC</auth-method><realm-name>shop</realm-name></login-config>
  <security-role><role-name>buyer</role-name></security-role>
</web-app>"""
SOURCE = """
import os

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    context, path, value = environ["catalina.context"], environ["PATH_INFO"], environ["QUERY_STRING"]
    if path == "/set":
        context.attributes["colour"] = value
    if path in ("/set", "/get"):
        return [str(context.attributes.get("colour")).encode()]
    if path == "/colour":
        return [context.lookup("java:comp/env/colour").encode()]
    if path == "/data":
        with context.lookup("java:comp/env/jdbc/data").connect() as connection:
            connection.exec_driver_sql("create table if not exists visits (pid integer)")
            connection.exec_driver_sql(f"insert into visits values ({os.getpid()})")
            connection.commit()
            return [str(connection.exec_driver_sql("select count(distinct pid) from visits").scalar()).encode()]
    if path == "/other":
        return [str(context.context(value) is not None).encode()]
    return [f"{environ.get('REMOTE_USER')} {os.getpid()}".encode()]
"""
LINKS = """<ResourceLink name="colour" global="colour" type="java.lang.String"/>
<ResourceLink name="jdbc/data" global="jdbc/data" type="javax.sql.DataSource"/>"""


def context(isolation: str, more: str = "") -> str:
    return f'<Context isolation="{isolation}" crossContext="true" {more}>{LINKS}</Context>'


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One worker; ``/app`` has a pool of two, ``/own`` one process, ``/all`` is in the worker."""
    directory = tmp_path_factory.mktemp("parts")
    replicated = 'className="org.apache.catalina.ha.context.ReplicatedContext" workers="2"'
    write_application(directory / "one", context("process", replicated), web_xml=WEB_XML, source=SOURCE)
    node = Node("n1", directory / "n1", cluster=HOST, engine_cluster=ENGINE, webapp=directory / "one", workers=1)
    server_xml = node.base / "conf" / "server.xml"
    resources = RESOURCES.replace("DIRECTORY", str(directory))
    server_xml.write_text(server_xml.read_text().replace("<Service ", f"{resources}<Service ", 1))
    (node.base / "conf" / "tomcat-users.xml").write_text(USERS)
    for name, isolation in (("own", "process"), ("all", "shared")):
        write_application(node.base / "webapps" / name, context(isolation), web_xml=WEB_XML, source=SOURCE)
    node.options = "-Dcatalina.keeper=true"
    try:
        node.start(wait=False)
        wait_until(
            lambda: all(ask(node, f"{app}/")[0] == 200 for app in ("/app", "/own", "/all")), "it serves", seconds=60
        )
        yield node
    finally:
        node.close()
        shutil.rmtree(node.base)


def ask(node: Node, path: str, user: str = "", cookie: str = "") -> tuple[int, str, str]:
    """Status, text and the cookies of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=30)
    headers = {"Cookie": cookie} if cookie else {}
    if user:
        headers["Authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        cookies = "; ".join(each.partition(";")[0] for each in answer.headers.get_all("Set-Cookie") or ())
        return answer.status, body, cookies
    except OSError:
        return 0, "", ""
    finally:
        connection.close()


def processes(node: Node) -> dict[str, set[str]]:
    """The processes that answer for each application."""
    return {app: {ask(node, f"{app}/")[1].split()[1] for _ in range(12)} for app in ("/app", "/own", "/all")}


def test_a_login_counts_in_all_pools(node: Node) -> None:
    assert {app: len(pids) for app, pids in processes(node).items()} == {"/app": 2, "/own": 1, "/all": 1}
    status, _, cookies = ask(node, "/own/private/", "ann:secret")
    assert status == 200
    sign_on = next(each for each in cookies.split("; ") if each.startswith("JSESSIONIDSSO="))
    for app in ("/app", "/all", "/own"):
        status, body, _ = ask(node, f"{app}/private/", cookie=sign_on)
        assert (status, body.split()[0]) == (200, "ann"), app


def test_failed_logins_of_all_pools_lock_a_user_out(node: Node) -> None:
    assert ask(node, "/own/private/", "bob:secret")[0] == 200
    assert ask(node, "/own/private/", "bob:wrong")[0] == 401
    assert ask(node, "/all/private/", "bob:wrong")[0] == 401
    assert ask(node, "/app/private/", "bob:secret")[0] == 401, "locked out by two failures in other processes"


def test_attributes_of_a_replicated_context_are_those_of_all_workers_of_its_pool(node: Node) -> None:
    assert ask(node, "/app/set?blue")[1] == "blue"
    for _ in range(10):
        assert ask(node, "/app/get")[1] == "blue"


def test_resources_of_the_server_are_there_in_every_process(node: Node) -> None:
    for app in ("/app", "/own", "/all"):
        assert ask(node, f"{app}/colour")[1] == "green", app
        assert ask(node, f"{app}/data")[0] == 200, app
    pids = {int(ask(node, f"{app}/data")[1]) for app in ("/app", "/own", "/all")}
    assert max(pids) >= 3, "each process has its own connections to the one database"


def test_cross_context_ends_at_a_pool_and_the_start_says_so(node: Node) -> None:
    assert ask(node, "/own/other?/all")[1] == "False"
    assert ask(node, "/all/other?/own")[1] == "False"
    assert ask(node, "/all/other?/all")[1] == "True"
    log = node.log
    assert '[/own] crossContext="true" reaches no other application: this one runs in processes of its own' in log
    reached = "[/all] crossContext does not reach [/app, /own]: processes of their own run them"
    shut_out = "runs in processes of its own, where crossContext of [/all] does not reach it"
    assert reached in log or shut_out in log
