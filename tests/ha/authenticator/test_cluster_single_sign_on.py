"""One login on two nodes: whole containers, messages on a network of the test's own."""

from typing import Any

import pytest

from catalina.errors import ChannelError, LifecycleError
from catalina.ha.authenticator.cluster_single_sign_on import ClusterSingleSignOn
from catalina.ha.session.delta_manager import DeltaManager
from catalina.ha.tcp.simple_tcp_cluster import SimpleTcpCluster
from catalina.realm.generic_principal import GenericPrincipal
from tests.authenticator.application import PROTECTED, Browser, add_application, basic, login_config, secure_node, text
from tests.support.stand_in import stand_in
from tests.tribes.tipis.network import Network

INNER = PROTECTED + login_config("BASIC")
BOB = basic("bob", "secret")
SSO = "JSESSIONIDSSO"


@pytest.fixture
def network():
    return Network()


@pytest.fixture
def pair(tmp_path, network):
    """Two started nodes with the same two applications."""
    nodes = []
    for number in (1, 2):
        base = tmp_path / str(number)
        base.mkdir()
        node = secure_node(base, INNER)
        add_application(node, INNER, "other")
        sso = ClusterSingleSignOn()
        cluster: Any = stand_in(SimpleTcpCluster, channel=network.add(number), name="Catalina")
        sso.cluster = cluster
        node.host.add_valve(sso)
        node.__enter__()
        nodes.append(node)
        network.settle()
    yield nodes
    for node in nodes:
        node.__exit__(None, None, None)


def sso_of(node):
    return next(valve for valve in node.host.pipeline.valves if isinstance(valve, ClusterSingleSignOn))


def log_in(network, node):
    browser = Browser(node)
    assert browser.ask("/shop/private/x", headers=BOB).status == 200
    network.settle()
    return browser


def moved(browser, node):
    """The same browser, sent to another node."""
    there = Browser(node)
    there.cookies[SSO] = browser.cookies[SSO]
    return there


def test_a_login_counts_on_the_other_node(pair, network):
    browser = log_in(network, pair[0])
    assert text(moved(browser, pair[1]).ask("/other/private/x")).startswith("bob|BASIC")
    network.settle()
    assert [len(sso_of(node).cache[browser.cookies[SSO]].session_keys) for node in pair] == [2, 2]


def test_an_unknown_id_is_nobody_s(pair):
    browser = Browser(pair[1])
    browser.cookies[SSO] = "0" * 32
    assert browser.ask("/shop/private/x").status == 401


def test_logging_out_there_logs_out_here(pair, network):
    browser = log_in(network, pair[0])
    there = moved(browser, pair[1])
    there.ask("/other/private/x")
    there.ask("/other/out")
    network.settle()
    assert not sso_of(pair[0]).cache
    again = Browser(pair[0])
    again.cookies[SSO] = browser.cookies[SSO]
    assert again.ask("/other/private/x").status == 401


def test_a_node_that_stops_leaves_its_users_to_the_others(pair, network):
    browser = log_in(network, pair[0])
    sso_of(pair[0]).stop()
    network.settle()
    assert moved(browser, pair[1]).ask("/other/private/x").status == 200


def test_a_session_that_has_ended_is_no_longer_looked_for(pair, network):
    browser = log_in(network, pair[0])
    moved(browser, pair[1]).ask("/other/private/x")
    network.settle()
    manager = pair[1].host.find_child("/other").manager
    (session,) = manager.find_sessions()
    session.max_inactive_interval = 1
    session.this_accessed_time_ms = session.last_accessed_time_ms = 0
    manager.process_expires()
    network.settle()
    entry = sso_of(pair[0]).cache[browser.cookies[SSO]]
    assert [key.context_name for key in entry.session_keys] == ["/shop"]


def test_a_new_session_id_is_told(pair, network):
    browser = log_in(network, pair[0])
    manager = pair[0].host.find_child("/shop").manager
    (session,) = manager.find_sessions()
    new_id = manager.change_session_id(session)
    network.settle()
    assert {key.session_id for key in sso_of(pair[1]).cache[browser.cookies[SSO]].session_keys} == {new_id}


def test_another_way_of_logging_in_is_told(pair, network):
    sso = sso_of(pair[0])
    sso.register("1", stand_in(GenericPrincipal, name="bob", roles=()), "CLIENT_CERT", None, None)
    assert sso.update("1", stand_in(GenericPrincipal, name="bob", roles=("r",)), "BASIC", "bob", "secret")
    network.settle()
    assert sso_of(pair[1]).cache["1"].password == "secret"
    assert not sso.update("1", stand_in(GenericPrincipal, name="bob", roles=()), "FORM", "bob", "x")


def test_a_session_that_travels_takes_its_listener_along(pair):
    sso = sso_of(pair[0])
    sso.register("1", stand_in(GenericPrincipal, name="bob", roles=()), "BASIC", "bob", "secret")
    manager = DeltaManager()
    manager.context = pair[0].host.find_child("/shop")
    session = manager.new_session("S")
    assert sso.associate("1", session)
    assert sso.associate("1", session)
    assert len(session.remote_listeners) == 1
    assert not sso.associate("none", session)


def test_it_needs_a_cluster(tmp_path):
    node = secure_node(tmp_path, INNER)
    node.host.add_valve(ClusterSingleSignOn())
    with pytest.raises(LifecycleError, match="no Cluster"), node:
        pass


class DeadChannel:
    """Nobody can be asked."""

    def add_channel_listener(self, listener):
        raise ChannelError("stopped")

    remove_channel_listener = remove_membership_listener = lambda self, listener: None


def test_whether_a_dead_channel_matters_can_be_said(tmp_path, caplog):
    sso = ClusterSingleSignOn(terminate_on_start_failure=True)
    cluster: Any = stand_in(SimpleTcpCluster, channel=DeadChannel(), name="Catalina")
    sso.cluster = cluster
    with pytest.raises(LifecycleError, match="map start message"):
        sso.start()
    sso = ClusterSingleSignOn()
    cluster = stand_in(SimpleTcpCluster, channel=DeadChannel(), name="Catalina")
    sso.cluster = cluster
    sso.start()
    assert sso.cache == {}
    assert "stay in this node" in caplog.text
    sso.stop()
