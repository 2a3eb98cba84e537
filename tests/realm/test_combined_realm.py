"""Several realms as one."""

import logging

from catalina.core.standard_context import StandardContext
from catalina.realm.combined_realm import CombinedRealm
from catalina.realm.memory_realm import MemoryRealm
from catalina.realm.message_digest_credential_handler import MessageDigestCredentialHandler
from catalina.realm.null_realm import NullRealm
from catalina.realm.realm import DigestAnswer
from tests.realm.realms import DictRealm, check_realm
from tests.support.stand_in import stand_in
from tests.valves.certificates import make_certificate


def make(*realms):
    combined = CombinedRealm()
    for realm in realms:
        combined.add_realm(realm)
    combined.start()
    return combined


def test_the_first_realm_that_knows_the_user_decides():
    check_realm(make(NullRealm(), DictRealm()))
    combined = make(DictRealm({"bob": ("one", ("1",))}), DictRealm({"bob": ("two", ("2",))}))
    assert combined.authenticate("bob", "two").roles == ("2",)
    assert combined.authenticate_name("bob").roles == ("1",)


def test_certificates_and_digests_are_passed_on():
    combined = make(NullRealm(), DictRealm({"CN=bob, O=Example, C=AT": ("", ())}))
    assert combined.authenticate_certificates([make_certificate()]) is not None
    assert combined.authenticate_digest("bob", stand_in(DigestAnswer, realm_name="", algorithm="MD5")) is None


def test_a_realm_that_does_not_start_is_left_out(tmp_path, caplog):
    with caplog.at_level(logging.ERROR):
        combined = make(MemoryRealm(pathname=str(tmp_path / "none")), DictRealm())
    assert "Failed to start" in caplog.text
    assert len(combined.realms) == 1
    check_realm(combined)


def test_the_container_and_the_paths_reach_the_nested_realms():
    inner = CombinedRealm()
    leaf = DictRealm()
    inner.add_realm(leaf)
    outer = make(NullRealm(), inner)
    container = stand_in(StandardContext, server=None)
    outer.container = container
    assert leaf.container is container
    assert leaf.realm_path == "/realm0/realm1/realm0"


def test_a_credential_handler_is_a_mistake_that_is_said(caplog):
    CombinedRealm().set_credential_handler(MessageDigestCredentialHandler())
    assert "Is this a configuration error?" in caplog.text


def test_background_work_reaches_all_and_availability_is_that_of_any():
    ticks = []

    class Ticking(DictRealm):
        def background_process(self):
            ticks.append(self)

    combined = make(Ticking(), Ticking())
    combined.background_process()
    assert len(ticks) == 2
    assert combined.is_available
    assert not CombinedRealm().is_available
    combined.stop()
    combined.destroy()
    assert all(not realm.state.available for realm in combined.realms)
