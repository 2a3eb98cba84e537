from __future__ import annotations

from catalina.util.tomcat_css import escape_text


def test_text_is_escaped_as_tomcat_does() -> None:
    assert escape_text("</a>'\"&") == "&lt;&#47;a&gt;&#39;&quot;&amp;"
