from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalina.errors import ProtocolError
from catalina.ha.authenticator.sso_entry import SsoEntry, SsoKey
from catalina.ha.session.serializable_principal import SerializablePrincipal
from catalina.tribes.io.java import EncodedValue, ObjectInputStream, encode_value
from catalina.tribes.tipis.map_message import MapMessage
from tests.tribes.wire import cases

SSO = {case["name"]: bytes.fromhex(case["hex"]) for case in cases("sso")}
KEY = SsoKey("/app", "localhost", "05249E7B5658CC1E4A3CF6BD2FEEEE52")


def read(name: str) -> SsoEntry:
    return SsoEntry.decode(ObjectInputStream(SSO[name]).read_encoded())


def test_a_captured_entry_is_read_with_all_its_fields() -> None:
    entry = read("SingleSignOnEntry with a session")
    principal = SerializablePrincipal("joe", ("a", "b"))
    assert entry == SsoEntry("joe", "secret", "FORM", True, frozenset({KEY}), principal)


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
