"""The contract of credential handlers."""

import pytest

from catalina.realm.credential_handler import CredentialHandler


def test_what_is_not_implemented_matches_nothing():
    with pytest.raises(NotImplementedError):
        CredentialHandler().matches("a", "a")
    with pytest.raises(NotImplementedError):
        CredentialHandler().mutate("a")
