"""Security headers."""

from typing import Any

import pytest

from catalina.attributes import AttributeRefused
from catalina.errors import DeploymentError
from catalina.filters.http_header_security_filter import HttpHeaderSecurityFilter
from tests.filters.middleware import CONTEXT, Stand, configured, unreached

SECURE: dict[str, Any] = {"wsgi.url_scheme": "https"}


def test_the_defaults_forbid_frames_and_sniffing():
    reply = Stand(HttpHeaderSecurityFilter()).ask()
    assert reply.get("X-Frame-Options") == "DENY"
    assert reply.get("X-Content-Type-Options") == "nosniff"
    assert reply.get("Strict-Transport-Security") is None
    assert reply.get("X-XSS-Protection") is None


def test_secure_requests_are_told_to_stay_secure():
    made = configured(
        HttpHeaderSecurityFilter(), hstsMaxAgeSeconds="60", hstsIncludeSubDomains="true", hstsPreload="true"
    )
    reply = Stand(made).ask(**SECURE)
    assert reply.get("Strict-Transport-Security") == "max-age=60;includeSubDomains;preload"


def test_a_negative_age_is_zero():
    reply = Stand(configured(HttpHeaderSecurityFilter(), hstsMaxAgeSeconds="-5")).ask(**SECURE)
    assert reply.get("Strict-Transport-Security") == "max-age=0"


def test_one_site_may_be_allowed_to_frame():
    made = configured(HttpHeaderSecurityFilter(), antiClickJackingOption="allow-from", antiClickJackingUri="https://a/")
    assert Stand(made).ask().get("X-Frame-Options") == "ALLOW-FROM https://a/"
    with pytest.raises(DeploymentError, match="antiClickJackingUri"):
        configured(HttpHeaderSecurityFilter(), antiClickJackingOption="ALLOW-FROM").start(unreached, CONTEXT)


def test_everything_can_be_switched_off_and_the_old_header_on():
    made = configured(
        HttpHeaderSecurityFilter(), antiClickJackingEnabled="false", blockContentTypeSniffingEnabled="false",
        hstsEnabled="false", xssProtectionEnabled="true",
    )  # fmt: skip
    reply = Stand(made).ask(**SECURE)
    assert reply.headers == [("X-XSS-Protection", "1; mode=block")]


def test_the_applications_own_header_stays():
    stand = Stand(HttpHeaderSecurityFilter(), headers=[("X-Frame-Options", "SAMEORIGIN")])
    assert stand.ask().get_all("X-Frame-Options") == ["SAMEORIGIN"]


@pytest.mark.parametrize("uri", ["https://a b", "http:", "<x>", "https://a/%zz", ":x", "https://a/\r\nX: y"])
def test_what_is_no_uri_stops_the_application(uri):
    made = HttpHeaderSecurityFilter()
    with pytest.raises(AttributeRefused, match="a URI"):
        made.set_attribute("antiClickJackingUri", uri)
    with pytest.raises(DeploymentError, match="antiClickJackingUri"):
        made.start(unreached, CONTEXT)
