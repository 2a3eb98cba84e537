"""Locking users out."""

import logging

from catalina.realm.lock_out_realm import LockOutRealm
from tests.realm.realms import DictRealm, check_realm
from tests.valves.certificates import make_certificate


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def make(realm=None, **values):
    locking = LockOutRealm(**values)
    locking.clock = Clock()
    locking.add_realm(realm or DictRealm())
    locking.start()
    return locking


def fail(realm, times=5, username="bob"):
    for _ in range(times):
        assert realm.authenticate(username, "wrong") is None


def test_a_user_who_remembers_logs_in():
    check_realm(make(failure_count=100))


def test_after_five_failures_the_right_password_is_refused(caplog):
    realm = make()
    fail(realm)
    with caplog.at_level(logging.WARNING):
        assert realm.authenticate("bob", "secret") is None
    assert "An attempt was made to authenticate the locked user [bob]" in caplog.text


def test_four_failures_and_a_success_start_the_count_anew():
    realm = make()
    fail(realm, 4)
    assert realm.authenticate("bob", "secret") is not None
    fail(realm, 4)
    assert realm.authenticate("bob", "secret") is not None


def test_the_lock_ends_with_time_and_starts_anew_with_each_try():
    realm = make()
    fail(realm)
    realm.clock.now += 299
    fail(realm, 1)
    realm.clock.now += 299
    assert realm.authenticate("bob", "secret") is None
    realm.clock.now += 301
    assert realm.authenticate("bob", "secret") is not None


def test_after_the_lock_the_count_starts_at_one():
    realm = make()
    fail(realm)
    realm.clock.now += 301
    fail(realm, 4)
    assert realm.authenticate("bob", "secret") is not None


def test_case_does_not_help_an_attacker_unless_it_counts():
    realm = make()
    fail(realm, username="BOB")
    assert realm.is_locked("bob")
    realm = make(case_sensitive=True)
    fail(realm, username="BOB")
    assert not realm.is_locked("bob")


def test_a_user_can_be_unlocked_by_hand():
    realm = make()
    fail(realm)
    realm.unlock("bob")
    assert realm.authenticate("bob", "secret") is not None


def test_failures_do_not_count_while_the_store_is_down():
    class Down(DictRealm):
        @property
        def is_available(self):
            return False

    realm = make(Down())
    fail(realm, 10)
    assert realm.authenticate("bob", "secret") is not None


def test_the_table_has_a_bound_and_says_when_it_forgets(caplog):
    realm = make(cache_size=2)
    with caplog.at_level(logging.WARNING):
        for name in ("a", "b", "c"):
            fail(realm, 5, name)
    assert "User [a] was removed from the failed users cache" in caplog.text
    assert not realm.is_locked("a")
    assert realm.is_locked("c")


def test_certificates_are_locked_by_their_subject():
    realm = make()
    for _ in range(5):
        assert realm.authenticate_certificates([make_certificate("eve")]) is None
    assert realm.is_locked("CN=eve, O=Example, C=AT")
    assert realm.authenticate_certificates([]) is None
