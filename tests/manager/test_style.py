"""The style inside of a page."""

from __future__ import annotations

import base64
import hashlib
import re

from catalina.manager.page import POLICY, Links, page, table
from tests.manager.test_page import ENVIRON


def test_the_policy_allows_the_style_that_a_page_has_and_no_other():
    text = page(Links(ENVIRON), "x", [], table("x", [], [])).decode()
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in POLICY
    assert "style=" not in text
