from __future__ import annotations

import pytest

from catalina.mbeans.secrets import looks_secret


@pytest.mark.parametrize(
    "name",
    ["password", "keyPass", "keystorePass", "connectionPassword", "secret", "encryptionKey", "DB_TOKEN", "SSLPassword"],
)
def test_secrets_are_recognised_by_their_names(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["port", "secretRequired", "credentialHandler", "keyAlias", "passive", "keyPrefix"])
def test_other_names_are_not(name: str) -> None:
    assert not looks_secret(name)
