"""The single sign-ons of all nodes."""

import pytest

from catalina.authenticator.single_sign_on_entry import SingleSignOnEntry
from catalina.authenticator.single_sign_on_session_key import SingleSignOnSessionKey
from catalina.errors import ProtocolError
from catalina.ha.authenticator.sso_cache import SsoCache, SsoCodec
from catalina.realm.generic_principal import GenericPrincipal
from catalina.tribes.tipis.replicated_map import ReplicatedMap
from tests.ha.support import collected
from tests.support.narrowing import there
from tests.tribes.tipis.network import Network
from tests.tribes.wire import cases

WIRE = {case["name"]: bytes.fromhex(case["hex"]) for case in cases("sso")}
KEY = SingleSignOnSessionKey("05249E7B5658CC1E4A3CF6BD2FEEEE52", "/app", "localhost")


def nodes(number=2):
    network = Network()
    caches = []
    for each in range(number):
        entries = ReplicatedMap(network.add(each + 1), "Catalina-SSO-cache", codec=SsoCodec(), clock=network.clock)
        entries.start()
        network.settle()
        caches.append(SsoCache(entries))
    return network, *caches


def entry():
    return SingleSignOnEntry(GenericPrincipal("joe", ("a", "b")), "FORM", "joe", "secret", {KEY})


def test_what_java_has_written_is_a_user():
    found = SsoCodec().decode(WIRE["SingleSignOnEntry with a session"])
    assert (found.username, found.password, found.auth_type) == ("joe", "secret", "FORM")
    principal = there(found.principal)
    assert (principal.name, set(principal.roles)) == ("joe", {"a", "b"})
    assert found.session_keys == {KEY}
    assert found.can_reauthenticate


def test_a_user_without_principal_travels_too():
    found = SsoCodec().decode(SsoCodec().encode(SingleSignOnEntry(None, "BASIC", "u", "p"), 1))
    assert (found.principal, found.username, found.password) == (None, "u", "p")


def test_other_values_are_refused():
    with pytest.raises(ProtocolError):
        SsoCodec().decode(WIRE["ClusterSingleSignOnListener"])


def test_every_node_knows_who_has_logged_in():
    network, first, second = nodes()
    first["1"] = entry()
    network.settle()
    assert second["1"].username == "joe"
    assert list(second) == ["1"]
    assert len(second) == 1


def test_reading_tells_nobody():
    network, first, second = nodes()
    first["1"] = entry()
    network.settle()
    network.sent.clear()
    assert second.get("1") is not None
    network.settle()
    assert network.sent == []


def test_a_change_in_place_is_told_from_any_node():
    network, first, second = nodes()
    first["1"] = entry()
    network.settle()
    second["1"].session_keys.add(SingleSignOnSessionKey("2", "/other", "localhost"))
    second.replicate("1")
    network.settle()
    assert len(first["1"].session_keys) == 2


def test_what_is_removed_is_gone_everywhere():
    network, first, second = nodes()
    first["1"] = entry()
    network.settle()
    assert second.pop("1", None) is not None
    network.settle()
    assert "1" not in first
    assert first.pop("1", None) is None
    with pytest.raises(KeyError):
        del first["1"]


def test_a_node_that_comes_later_gets_all():
    network, first = nodes(1)
    first["1"] = entry()
    entries = ReplicatedMap(network.add(9), "Catalina-SSO-cache", codec=SsoCodec(), clock=network.clock)
    entries.start()
    network.settle()
    assert SsoCache(entries)["1"].username == "joe"


def test_an_answer_waits_for_the_others():
    network, first, _ = nodes()
    with collected() as deliveries:
        first["1"] = entry()
        first.replicate("1")
        assert len(deliveries) == 2
        network.settle()
        assert all(delivery.done for delivery in deliveries)


def test_nothing_is_told_of_unknown_ids():
    network, first, _ = nodes()
    network.sent.clear()
    first.replicate("nobody")
    network.settle()
    assert network.sent == []
