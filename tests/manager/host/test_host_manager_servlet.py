"""The host manager's text interface."""

from __future__ import annotations

import logging

import pytest

from tests.manager.site import make_base, running


@pytest.fixture
def hosts_site(tmp_path):
    with running(make_base(tmp_path / "base", managers=("manager", "host-manager"))) as site:
        yield site


@pytest.mark.parametrize(("login", "status"), [(None, 401), ("gui:secret", 403), ("op:secret", 200)])
def test_only_the_role_admin_script_is_let_in(hosts_site, login, status):
    assert hosts_site.ask("/host-manager/text/list", login=login).status == status


def test_hosts_are_listed(hosts_site):
    assert hosts_site.hosts("list") == ["OK - Listed hosts", "[localhost]:[]"]


def test_a_change_leaves_an_audit_line(hosts_site, caplog):
    caplog.set_level(logging.INFO, "org.apache.catalina.mbeans.Audit")
    hosts_site.hosts("add?name=vh1&autoDeploy=false")
    said = [record.getMessage() for record in caplog.records if record.name == "org.apache.catalina.mbeans.Audit"]
    assert said == ["[op] at [127.0.0.1] over [host-manager/text] add [name=vh1 autoDeploy=false]"]
    host = hosts_site.service.engine.find_child("vh1")
    assert (host.auto_deploy, host.deploy_on_startup, host.copy_xml) == (False, True, False)
