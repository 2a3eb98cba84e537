"""Hosts at run time."""

from __future__ import annotations

import os

import pytest

from tests.manager.host.test_host_manager_servlet import hosts_site
from tests.support.narrowing import there

__all__ = ["hosts_site"]


def test_a_host_serves_what_is_laid_into_its_app_base(hosts_site):
    site = hosts_site
    assert site.hosts("add?name=Shop.example.org&appBase=shop&aliases=a.example.org,%20b.example.org") == [
        "OK - Host [Shop.example.org] added"
    ]
    assert site.hosts("list")[-1] == "[shop.example.org]:[a.example.org,b.example.org]"
    (site.base / "shop" / "ROOT" / "WEB-INF").mkdir(parents=True)
    (site.base / "shop" / "ROOT" / "index.html").write_text("the shop")
    host = site.service.engine.find_child("shop.example.org")
    from catalina.startup.host_config import HostConfig

    there(HostConfig.of(host)).check_now("")
    assert site.ask("/", login=None, Host="b.example.org").text == "the shop"
    assert site.hosts("stop?name=shop.example.org") == ["OK - Host [shop.example.org] stopped"]
    assert site.hosts("stop?name=shop.example.org") == ["FAIL - Host [shop.example.org] is already stopped"]
    assert site.hosts("start?name=shop.example.org") == ["OK - Host [shop.example.org] started"]
    assert site.hosts("remove?name=shop.example.org") == ["OK - Removed host [shop.example.org]"]
    assert len(site.hosts("list")) == 2
    assert (site.base / "shop" / "ROOT" / "index.html").exists()


def test_the_manager_is_deployed_into_a_new_host_for_this_machine_only(hosts_site):
    site = hosts_site
    assert site.hosts("add?name=vh1&manager=true") == ["OK - Host [vh1] added"]
    context = site.service.engine.find_child("vh1").find_child("/manager")
    assert context.state.available
    assert site.ask("/manager/text/list", Host="vh1").lines[0] == "OK - Listed applications for virtual host [vh1]"
    valve = next(valve for valve in context.pipeline.valves if type(valve).__name__ == "RemoteCIDRValve")
    assert not valve.is_allowed("192.0.2.1")


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b", "-a", "x" * 300, "a%0ab", "*"])
def test_what_is_no_host_name_is_refused(hosts_site, name):
    answer = hosts_site.hosts(f"add?name={name}".replace(" ", "%20"))
    assert answer[0].startswith("FAIL - Invalid host name [")
    assert sorted(os.listdir(hosts_site.base / "conf" / "Catalina")) == ["localhost"]


@pytest.mark.parametrize("app_base", ["../elsewhere", ".", "conf", "{base}/conf", "{base}", "/"])
def test_no_host_serves_the_servers_own_configuration_or_leads_out_of_the_base(hosts_site, app_base):
    answer = hosts_site.hosts(f"add?name=vh1&appBase={app_base.format(base=hosts_site.base)}")
    assert answer[0].startswith("FAIL - Unable to use [")
    assert len(hosts_site.hosts("list")) == 2


def test_its_own_host_is_safe(hosts_site):
    for command in ("remove", "stop", "start"):
        assert hosts_site.hosts(f"{command}?name=localhost") == [f"FAIL - Cannot {command} your own host [localhost]"]
