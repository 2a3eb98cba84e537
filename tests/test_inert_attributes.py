"""An attribute without effect is declared so, as data: no wording of its documentation stands for it."""

from __future__ import annotations

import re

from catalina.connector.tls_contexts import CERTIFICATE_NAMES, HOST_NAMES
from catalina.coyote.http11.tls_attributes import TlsAttributes
from catalina.startup.reference import component_classes
from catalina.tomcat.util.net.ssl_host_config import SSLHostConfig
from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate

#: How documentation used to say it, unseen by the digester.
_SAID_IN_WORDS = re.compile(
    r"(?i)^(java only|recognised|windows only|read and kept|without effect|no effect|ignored)\b"
)


def test_no_documentation_says_what_the_declaration_should() -> None:
    said_in_words = [
        f"{kind.__name__}.{name}: {declaration.doc}"
        for kind in component_classes()
        for name, declaration in kind.attributes().items()
        if _SAID_IN_WORDS.match(declaration.doc)
    ]
    assert said_in_words == []


def test_a_reason_can_follow_a_colon() -> None:
    """The digester says ``name has no effect: reason``."""
    wrong = [
        f"{kind.__name__}.{name}: {declaration.inert}"
        for kind in component_classes()
        for name, declaration in kind.attributes().items()
        if declaration.inert.endswith(".") or declaration.inert[:1] == " "
    ]
    assert wrong == []


def test_the_older_place_of_an_attribute_without_effect_has_none_either() -> None:
    for names, kind in ((HOST_NAMES, SSLHostConfig), (CERTIFICATE_NAMES, SSLHostConfigCertificate)):
        today = {old: kind.attributes()[new].inert for old, new in names.items()}
        assert {old: TlsAttributes.declared[old].inert for old in names} == today
