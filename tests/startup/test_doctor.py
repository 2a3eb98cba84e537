"""The doctor's report."""

from __future__ import annotations

import resource

import pytest

from catalina.startup import doctor as module
from catalina.startup.doctor import certificate_finding, examine, finding_lines, node_findings, verdict_of
from catalina.startup.finding import Finding
from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate
from tests.manager.site import make_base, running
from tests.valves.certificates import make_certificate, pem

FINE, FAULT = Finding("files", "ok", "3 of 9"), Finding("clock", "error", "late", "chronyc tracking")
DOUBT = Finding("clock", "warning", "a bit late", "chronyc tracking")


def test_the_verdict_is_the_worst():
    assert verdict_of([FINE, FAULT, DOUBT]) == "error"
    assert verdict_of([FINE, DOUBT]) == "warning"
    assert verdict_of([FINE, Finding("mtu", "unknown", "?")]) == "unknown"
    assert verdict_of([]) == "ok"


def test_faults_come_first_with_what_to_do():
    assert finding_lines([FINE, DOUBT, FAULT]) == [
        "ERROR    clock: late",
        "         -> chronyc tracking",
        "WARNING  clock: a bit late",
        "         -> chronyc tracking",
        "OK       files: 3 of 9",
        "",
        "1 errors, 1 warnings, 3 looks",
    ]


def test_a_node_without_a_cluster_is_examined_at_once(tmp_path):
    make_base(tmp_path, managers=())
    with running(tmp_path) as site:
        found = examine(site.server, lambda *_: None)
    assert "this node is in no cluster" in [each.text for each in found]
    assert "every application runs" in [each.text for each in found]
    assert {each.check for each in found} == {"files", "watches", "applications", "cluster"}


@pytest.fixture
def site(tmp_path):
    broken = make_base(tmp_path, managers=()) / "webapps" / "broken"
    broken.mkdir()
    (broken / "wsgi.py").write_text("1/0\n")
    with running(tmp_path) as site:
        yield site


def of(site, check):
    return [each for each in node_findings(site.server) if each.check == check]


def test_an_application_that_does_not_run_is_named_with_its_reason(site):
    (found,) = of(site, "applications")
    assert found.verdict == "error"
    assert found.text.startswith("[localhost/broken] does not run: ")
    assert "ZeroDivisionError" in found.text


def test_an_application_of_a_cluster_that_is_not_distributable_is_named(site, monkeypatch):
    monkeypatch.setattr(type(site.host), "cluster", object(), raising=False)
    found = [each.text for each in of(site, "applications")]
    named = "the sessions of [localhost/plain] are not replicated: the application is not marked distributable"
    assert named in found
    monkeypatch.setattr(site.host.find_child("/plain"), "privileged", True)
    assert named not in [each.text for each in of(site, "applications")]


@pytest.mark.parametrize(("limit", "verdict"), [(10, "error"), (5000, "warning"), (100_000, "ok")])
def test_the_limit_of_files(site, monkeypatch, limit, verdict):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (limit, limit))
    (found,) = of(site, "files")
    assert found.verdict == verdict
    assert ("LimitNOFILE=8392" in found.advice) == (verdict != "ok")


def test_the_limit_of_watches(site, monkeypatch):
    (found,) = of(site, "watches")
    assert found.verdict == "ok"
    monkeypatch.setattr(module, "NEARLY", -1)
    (found,) = of(site, "watches")
    assert found.verdict == "warning"
    assert found.advice.startswith("sysctl -w fs.inotify.max_user_watches=")


@pytest.mark.parametrize(("days", "verdict"), [(90, "ok"), (5, "warning"), (-1, "error")])
def test_a_certificate_and_its_end(tmp_path, days, verdict):
    (tmp_path / "shop.crt").write_text(pem(make_certificate("shop.example", days)))
    found = certificate_finding("https", SSLHostConfigCertificate(certificate_file="shop.crt"), tmp_path)
    assert (found.check, found.verdict) == ("certificates", verdict)
    assert "CN=shop.example" in found.text
    assert (" was good until " in found.text) == (days < 0)


def test_a_certificate_that_cannot_be_read(tmp_path):
    found = certificate_finding("https", SSLHostConfigCertificate(certificate_file="none.crt"), tmp_path)
    assert found.verdict == "error"
    assert "none.crt" in found.text
