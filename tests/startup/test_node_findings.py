"""The doctor's findings about a node."""

from __future__ import annotations

import resource

import pytest

from catalina.startup import node_findings as module
from catalina.startup.node_findings import certificate_finding, node_findings
from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate
from tests.manager.site import make_base, running
from tests.valves.certificates import make_certificate, pem


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
    assert "the sessions of [localhost/plain] are not replicated: the application is not marked distributable" in found


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
