"""Several handlers as one."""

from catalina.realm.message_digest_credential_handler import MessageDigestCredentialHandler
from catalina.realm.nested_credential_handler import NestedCredentialHandler
from catalina.realm.secret_key_credential_handler import SecretKeyCredentialHandler
from tests.support.narrowing import there


def test_any_handler_may_know_the_stored_form():
    old, new = MessageDigestCredentialHandler(algorithm="MD5", salt_length=0), SecretKeyCredentialHandler(iterations=2)
    nested = NestedCredentialHandler()
    nested.handlers += [new, old]
    assert nested.matches("secret", old.mutate("secret"))
    assert nested.matches("secret", new.mutate("secret"))
    assert not nested.matches("Secret", new.mutate("secret"))


def test_new_forms_are_made_by_the_first():
    nested = NestedCredentialHandler()
    nested.handlers += [SecretKeyCredentialHandler(iterations=7), MessageDigestCredentialHandler()]
    assert there(nested.mutate("secret")).split("$")[1] == "7"


def test_without_handlers_nothing_matches():
    assert not NestedCredentialHandler().matches("a", "a")
    assert NestedCredentialHandler().mutate("a") is None
