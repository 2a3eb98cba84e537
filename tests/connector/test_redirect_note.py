"""The page of a redirect."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalina.connector.redirect_note import redirect_note
from tests.core.node import Node


def test_the_location_is_escaped() -> None:
    page = redirect_note('/x?"><script>')
    assert b"<script>" not in page
    assert b'href="&#47;x?&quot;&gt;&lt;script&gt;"' in page


@pytest.mark.parametrize("path", ["/shop", "/shop/sub"])
def test_redirects_have_a_body_only_when_the_context_says_so(tmp_path: Path, path: str) -> None:
    node = Node(tmp_path)
    context = node.add("shop", {"sub/a.txt": "a"})
    with node:
        assert node.ask(path).body == b""
        context.send_redirect_body = True
        answer = node.ask(path)
    assert answer.status == 302
    assert b"Redirecting to <a href=" in answer.body
