"""A realm without users."""

from catalina.realm.null_realm import NullRealm


def test_nobody_is_a_user():
    realm = NullRealm()
    realm.start()
    assert realm.authenticate("bob", "secret") is None
    assert realm.authenticate_name("bob") is None
