"""The single sign-ons of all nodes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.authenticator.single_sign_on_entry import SingleSignOnEntry
from catalina.authenticator.single_sign_on_session_key import SingleSignOnSessionKey
from catalina.errors import ProtocolError
from catalina.ha.authenticator.sso_cache import SsoCache, SsoCodec, SsoEntry, SsoKey
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.realm.generic_principal import GenericPrincipal
from catalina.tribes.io.java import EncodedValue, ObjectInputStream, encode_value
from catalina.tribes.tipis.map_message import MapMessage
from catalina.tribes.tipis.replicated_map import ReplicatedMap
from tests.ha.support import collected
from tests.support.narrowing import there
from tests.tribes.tipis.network import Network
from tests.tribes.wire import cases

WIRE = {case["name"]: bytes.fromhex(case["hex"]) for case in cases("sso")}
KEY = SingleSignOnSessionKey("05249E7B5658CC1E4A3CF6BD2FEEEE52", "/app", "localhost")
SSO = {case["name"]: bytes.fromhex(case["hex"]) for case in cases("sso")}
SESSION_KEY = SsoKey("/app", "localhost", "05249E7B5658CC1E4A3CF6BD2FEEEE52")


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


def read(name: str) -> SsoEntry:
    return SsoEntry.decode(ObjectInputStream(SSO[name]).read_encoded())


def test_a_captured_entry_is_read_with_all_its_fields() -> None:
    entry = read("SingleSignOnEntry with a session")
    principal = SerializablePrincipal("joe", ("a", "b"))
    assert entry == SsoEntry("joe", "secret", "FORM", True, frozenset({SESSION_KEY}), principal)


def test_an_entry_without_sessions_and_one_without_principal_are_read() -> None:
    assert read("SingleSignOnEntry without sessions").session_keys == frozenset()
    entry = read("SingleSignOnEntry of a principal that cannot be serialised, BASIC")
    assert entry == SsoEntry("u", "p", "BASIC", True)


@pytest.mark.parametrize("name", [name for name in SSO if name.startswith("SingleSignOnEntry")])
def test_what_was_read_comes_back_when_it_is_written(name: str) -> None:
    assert SsoEntry.decode(read(name).encode()) == read(name)


def test_an_entry_begins_with_the_bytes_that_java_writes() -> None:
    name = "SingleSignOnEntry with a session"
    ours = read(name).encode().to_stream()
    end = SSO[name].index(b"java.util.concurrent.ConcurrentHashMap")
    assert ours[:end] == SSO[name][:end]


def test_it_is_found_in_a_map_s_message() -> None:
    message = MapMessage.decode(SSO["MSG_COPY of that entry"])
    assert message.map_id == b"Catalina-SSO-cache"
    assert message.value is not None
    assert SsoEntry.decode(ObjectInputStream(message.value).read_encoded()).username == "joe"


def test_a_password_is_not_shown_in_logs() -> None:
    assert "secret" not in repr(read("SingleSignOnEntry with a session"))


@pytest.mark.parametrize("value", [None, "x", [1], {}])
def test_another_value_is_refused(value: object) -> None:
    with pytest.raises(ProtocolError):
        SsoEntry.decode(encode_value(value))


@settings(max_examples=100)
@given(st.data())
def test_any_byte_changed_gives_an_entry_or_the_error(data: st.DataObject) -> None:
    wire = bytearray(SSO["SingleSignOnEntry with a session"][4:])
    wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    try:
        SsoEntry.decode(EncodedValue(bytes(wire), 0))
    except ProtocolError:
        pass
