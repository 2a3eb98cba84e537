"""Jolokia over HTTP."""

from __future__ import annotations

import base64
import json
from http.client import HTTPConnection

import pytest

from catalina.mbeans.object_name import ObjectName
from tests.manager.site import PROJECT, USERS, make_base, running
from tests.support.ports import free_udp_port


def base_of(tmp_path, policy=""):
    base = make_base(tmp_path / "base", managers=("jolokia",))
    users = USERS.replace(
        'username="gui" password="secret" roles="', 'username="gui" password="secret" roles="jolokia,'
    )
    (base / "conf" / "tomcat-users.xml").write_text(users)
    if policy:
        (base / "conf" / "jolokia-access.xml").write_text(f"<restrict>{policy}</restrict>")
    return base


@pytest.fixture
def site(tmp_path):
    with running(base_of(tmp_path)) as site:
        site.login = "gui:secret"
        yield site


def get(site, path, **headers):
    return json.loads(site.ask(f"/jolokia/{path}", **headers).text)


@pytest.mark.parametrize(("login", "status"), [(None, 401), ("op:secret", 403), ("gui:secret", 200)])
def test_only_the_role_jolokia_is_let_in(site, login, status):
    assert site.ask("/jolokia/version", login=login).status == status


def test_beans_of_the_server_are_read_with_get_and_post(site):
    assert get(site, "read/Catalina:type=Server/stateName")["value"] == "STARTED"
    body = json.dumps({"type": "read", "mbean": "Catalina:type=Manager,*", "attribute": "activeSessions"}).encode()
    value = json.loads(site.ask("/jolokia", "POST", body).text)["value"]
    assert value["Catalina:type=Manager,host=localhost,context=/plain"] == {"activeSessions": 0}


def test_a_node_is_drained_and_taken_back_as_any_bean_is_called(site):
    for operation, draining in (("drain", True), ("undrain", False)):
        assert get(site, f"exec/Catalina:type=Server/{operation}")["status"] == 200
        assert get(site, "read/Catalina:type=Server/draining")["value"] is draining


def test_names_with_slashes_are_escaped(site):
    answer = get(site, "read/Catalina:type=Manager,host=localhost,context=!/plain/activeSessions")
    assert answer["value"] == 0
    answer = get(site, "read/Catalina:type=Manager,host=localhost,context=%21/plain/activeSessions")
    assert answer["value"] == 0
    name = "Catalina:j2eeType=WebModule,name=!/!/localhost!/plain,J2EEApplication=none,J2EEServer=none"
    assert get(site, f"read/{name}/stateName")["value"] == "STARTED"
    assert get(site, "?p=read/Catalina:type=Server/stateName")["value"] == "STARTED"


def test_many_requests_at_once_are_answered_in_their_order(site):
    requests = [{"type": "version"}, {"type": "read", "mbean": "none:a=b"}, {"type": "search", "mbean": "java.lang:*"}]
    answers = json.loads(site.ask("/jolokia/", "POST", json.dumps(requests).encode()).text)
    assert [answer["status"] for answer in answers] == [200, 404, 200]


@pytest.mark.parametrize("body", [b"", b"{", b"1", b"[1]", b"[" * 100_000, b'{"type":"nope"}', b"\xff"])
def test_what_is_no_request_is_400(site, body):
    answer = site.ask("/jolokia", "POST", body, Content_Type="application/json")
    assert answer.status == 400
    assert answer.text.startswith("400 (Bad Request)\n")


@pytest.mark.parametrize("query", ["maxDepth=x", "callback=alert(1)"])
def test_wrong_parameters_are_400(site, query):
    assert site.ask(f"/jolokia/version?{query}").status == 400


def test_more_requests_than_anybody_sends_at_once_are_400(site):
    assert site.ask("/jolokia", "POST", json.dumps([{"type": "version"}] * 1001).encode()).status == 400


def test_the_type_of_the_answer_is_chosen(site):
    assert site.ask("/jolokia/version").headers["Content-Type"] == "application/json;charset=utf-8"
    assert site.ask("/jolokia/version?mimeType=text/plain").headers["Content-Type"] == "text/plain;charset=utf-8"
    answer = site.ask("/jolokia/version?callback=done")
    assert answer.headers["Content-Type"] == "text/javascript;charset=utf-8"
    assert answer.text.startswith("done({")


def test_a_page_of_another_origin_is_refused_and_gets_no_permission(site):
    answer = site.ask("/jolokia/version", Origin="https://evil.example.org")
    assert json.loads(answer.text)["status"] == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert get(site, "version", Origin=f"http://127.0.0.1:{site.port}")["status"] == 200
    answer = get(site, "version", Sec_Fetch_Site="cross-site", Sec_Fetch_Dest="image")
    assert answer["status"] == 403


def test_the_policy_file_lets_an_origin_in_and_bounds_what_is_done(tmp_path):
    policy = (
        "<commands><command>read</command></commands>"
        "<cors><allow-origin>https://ops.example.org</allow-origin></cors>"
        "<deny><mbean><name>Catalina:type=Server</name><attribute>port</attribute></mbean></deny>"
    )
    with running(base_of(tmp_path, policy)) as site:
        site.login = "gui:secret"
        answer = site.ask("/jolokia/read/Catalina:type=Server/stateName", Origin="https://ops.example.org")
        assert json.loads(answer.text)["value"] == "STARTED"
        assert answer.headers["Access-Control-Allow-Origin"] == "https://ops.example.org"
        assert get(site, "read/Catalina:type=Server/port")["status"] == 403
        assert get(site, "exec/java.lang:type=Memory/gc")["status"] == 403
        assert get(site, "list")["status"] == 403
        preflight = site.ask(
            "/jolokia", "OPTIONS", login=None, Origin="https://ops.example.org",
            Access_Control_Request_Method="POST", Access_Control_Request_Headers="content-type",
        )  # fmt: skip
        assert preflight.status == 204
        assert preflight.headers["Access-Control-Allow-Headers"] == "content-type"


def test_a_policy_file_that_cannot_be_used_lets_nobody_do_anything(tmp_path):
    with running(base_of(tmp_path, "<unknown/>")) as site:
        assert site.ask("/jolokia/version", login="gui:secret").status in (404, 500, 503)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_400(site, method):
    assert site.ask("/jolokia/version", method).status == 400


def test_the_agents_beans_come_and_go_with_its_application(site):
    assert len(get(site, "search/jolokia:*")["value"]) == 4
    application = site.host.find_child("/jolokia")
    application.stop()
    assert not site.server.mbeans.query(ObjectName.parse("jolokia:*"))
    application.start()


def test_a_stream_tells_a_listener_and_ends_with_its_client(site):
    client = get(site, "notification/register")["value"]["id"]
    manager = "Catalina:type=Manager,host=localhost,context=!/plain"
    assert get(site, f"notification/add/{client}/sse/{manager}")["value"] == "1"
    connection = HTTPConnection("127.0.0.1", site.port, timeout=30)
    try:
        login = {"Authorization": "Basic " + base64.b64encode(b"gui:secret").decode()}
        connection.request("GET", f"/jolokia/notification/open/{client}/sse", headers=login)
        answer = connection.getresponse()
        assert answer.getheader("Content-Type") == "text/event-stream;charset=utf-8"
        assert answer.readline() == b"retry: 2000\n"
        assert get(site, f"write/{manager}/processExpiresFrequency/5")["status"] == 200
        assert answer.readline() == b"\n"
        assert answer.readline().startswith(b"id: ")
        told = json.loads(answer.readline().removeprefix(b"data: "))
        assert told["notifications"][0]["newValue"] == 5
        assert get(site, f"notification/unregister/{client}")["status"] == 200
        answer.read()
    finally:
        connection.close()
    refused = get(site, f"notification/open/{client}/sse")
    assert (refused["status"], refused["error_type"]) == (500, "java.lang.IllegalArgumentException")


def test_a_policy_without_notifications_refuses_streams_too(tmp_path):
    with running(base_of(tmp_path, "<commands><command>read</command></commands>")) as site:
        site.login = "gui:secret"
        for command in ("register", "open/x/sse"):
            assert get(site, f"notification/{command}")["status"] == 403


def test_an_agent_that_wants_to_be_found_says_where_it_is(tmp_path):
    base, port = base_of(tmp_path), free_udp_port()
    descriptor = base / "conf" / "Catalina" / "localhost" / "jolokia.xml"
    source = PROJECT / "webapps" / "jolokia" / "WEB-INF" / "web.xml"
    parameters = {"discoveryEnabled": "true", "multicastGroup": "239.192.48.86", "multicastPort": str(port),
                  "agentDescription": "the till"}  # fmt: skip
    added = "".join(f"<init-param><param-name>{name}</param-name><param-value>{value}</param-value></init-param>"
                    for name, value in parameters.items())  # fmt: skip
    altered = tmp_path / "discovered.xml"
    altered.write_text(source.read_text().replace("<load-on-startup>", f"{added}<load-on-startup>"))
    descriptor.write_text(descriptor.read_text().replace("<Context ", f'<Context altDDName="{altered}" ', 1))
    with running(base) as site:
        site.login = "gui:secret"
        name = get(site, "search/jolokia:type=Discovery,*")["value"][0]
        found = get(site, f"exec/{name}/lookupAgentsWithTimeout/500")["value"]
        assert [each["agent_description"] for each in found] == ["the till"]
        assert found[0]["secured"] is True
        assert found[0]["url"].endswith("/jolokia")
        assert found[0]["agent_id"] == get(site, "version")["value"]["id"]
