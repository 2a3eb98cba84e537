"""Nonces: ours, fresh, and each count once."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.authenticator.digest_nonces import NonceCheck, Nonces

CLIENT = "192.0.2.1"


class Clock:
    def __init__(self):
        self.now = 10**12

    def __call__(self):
        return self.now


def make(**values):
    clock = Clock()
    return Nonces(**{"key": "k", "validity_ms": 1000, "cache_size": 100, "window": 10, **values}, clock=clock), clock


def test_a_nonce_is_valid_once_for_each_count():
    nonces, _ = make()
    nonce = nonces.make(CLIENT)
    assert nonces.check(CLIENT, nonce, 1) is NonceCheck.VALID
    assert nonces.check(CLIENT, nonce, 1) is NonceCheck.INVALID
    assert nonces.check(CLIENT, nonce, 2) is NonceCheck.VALID


def test_counts_may_come_out_of_order_within_the_window():
    nonces, _ = make()
    nonce = nonces.make(CLIENT)
    assert nonces.check(CLIENT, nonce, 3) is NonceCheck.VALID
    assert nonces.check(CLIENT, nonce, 1) is NonceCheck.VALID
    assert nonces.check(CLIENT, nonce, 100) is NonceCheck.INVALID


@given(st.lists(st.integers(-5, 40), max_size=60))
def test_no_count_is_accepted_twice(counts):
    nonces, _ = make()
    nonce = nonces.make(CLIENT)
    accepted = [count for count in counts if nonces.check(CLIENT, nonce, count) is NonceCheck.VALID]
    assert len(accepted) == len(set(accepted))


def test_an_old_nonce_is_stale():
    nonces, clock = make()
    nonce = nonces.make(CLIENT)
    clock.now += 1_000_000_001
    assert nonces.check(CLIENT, nonce, 1) is NonceCheck.STALE


def test_a_forgotten_nonce_is_stale_not_foreign(caplog):
    nonces, _ = make(cache_size=1)
    first = nonces.make(CLIENT)
    with caplog.at_level(logging.WARNING):
        nonces.make(CLIENT)
        nonces.make(CLIENT)
    assert nonces.check(CLIENT, first, 1) is NonceCheck.STALE
    assert caplog.text.count("A valid entry has been removed") == 1  # said once in five minutes


def test_a_nonce_belongs_to_its_client_and_server():
    nonces, _ = make()
    nonce = nonces.make(CLIENT)
    assert nonces.check("198.51.100.1", nonce, 1) is NonceCheck.INVALID
    assert make(key="other")[0].check(CLIENT, nonce, 1) is NonceCheck.INVALID


@pytest.mark.parametrize("nonce", ["", ":", "x:y", "1:", "99999999999999999999999:ab", "1:ab"])
def test_what_is_no_nonce_of_ours_is_invalid(nonce):
    assert make()[0].check(CLIENT, nonce, 1) is NonceCheck.INVALID


def test_two_nonces_are_never_equal():
    nonces, _ = make()
    assert len({nonces.make(CLIENT) for _ in range(50)}) == 50
