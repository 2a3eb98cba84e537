"""Pieces of pages."""

from __future__ import annotations

import base64
import hashlib
import re

from catalina.core.application_context import ApplicationContext
from catalina.manager.page import POLICY, Links, form, page, table
from tests.support.stand_in import stand_in

ENVIRON = {
    "catalina.context": stand_in(ApplicationContext, context_path="/manager"),
    "org.apache.catalina.filters.CSRF_REQUEST_NONCE": "ABC",
    "org.apache.catalina.filters.CSRF_NONCE_PARAM_NAME": "nonce",
}


def test_whatever_is_put_in_is_escaped():
    assert "<b>" not in table("<b>", ["<b>"], [["<b>", 1]], '"<b>')
    assert "<b>" not in form("<b>", "<b>", hidden={"<b>": "<b>"}, kind="<b>", label="<b>")
    assert b"<b>" not in page(Links(ENVIRON), "<b>", [("<b>", "<b>")], table("x", [], []))


def test_links_have_the_nonce():
    assert Links(ENVIRON).to("/html/list") == "/manager/html/list?nonce=ABC"
    assert Links(ENVIRON).to("/html/stop", "path=/a") == "/manager/html/stop?path=/a&nonce=ABC"
    assert Links({"catalina.context": stand_in(ApplicationContext, context_path="")}).to("/x") == "/x"


def test_the_policy_allows_the_style_that_a_page_has_and_no_other():
    text = page(Links(ENVIRON), "x", [], table("x", [], [])).decode()
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in POLICY
    assert "style=" not in text
