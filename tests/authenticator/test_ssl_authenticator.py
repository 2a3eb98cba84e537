"""Client certificates."""

from catalina.core.standard_context import StandardContext
from catalina.realm.client_certificates import CERTIFICATES_ATTRIBUTE
from catalina.valves.ssl_valve import SSLValve
from catalina.valves.valve_base import ValveBase
from tests.authenticator.application import PROTECTED, login_config, secure_node, text
from tests.support.narrowing import of_type
from tests.valves.certificates import make_certificate, pem

INNER = PROTECTED + login_config("CLIENT-CERT")
USERS = {"CN=bob, O=Example, C=AT": ("", ("user",))}


class Tls(ValveBase):
    """Stands for a TLS connection with a client certificate."""

    def __init__(self, certificate):
        super().__init__()
        self.certificate = certificate

    def invoke(self, request, response):
        request.attributes[CERTIFICATES_ATTRIBUTE] = (self.certificate,)
        self.next.invoke(request, response)


def test_the_certificates_subject_is_the_user(tmp_path):
    node = secure_node(tmp_path, INNER, USERS)
    node.engine.add_valve(Tls(make_certificate()))
    with node:
        assert text(node.ask("/shop/private/x")).startswith("CN=bob, O=Example, C=AT|CLIENT_CERT")


def test_a_certificate_from_a_proxys_header_counts_too(tmp_path):
    node = secure_node(tmp_path, INNER, USERS)
    node.engine.add_valve(SSLValve())
    with node:
        headers = {"ssl_client_cert": " ".join(pem(make_certificate()).split("\n"))}
        assert node.ask("/shop/private/x", headers=headers).status == 200


def test_without_a_certificate_it_is_401_without_a_challenge(tmp_path):
    with secure_node(tmp_path, INNER, USERS) as node:
        answer = node.ask("/shop/private/x")
    assert answer.status == 401
    assert answer.get("WWW-Authenticate") is None
    assert b"No client certificate chain in this request" in answer.body


def test_an_unknown_or_expired_certificate_is_refused(tmp_path):
    for certificate in (make_certificate("eve"), make_certificate(days=-1)):
        node = secure_node(tmp_path, INNER, USERS)
        node.engine.add_valve(Tls(certificate))
        with node:
            answer = node.ask("/shop/private/x")
        assert answer.status == 401
        assert b"Cannot authenticate with the provided credentials" in answer.body


def test_a_certificate_is_preemptive(tmp_path):
    node = secure_node(tmp_path, INNER, USERS)
    of_type(StandardContext, node.host.find_child("/shop")).preemptive_authentication = True
    node.engine.add_valve(Tls(make_certificate()))
    with node:
        assert text(node.ask("/shop/open")).startswith("CN=bob")
