"""The contract of a realm: without an implementation nobody gets in."""

import pytest

from catalina.realm.realm import Realm


@pytest.mark.parametrize(
    "call",
    [
        lambda realm: realm.authenticate("bob", "x"),
        lambda realm: realm.authenticate_name("bob"),
        lambda realm: realm.authenticate_digest("bob", None),
        lambda realm: realm.authenticate_certificates(()),
        lambda realm: realm.has_role(None, None, "x"),
    ],
)
def test_what_is_not_implemented_lets_nobody_in(call):
    with pytest.raises(NotImplementedError):
        call(Realm())


def test_a_realm_is_available_unless_it_says_otherwise():
    assert Realm().is_available
