"""A directory in memory: ldap3's own mock server behind the realm's connections."""

from __future__ import annotations

from catalina.realm.ldap_directory import load_ldap3

ldap3 = load_ldap3()

ENTRIES = {
    "cn=manager,dc=example": {"userPassword": "manager", "objectClass": "person"},
    "uid=bob,ou=people,dc=example": {
        "uid": "bob", "userPassword": "secret", "objectClass": "person", "memberOf": ["staff"], "number": "7",
    },
    "uid=ann,ou=people,dc=example": {"uid": "ann", "userPassword": "x", "objectClass": "person"},
    "uid=twin,ou=people,dc=example": {"uid": "twin", "userPassword": "x", "objectClass": "person"},
    "cn=twin2,ou=people,dc=example": {"uid": "twin", "cn": "twin2", "userPassword": "x", "objectClass": "person"},
    "cn=user,ou=groups,dc=example": {
        "cn": "user", "objectClass": "groupOfNames", "member": ["uid=bob,ou=people,dc=example"],
    },
    "cn=admin,ou=groups,dc=example": {
        "cn": "admin", "objectClass": "groupOfNames", "member": ["cn=user,ou=groups,dc=example"],
    },
    "cn=seven,ou=groups,dc=example": {"cn": "seven", "objectClass": "groupOfNames", "member": ["7"]},
}  # fmt: skip


class MemoryServer:
    """Makes connections to the entries; can be switched off."""

    def __init__(self) -> None:
        self.down = False
        self.opened: list[tuple[str, str]] = []

    def connect(self, url, user, password):
        if self.down:
            raise ldap3.core.exceptions.LDAPSocketOpenError("connection refused")
        self.opened.append((url.host, user))
        connection = ldap3.Connection(
            ldap3.Server(url.host, get_info=ldap3.NONE), user or None, password or None,
            client_strategy=ldap3.MOCK_SYNC,
        )  # fmt: skip
        for dn, attributes in ENTRIES.items():
            connection.strategy.add_entry(dn, attributes)
        return connection
