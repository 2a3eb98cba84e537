"""Pages shown in place of others."""

import pytest

from catalina.authenticator.form_pages import forward
from catalina.core.standard_context import StandardContext
from tests.authenticator.application import secure_node
from tests.support.narrowing import of_type
from tests.valves.exchange import body_of, make_request


def show(node, page):
    context = node.host.find_child("/shop")
    request, response = make_request("/shop/private", context=context, connector=node.connector, host=node.host)
    shown = forward(context, page, request, response)
    assert request.servlet_path == ""
    return shown, body_of(response)


def test_a_page_of_the_application_is_shown(tmp_path):
    with secure_node(tmp_path, "") as node:
        shown, body = show(node, "/login?x=1")
    assert shown
    assert b"|/login|x=1|" in body


def test_a_page_sees_its_own_address_and_the_request_has_its_own_again(tmp_path):
    pages = "def application(environ, start_response):\n    start_response('200 OK', [])\n"
    pages += "    return [environ['REQUEST_URI'].encode()]\n"
    with secure_node(tmp_path, "", **{"WEB-INF/classes/pages.py": pages}) as node:
        context = of_type(StandardContext, node.host.find_child("/shop"))
        request, response = make_request("/shop/private", context=context, connector=node.connector, host=node.host)
        assert forward(context, "/login", request, response)
        assert body_of(response).startswith(b"/shop/login")
        assert request.request_uri == "/shop/private"


@pytest.mark.parametrize("page", ["login", "/../x"])
def test_what_nothing_answers_for_is_not_shown(tmp_path, page, caplog):
    with secure_node(tmp_path, "") as node:
        assert not show(node, page)[0]
    assert "answers for the page" in caplog.text


def test_a_page_that_fails_is_not_shown(tmp_path, caplog):
    broken = {"WEB-INF/classes/pages.py": "def application(environ, start_response):\n    raise ValueError('page')\n"}
    with secure_node(tmp_path, "", **broken) as node:
        assert not show(node, "/login")[0]
    assert "Unexpected error forwarding" in caplog.text
