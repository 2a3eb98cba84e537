from __future__ import annotations

import pytest

from catalina.mbeans.secrets import looks_secret, shown


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "keyPass",
        "keystorePass",
        "connectionPassword",
        "secret",
        "encryptionKey",
        "DB_TOKEN",
        "SSLPassword",
        "pskKey",
        "requiredSecret",
        "key",
    ],
)
def test_secrets_are_recognised_by_their_names(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["port", "secretRequired", "credentialHandler", "keyAlias", "passive", "keyPrefix"])
def test_other_names_are_not(name: str) -> None:
    assert not looks_secret(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("jdbc:mysql://db/shop?user=x&password=hunter2&ssl=true", "jdbc:mysql://db/shop?user=x&password=***&ssl=true"),
        ("postgresql://shop:hunter2@db/shop", "postgresql://shop:***@db/shop"),
        ("user=x;PWD=hunter2", "user=x;PWD=***"),
        ("jdbc:sqlite:temp/a.db", "jdbc:sqlite:temp/a.db"),
        ("http://proxy:8080/a@b", "http://proxy:8080/a@b"),
    ],
)
def test_passwords_inside_of_a_value_are_not_shown(value: str, expected: str) -> None:
    assert shown("connectionURL", value) == expected
    assert shown("password", value) == "***"
