"""The facts that are kept about a single sign-on."""

import pytest

from catalina.authenticator.single_sign_on_entry import SingleSignOnEntry


@pytest.mark.parametrize(("auth_type", "can"), [("BASIC", True), ("FORM", True), ("DIGEST", False), (None, False)])
def test_only_passwords_can_log_in_again(auth_type, can):
    entry = SingleSignOnEntry()
    entry.update(None, auth_type, "bob", "secret")
    assert entry.can_reauthenticate is can


def test_the_password_does_not_show():
    assert "secret" not in repr(SingleSignOnEntry(None, "BASIC", "bob", "secret"))
