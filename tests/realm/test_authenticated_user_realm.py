"""Users that somebody else has authenticated."""

from catalina.realm.authenticated_user_realm import AuthenticatedUserRealm
from catalina.realm.generic_principal import GenericPrincipal


def test_names_are_users_and_passwords_prove_nothing():
    realm = AuthenticatedUserRealm()
    realm.start()
    assert realm.authenticate_name("bob") == GenericPrincipal("bob")
    assert realm.authenticate("bob", "secret") is None
