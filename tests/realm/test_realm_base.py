"""The common part of realms."""

import hashlib
import logging

import pytest

from catalina.attributes import AttributeRefused
from catalina.core.standard_wrapper import StandardWrapper
from catalina.errors import LifecycleError
from catalina.realm.message_digest_credential_handler import MessageDigestCredentialHandler
from catalina.realm.realm import DigestAnswer
from catalina.realm.realm_base import RealmBase
from catalina.realm.secret_key_credential_handler import SecretKeyCredentialHandler
from tests.realm.realms import DictRealm, check_realm
from tests.support.narrowing import there
from tests.support.stand_in import stand_in
from tests.valves.certificates import make_certificate


def started(realm):
    realm.start()
    return realm


def answer(password="secret", algorithm="SHA-256", **changes):
    """The answer that a client computes (RFC 7616)."""
    hash_name = algorithm.replace("-", "").lower()

    def h(text):
        return hashlib.new(hash_name, text.encode()).hexdigest()

    a2 = h("GET:/")
    parts = {"nonce": "n", "nc": "00000001", "cnonce": "c", "qop": "auth"}
    response = h(":".join((h(f"bob:Shop:{password}"), *parts.values(), a2)))
    values = {**parts, "realm_name": "Shop", "digest_a2": a2, "algorithm": algorithm, "response": response}
    return stand_in(DigestAnswer, **{**values, **changes})


def test_a_realm_compares_clear_text_by_default():
    check_realm(started(DictRealm()))


def test_a_realm_compares_with_its_credential_handler():
    handler = MessageDigestCredentialHandler(algorithm="SHA-256")
    realm = DictRealm({"bob": (there(handler.mutate("secret")), ("user",))})
    realm.set_credential_handler(handler)
    check_realm(started(realm))


def test_the_old_attribute_digest_still_means_digests():
    realm = DictRealm({"bob": (hashlib.md5(b"secret").hexdigest(), ("user",))})
    assert realm.set_attribute("digest", "MD5")
    check_realm(started(realm))
    with pytest.raises(AttributeRefused):
        realm.set_attribute("digest", "MD2")


def test_an_unknown_user_costs_as_much_as_a_known_one():
    realm = started(DictRealm())
    made = []

    class Counting(MessageDigestCredentialHandler):
        def mutate(self, credentials):
            made.append(credentials)
            return credentials

    realm.set_credential_handler(Counting())
    realm.authenticate("nobody", "guess")
    assert made == ["guess"]


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_digest_answers_are_compared(algorithm):
    realm = started(DictRealm())
    assert realm.authenticate_digest("bob", answer(algorithm=algorithm)).name == "bob"
    assert realm.authenticate_digest("bob", answer("wrong", algorithm)) is None
    assert realm.authenticate_digest("nobody", answer(algorithm=algorithm)) is None
    assert realm.authenticate_digest("bob", answer(algorithm=algorithm, nc="00000002")) is None


def test_digest_works_with_a_store_of_the_same_digests():
    stored = hashlib.sha256(b"bob:Shop:secret").hexdigest()
    realm = DictRealm({"bob": (stored, ())})
    realm.set_credential_handler(MessageDigestCredentialHandler(algorithm="SHA-256"))
    assert started(realm).authenticate_digest("bob", answer()).name == "bob"


def test_digest_works_beside_a_handler_that_derives_keys():
    realm = DictRealm({"bob": ("secret", ())})
    realm.set_credential_handler(SecretKeyCredentialHandler())  # BASIC compares with keys, DIGEST needs the password
    assert started(realm).authenticate_digest("bob", answer()).name == "bob"


def test_digest_fails_with_a_store_of_other_digests(caplog):
    realm = DictRealm({"bob": (hashlib.sha1(b"secret").hexdigest(), ())})
    realm.set_credential_handler(MessageDigestCredentialHandler(algorithm="SHA-1"))
    realm.start()
    with caplog.at_level(logging.DEBUG):
        assert realm.authenticate_digest("bob", answer()) is None
    assert "password was stored in Realm using [SHA-1]" in caplog.text


def test_a_certificates_subject_is_the_users_name():
    realm = started(DictRealm({"CN=bob, O=Example, C=AT": ("", ("user",))}))
    assert realm.authenticate_certificates([make_certificate()]).name == "CN=bob, O=Example, C=AT"
    assert realm.authenticate_certificates([make_certificate("eve")]) is None
    assert realm.authenticate_certificates([]) is None


def test_an_expired_certificate_proves_nothing_unless_told_so():
    realm = started(DictRealm({"CN=bob, O=Example, C=AT": ("", ())}))
    expired = make_certificate(days=-1)
    assert realm.authenticate_certificates([expired]) is None
    realm.validate = False
    assert realm.authenticate_certificates([expired]) is not None


class CommonName:
    """Takes the CN as the user's name."""

    def get_username(self, certificate):
        return certificate.subject.rfc4514_string().partition("CN=")[2].split(",")[0]


def test_another_class_can_make_the_name():
    realm = DictRealm()
    realm.set_attribute("X509UsernameRetrieverClassName", f"{__name__}.CommonName")
    assert started(realm).authenticate_certificates([make_certificate()]).name == "bob"


@pytest.mark.parametrize("name", ["no.such.module.Class", f"{__name__}.Missing", "nothing"])
def test_a_class_that_there_is_not_stops_the_start(name):
    with pytest.raises(LifecycleError, match="Cannot create object"):
        DictRealm(x509_username_retriever_class_name=name).start()


def test_roles_are_looked_at_under_the_name_the_context_maps_them_to():
    realm = started(DictRealm())
    bob = realm.authenticate("bob", "secret")
    wrapper = stand_in(StandardWrapper, role_mappings={"customer": "user"})
    assert realm.has_role(wrapper, bob, "customer")
    assert not realm.has_role(None, bob, "customer")


def test_a_realm_that_was_not_started_lets_nobody_in():
    with pytest.raises(LifecycleError, match="must be started"):
        DictRealm().authenticate("bob", "secret")


def test_a_realm_says_what_it_knows():
    with pytest.raises(NotImplementedError):
        RealmBase().get_password("bob")
    with pytest.raises(NotImplementedError):
        RealmBase().get_principal("bob")


def test_a_realm_without_container_has_no_server():
    assert DictRealm().server is None
