"""Names of certificates as Java writes them."""

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from catalina.realm.x509_subject_dn_retriever import X509SubjectDnRetriever, subject_name
from tests.valves.certificates import make_certificate


def test_the_most_specific_part_comes_first():
    assert X509SubjectDnRetriever().get_username(make_certificate()) == "CN=bob, O=Example, C=AT"


def test_special_characters_are_quoted():
    name = make_certificate("bob", organisation='Example, "Inc"').subject
    assert subject_name(name) == 'CN=bob, O="Example, \\"Inc\\"", C=AT'


def test_several_values_of_one_part_are_joined_and_unknown_ones_numbered():
    name = x509.Name([
        x509.RelativeDistinguishedName([x509.NameAttribute(ObjectIdentifier("1.2.3.4"), "x")]),
        x509.RelativeDistinguishedName([
            x509.NameAttribute(NameOID.COMMON_NAME, "bob"), x509.NameAttribute(NameOID.EMAIL_ADDRESS, "b@x.example"),
        ]),
    ])  # fmt: skip
    text = subject_name(name)
    assert text.endswith(", OID.1.2.3.4=x")
    assert set(text.split(", ")[0].split(" + ")) == {"CN=bob", "EMAILADDRESS=b@x.example"}
