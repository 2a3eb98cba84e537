"""Takes the subject of a client certificate for the user name (Tomcat: realm/X509SubjectDnRetriever.java)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, Name

__all__ = ["X509SubjectDnRetriever", "subject_name"]

#: Keywords of java.security.cert for the attributes of a name; other attributes are written as ``OID.1.2.3=``.
_KEYWORDS = {
    "2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "STREET", "2.5.4.10": "O",
    "2.5.4.11": "OU", "2.5.4.12": "T", "2.5.4.42": "GIVENNAME", "2.5.4.4": "SURNAME", "2.5.4.43": "INITIALS",
    "2.5.4.44": "GENERATION", "2.5.4.46": "DNQUALIFIER", "2.5.4.5": "SERIALNUMBER",
    "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID", "1.2.840.113549.1.9.1": "EMAILADDRESS",
}  # fmt: skip
_SPECIAL = frozenset(',+="\n<>#;\\')


class X509SubjectDnRetriever:
    """Uses the whole subject as the user's name, as Java writes it: ``CN=Bob, OU=Shop, O=Example``."""

    def get_username(self, certificate: Certificate) -> str:
        """The name under which the realm looks the user up."""
        return subject_name(certificate.subject)


def subject_name(name: Name) -> str:
    """A name in the form of ``X500Principal.toString()``: most specific part first."""
    parts = []
    for rdn in reversed(list(name.rdns)):
        pairs = [
            f"{_KEYWORDS.get(one.oid.dotted_string, f'OID.{one.oid.dotted_string}')}={_quoted(str(one.value))}"
            for one in rdn
        ]
        parts.append(" + ".join(pairs))
    return ", ".join(parts)


def _quoted(value: str) -> str:
    if value and not _SPECIAL.intersection(value) and value == value.strip() and "  " not in value:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
