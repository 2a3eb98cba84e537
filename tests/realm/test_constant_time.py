"""Comparison of secrets."""

from hypothesis import given
from hypothesis import strategies as st

from catalina.realm.constant_time import equal_bytes, equal_text


@given(st.text(), st.text())
def test_it_agrees_with_equality(one, other):
    assert equal_text(one, other) == (one == other)
    assert equal_text(one, one)


def test_hexadecimal_digits_may_differ_in_case():
    assert equal_text("ABcd", "abCD", ignore_case=True)
    assert not equal_text("ABcd", "abCD")


def test_bytes_are_compared_too():
    assert equal_bytes(b"a", b"a")
    assert not equal_bytes(b"a", b"ab")
