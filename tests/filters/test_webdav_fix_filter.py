"""Old WebDAV clients."""

import pytest

from catalina.filters.webdav_fix_filter import WebdavFixFilter
from tests.filters.middleware import Stand


@pytest.mark.parametrize("agent", ["Microsoft-WebDAV-MiniRedir/5.1.2600", "Microsoft-WebDAV-MiniRedir/6.0"])
def test_the_mini_redirector_is_redirected_to_the_port(agent):
    reply = Stand(WebdavFixFilter()).ask("/x", HTTP_USER_AGENT=agent)
    assert reply.status == 302
    assert reply.get("Location") == "http://shop.example:80/shop/x"


@pytest.mark.parametrize("agent", ["", "curl", "Microsoft-WebDAV-MiniRedir/5.2.3790"])
def test_others_pass(agent):
    assert Stand(WebdavFixFilter()).ask(HTTP_USER_AGENT=agent).status == 200
