"""Members are pods: against an HTTPS server."""

from __future__ import annotations

import logging

import pytest

from catalina.tribes.membership.cloud.cloud_membership_provider import member_id
from tests.tribes.membership.cloud.api_server import ApiServer, Authority, pod
from tests.tribes.membership.cloud.fakes import make_service

VARIABLES = [
    "MASTER_PROTOCOL",
    "MASTER_HOST",
    "MASTER_PORT",
    "CA_CERT_FILE",
    "CLIENT_CERT_FILE",
    "SA_TOKEN_FILE",
    "LABELS",
]


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def api(authority, tmp_path, monkeypatch):
    server = ApiServer(authority)
    (tmp_path / "token").write_text("secret-token\n")
    for name, value in {
        "KUBERNETES_NAMESPACE": "my shop",
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "KUBERNETES_CA_CERTIFICATE_FILE": str(authority.ca_file),
        "SA_TOKEN_FILE": str(tmp_path / "token"),
    }.items():
        monkeypatch.setenv(name, value)
    for name in VARIABLES:
        monkeypatch.delenv(f"OPENSHIFT_KUBE_PING_{name}", raising=False)
    yield server
    server.close()


def started():
    service, top, reactor = make_service("kubernetes")
    service.start(4)
    return service, top, reactor


def test_running_pods_are_members_and_the_own_one_gives_the_id(api):
    api.pods = [pod("10.0.0.1", "own"), pod("10.0.0.2"), pod("10.0.0.3", phase="Pending")]
    service, top, _ = started()
    [member] = service.members
    assert (member.name, member.unique_id) == ("tcp://10.0.0.2:4000", member_id("uid-10.0.0.2"))
    assert member.alive_ms > 0
    assert service.local_member.unique_id == member_id("own")
    assert [kind for kind, _ in top.events] == ["added"]
    path, headers = api.questions[0]
    assert path == "/api/v1/namespaces/my+shop/pods"
    assert headers["Authorization"] == "Bearer secret-token"


def test_labels_and_version_go_into_the_question(api, monkeypatch):
    monkeypatch.setenv("KUBERNETES_LABELS", "app=shop,tier in (web)")
    monkeypatch.setenv("OPENSHIFT_KUBE_PING_API_VERSION", "v2")
    started()
    assert api.questions[0][0] == "/api/v2/namespaces/my+shop/pods?labelSelector=app%3Dshop%2Ctier+in+%28web%29"


def test_later_answers_bring_members_and_take_them(api):
    service, top, reactor = started()
    api.pods = [pod("10.0.0.2")]
    service.heartbeat(0)
    reactor.run()
    api.pods = []
    reactor.time += 6
    service.heartbeat(0)
    reactor.run()
    assert [kind for kind, _ in top.events] == ["added", "gone"]


@pytest.mark.parametrize(
    "broken",
    [
        "text",
        {"kind": "Service"},
        {"metadata": {}},
        pod("10.0.0.5", metadata="x"),
        pod("no address"),
        pod("10.0.0.5", metadata={"name": "x", "creationTimestamp": "yesterday"}),
        pod("10.0.0.5", status={"phase": "Running"}),
    ],
)
def test_pods_that_are_not_understood_are_left_out(api, broken):
    api.pods = [broken, pod("10.0.0.2")]
    assert [member.address for member in started()[0].members] == ["10.0.0.2"]


@pytest.mark.parametrize("raw", [b"", b"no json", b"[]", b'{"items": 7}', b"\xff\xfe"])
def test_an_answer_that_is_no_list_of_pods_is_logged(api, raw, caplog):
    api.raw = raw
    assert started()[0].members == ()
    assert "JSON error" in caplog.text


def test_a_refusal_is_logged(api, caplog):
    api.status = 403
    started()
    assert "answered 403 Forbidden" in caplog.text


def test_a_server_of_another_authority_is_not_trusted(api, tmp_path, monkeypatch, caplog):
    other = Authority(tmp_path, "other")
    monkeypatch.setenv("KUBERNETES_CA_CERTIFICATE_FILE", str(other.ca_file))
    started()
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
    assert api.questions == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KUBERNETES_CA_CERTIFICATE_FILE", "/not/there"),
        ("SA_TOKEN_FILE", "/not/there"),
        ("KUBERNETES_SERVICE_PORT", ""),
        ("KUBERNETES_MASTER_PROTOCOL", "ftp"),
        ("KUBERNETES_CLIENT_CERTIFICATE_FILE", "/not/there"),
    ],
)
def test_without_credentials_or_address_nothing_is_asked(api, monkeypatch, caplog, name, value):
    monkeypatch.setenv(name, value)
    monkeypatch.delenv("KUBERNETES_CLIENT_KEY_FILE", raising=False)
    service, _, reactor = started()
    service.heartbeat(0)
    reactor.run()
    assert service.members == ()
    assert api.questions == []
    assert [record.levelname for record in caplog.records if "Failed to open stream" in record.getMessage()] == [
        "ERROR"
    ]


@pytest.mark.parametrize("password", [None, "top secret"])
def test_a_client_certificate_can_stand_for_the_token(authority, monkeypatch, caplog, password):
    server = ApiServer(authority, client_certificates=True)
    certificate, key = authority.issue("client", password.encode() if password else None)
    for name, value in {
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "KUBERNETES_CA_CERTIFICATE_FILE": str(authority.ca_file),
        "KUBERNETES_CLIENT_CERTIFICATE_FILE": str(certificate),
        "KUBERNETES_CLIENT_KEY_FILE": str(key),
    }.items():
        monkeypatch.setenv(name, value)
    if password:
        monkeypatch.setenv("KUBERNETES_CLIENT_KEY_PASSWORD", password)
    try:
        server.pods = [pod("10.0.0.2")]
        with caplog.at_level(logging.ERROR):
            assert len(started()[0].members) == 1
        assert "Authorization" not in server.questions[0][1]
    finally:
        server.close()
