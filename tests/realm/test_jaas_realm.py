"""JAAS: recognised and closed."""

import logging

from catalina.realm.jaas_realm import JAASRealm


def test_it_starts_with_a_warning_and_lets_nobody_in(caplog):
    realm = JAASRealm(app_name="Shop")
    with caplog.at_level(logging.WARNING):
        realm.start()
    assert "every login through this realm is refused" in caplog.text
    assert realm.authenticate("bob", "secret") is None
