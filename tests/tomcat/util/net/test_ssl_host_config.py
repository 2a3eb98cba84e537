from __future__ import annotations

import pytest

from catalina.attributes import AttributeRefused
from catalina.errors import ConfigurationError
from catalina.tomcat.util.net.ssl_host_config import SSLHostConfig
from catalina.tomcat.util.net.ssl_host_config_certificate import SSLHostConfigCertificate


@pytest.mark.parametrize(
    ("text", "mode"), [("want", "optional"), ("TRUE", "required"), ("optional_no_ca", "optionalNoCA"), ("no", "none")]
)
def test_old_words_for_client_certificates_are_understood(text, mode):
    config = SSLHostConfig()
    config.set_attribute("certificateVerification", text)
    assert config.certificate_verification == mode


def test_an_unknown_word_for_client_certificates_is_refused():
    with pytest.raises(AttributeRefused):
        SSLHostConfig().set_attribute("certificateVerification", "maybe")


@pytest.mark.parametrize(
    ("own", "name", "matches"),
    [
        ("shop.example.org", "shop.example.org", True),
        ("Shop.example.org", "shop.example.org", True),
        ("*.example.org", "shop.example.org", True),
        ("*.example.org", "example.org", False),
        ("*.example.org", "a.shop.example.org", False),
        ("_default_", "shop.example.org", False),
    ],
)
def test_names_match_exactly_or_by_one_label(own, name, matches):
    assert SSLHostConfig(host_name=own).matches(name) is matches


def test_several_certificates_need_different_types():
    config = SSLHostConfig()
    config.add_certificate(SSLHostConfigCertificate(type="RSA"))
    config.add_certificate(SSLHostConfigCertificate(type="EC"))
    with pytest.raises(ConfigurationError, match="type"):
        config.add_certificate(SSLHostConfigCertificate(type="RSA"))
    with pytest.raises(ConfigurationError, match="type"):
        config.add_certificate(SSLHostConfigCertificate())
