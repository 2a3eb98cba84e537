"""Error pages of another server."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from catalina.core.standard_context import StandardContext
from catalina.core.standard_server import StandardServer
from catalina.valves.proxy_error_report_valve import ProxyErrorReportValve
from tests.support.stand_in import stand_in
from tests.valves.exchange import body_of, make_request, run


@pytest.fixture
def page_server():
    """A server whose page is what it was asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.path.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


def fail(valve, uri="/x y", message="no such thing"):
    request, response = make_request(uri)
    run(valve, request, response, lambda _request, response: response.send_error(404, message))
    return response


def test_the_page_is_fetched_with_the_error_in_its_query(page_server):
    valve = ProxyErrorReportValve()
    valve.set_attribute("errorCode.404", f"{page_server}/error?a=1")
    response = fail(valve)
    path = urlsplit(body_of(response).decode())
    query = parse_qs(path.query)
    assert response.status == 404
    assert response.content_type == "text/plain"
    assert query["a"] == ["1"]
    assert query["requestUri"] == ["/x y"]
    assert query["statusCode"] == ["404"]
    assert query["statusReason"] == ["Not Found"]
    assert query["message"] == ["no such thing"]


def test_without_report_the_message_is_kept_back(page_server):
    valve = ProxyErrorReportValve(show_report=False)
    valve.set_attribute("errorCode.0", f"{page_server}/error")
    assert b"message" not in body_of(fail(valve))


def test_the_client_can_be_redirected():
    valve = ProxyErrorReportValve(use_redirect=True)
    valve.set_attribute("errorCode.404", "https://errors.example/page")
    response = fail(valve)
    assert response.status == 302
    assert response.get_header("Location").startswith("https://errors.example/page?requestUri=%2Fx+y&statusCode=404")


def test_urls_can_come_from_a_properties_file(tmp_path, page_server):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "ProxyErrorReportValve.properties").write_text(f"0={page_server}/all\n")
    valve = ProxyErrorReportValve(use_properties_file=True)
    valve.container = stand_in(
        StandardContext, server=stand_in(StandardServer, catalina_base=tmp_path), name="localhost"
    )
    valve.start()
    assert body_of(fail(valve)).startswith(b"/all?")


def test_a_server_that_does_not_answer_leaves_our_own_page(caplog):
    valve = ProxyErrorReportValve()
    valve.set_attribute("errorCode.404", "http://127.0.0.1:9/error")
    assert b"HTTP Status 404" in body_of(fail(valve))
    assert "Proxy error to" in caplog.text


def test_only_http_is_fetched():
    valve = ProxyErrorReportValve()
    valve.set_attribute("errorCode.404", "file:///etc/passwd")
    assert b"root:" not in body_of(fail(valve))


def test_errors_without_a_url_get_our_own_page():
    assert b"HTTP Status 404" in body_of(fail(ProxyErrorReportValve()))
