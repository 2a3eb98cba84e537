"""How the cookies of one application are written."""

from __future__ import annotations

import pytest

from catalina.attributes import AttributeRefused
from catalina.tomcat.util.http.rfc6265_cookie_processor import Rfc6265CookieProcessor


def test_attributes_and_defaults_are_tomcats() -> None:
    processor = Rfc6265CookieProcessor()
    assert (processor.same_site_cookies, processor.partitioned, processor.cookies_without_equals) == (
        "unset",
        False,
        "name",
    )
    assert processor.set_attribute("sameSiteCookies", "LAX")
    assert processor.same_site_cookies == "lax"
    with pytest.raises(AttributeRefused, match="one of unset, none, lax, strict"):
        processor.set_attribute("sameSiteCookies", "perhaps")
