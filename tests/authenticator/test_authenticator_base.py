"""Constraints, transport, roles, sessions: what all authenticators share. BASIC stands for them."""

import pytest

from catalina.authenticator.authenticator_base import CORS_FILTER, AuthenticatorBase, may_bypass
from catalina.authenticator.basic_authenticator import BasicAuthenticator
from catalina.core.standard_context import StandardContext
from catalina.descriptor.elements import FilterDef, FilterMap
from catalina.errors import AuthenticationError, LifecycleError
from catalina.realm.realm_base import RealmBase
from tests.authenticator.application import PROTECTED, Browser, basic, login_config, secure_node, text
from tests.support.narrowing import of_type
from tests.support.stand_in import stand_in
from tests.valves.exchange import make_request

BASIC = PROTECTED + login_config("BASIC")
BOB = basic("bob", "secret")


def constraint(inner, pattern="/private/*"):
    return f"""<security-constraint><web-resource-collection><web-resource-name>x</web-resource-name>
      <url-pattern>{pattern}</url-pattern></web-resource-collection>{inner}</security-constraint>"""


def authenticator(node):
    context = node.host.find_child("/shop")
    return next(valve for valve in context.pipeline.valves if isinstance(valve, AuthenticatorBase))


def test_an_unprotected_page_asks_nobody(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        answer = node.ask("/shop/open")
    assert answer.status == 200
    assert answer.get("Cache-Control") is None


def test_a_protected_page_asks_for_a_login(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        assert node.ask("/shop/private/x").status == 401


def test_the_right_role_passes_and_the_application_sees_the_user(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        answer = node.ask("/shop/private/x", headers=BOB)
    assert answer.status == 200
    assert text(answer).startswith("bob|BASIC|GET|/private/x")


def test_the_wrong_role_is_refused(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        assert node.ask("/shop/private/x", headers=basic("ann", "x")).status == 403


def test_an_empty_auth_constraint_refuses_everybody_without_asking(tmp_path):
    with secure_node(tmp_path, constraint("<auth-constraint/>") + login_config("BASIC")) as node:
        answer = node.ask("/shop/private/x", headers=BOB)
    assert answer.status == 403
    assert answer.get("WWW-Authenticate") is None


def test_any_logged_in_user_passes_two_stars(tmp_path):
    inner = constraint("<auth-constraint><role-name>**</role-name></auth-constraint>") + login_config("BASIC")
    with secure_node(tmp_path, inner) as node:
        assert node.ask("/shop/private/x", headers=basic("ann", "x")).status == 200
        assert node.ask("/shop/private/x").status == 401


def test_protected_answers_must_not_be_shared(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        assert node.ask("/shop/private/x", headers=BOB).get("Cache-Control") == "private"
        assert node.ask("/shop/private/x", "POST", BOB).get("Cache-Control") is None
        authenticator(node).secure_pages_with_pragma = True
        answer = node.ask("/shop/private/x", headers=BOB)
        assert (answer.get("Pragma"), answer.get("Cache-Control")) == ("No-cache", "no-cache")
        authenticator(node).disable_proxy_caching = False
        assert node.ask("/shop/private/x", headers=BOB).get("Cache-Control") is None


CONFIDENTIAL = constraint(
    "<user-data-constraint><transport-guarantee>CONFIDENTIAL</transport-guarantee></user-data-constraint>"
)


def test_a_page_that_needs_tls_is_redirected_to_it(tmp_path):
    with secure_node(tmp_path, CONFIDENTIAL + login_config("BASIC")) as node:
        node.connector.redirect_port = 8443
        answer = node.ask("/shop/private/x?a=1")
    assert answer.status == 302
    assert answer.get("Location") == "https://localhost:8443/shop/private/x?a=1"


def test_the_default_port_of_tls_is_not_written(tmp_path):
    with secure_node(tmp_path, CONFIDENTIAL + login_config("BASIC")) as node:
        node.connector.redirect_port = 443
        assert node.ask("/shop/private/x").get("Location") == "https://localhost/shop/private/x"


def test_without_a_tls_port_the_page_is_refused(tmp_path):
    with secure_node(tmp_path, CONFIDENTIAL + login_config("BASIC")) as node:
        node.connector.redirect_port = 0
        assert node.ask("/shop/private/x").status == 403


def test_the_realm_chooses_the_status_of_the_redirect(tmp_path):
    node = secure_node(tmp_path, CONFIDENTIAL + login_config("BASIC"))
    of_type(RealmBase, node.engine.realm).transport_guarantee_redirect_status = 307
    with node:
        assert node.ask("/shop/private/x").status == 307


def test_a_login_is_remembered_in_the_session_under_a_new_id(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        browser = Browser(node)
        browser.ask("/shop/keep")
        before = browser.cookies["JSESSIONID"]
        assert browser.ask("/shop/private/x", headers=BOB).status == 200
        assert browser.cookies["JSESSIONID"] != before
        assert text(browser.ask("/shop/private/x")).startswith("bob|BASIC")
        assert text(browser.ask("/shop/open")).startswith("bob|BASIC")


def test_the_id_stays_when_told_so(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        authenticator(node).change_session_id_on_authentication = False
        browser = Browser(node)
        browser.ask("/shop/keep")
        before = browser.cookies["JSESSIONID"]
        browser.ask("/shop/private/x", headers=BOB)
        assert browser.cookies["JSESSIONID"] == before


def test_without_a_session_nothing_is_remembered_unless_one_is_made(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        browser = Browser(node)
        browser.ask("/shop/private/x", headers=BOB)
        assert browser.cookies == {}
        authenticator(node).always_use_session = True
        browser.ask("/shop/private/x", headers=BOB)
        assert text(browser.ask("/shop/private/x")).startswith("bob")


def test_without_cache_each_request_logs_in(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        authenticator(node).cache = False
        browser = Browser(node)
        browser.ask("/shop/keep")
        browser.ask("/shop/private/x", headers=BOB)
        assert browser.ask("/shop/private/x").status == 401


def test_preemptive_credentials_are_looked_at_when_told_so(tmp_path):
    node = secure_node(tmp_path, BASIC)
    of_type(StandardContext, node.host.find_child("/shop")).preemptive_authentication = True
    with node:
        assert text(node.ask("/shop/open", headers=BOB)).startswith("bob|BASIC")
        assert text(node.ask("/shop/open")).startswith("-|-")
        assert node.ask("/shop/open", headers=basic("bob", "wrong")).status == 401


def test_without_it_unasked_credentials_are_ignored(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        assert text(node.ask("/shop/open", headers=basic("bob", "wrong"))).startswith("-|-")


@pytest.mark.parametrize(("mode", "status"), [("never", 401), ("always", 200), ("filter", 401)])
def test_cors_preflight_passes_where_it_is_allowed(tmp_path, mode, status):
    with secure_node(tmp_path, BASIC) as node:
        authenticator(node).allow_cors_preflight = mode
        headers = {"Origin": "https://other.example", "Access-Control-Request-Method": "PUT"}
        assert node.ask("/shop/private/x", "OPTIONS", headers).status == status


def test_a_proxy_is_told_the_user_on_demand(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        valve = authenticator(node)
        valve.send_auth_info_response_headers = True
        assert node.ask("/shop/private/x", headers=BOB).get("remote-user") is None
        from catalina.valves.remote_ip_valve import RemoteIpValve

        node.engine.add_valve(RemoteIpValve())
        answer = node.ask("/shop/private/x", headers={**BOB, "X-Forwarded-For": "203.0.113.5"})
        assert (answer.get("remote-user"), answer.get("auth-type")) == ("bob", "BASIC")


def test_a_user_whom_the_proxy_vouches_for_gets_the_roles_of_the_realm(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        from catalina.valves.valve_base import ValveBase

        class Proxy(ValveBase):
            def invoke(self, request, response):
                request.remote_user, request.remote_user_needs_authorization = "bob", True
                self.next.invoke(request, response)

        node.engine.add_valve(Proxy())
        assert text(node.ask("/shop/private/x")).startswith("bob|BASIC")
        assert text(node.ask("/shop/open")).startswith("-|")  # nobody has authorised the user there


def test_without_a_realm_nobody_gets_in(tmp_path):
    node = secure_node(tmp_path, BASIC)
    node.engine.realm = None
    with node:
        assert node.ask("/shop/private/x", headers=BOB).status == 401


def test_an_application_can_log_in_and_out_by_itself(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        valve = authenticator(node)
        from catalina.valves.valve_base import ValveBase

        seen = []

        class Servlet(ValveBase):
            def invoke(self, request, response):
                with pytest.raises(AuthenticationError):
                    valve.login("bob", "wrong", request)
                valve.login("bob", "secret", request)
                seen.append((request.remote_user, request.auth_type))
                valve.logout(request)
                seen.append((request.remote_user, request.auth_type))

        of_type(StandardContext, node.host.find_child("/shop")).pipeline.add_valve(Servlet())
        node.ask("/shop/open")
    assert seen == [("bob", "BASIC"), (None, None)]


def test_an_authenticator_belongs_into_a_context():
    valve = BasicAuthenticator()
    valve.container = stand_in(StandardContext, name="localhost", parent=None)
    with pytest.raises(LifecycleError, match="Must be attached to a Context"):
        valve.start()


def test_an_authenticator_says_how_it_authenticates():
    with pytest.raises(NotImplementedError):
        AuthenticatorBase().do_authenticate(*make_request())


def test_many_paths_do_not_fill_memory(tmp_path):
    with secure_node(tmp_path, BASIC) as node:
        for number in range(1100):
            assert node.ask(f"/shop/private/{number}").status == 401
        assert len(authenticator(node)._remembered) <= 1024


def test_a_protected_welcome_file_is_protected_under_the_directorys_name(tmp_path):
    inner = constraint("<auth-constraint><role-name>user</role-name></auth-constraint>", "/index.html")
    node = secure_node(tmp_path, "")
    node.add(
        "static",
        {
            "WEB-INF/web.xml": f'<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">{inner}'
            f"{login_config('BASIC')}</web-app>",
            "index.html": "secret page",
        },
    )
    with node:
        assert node.ask("/static/").status == 401
        assert node.ask("/static/", headers=BOB).body == b"secret page"


PREFLIGHT = [("Origin", "https://other.example"), ("Access-Control-Request-Method", "PUT")]


def context(filter_class=CORS_FILTER, pattern="/*", dispatcher="REQUEST"):
    return stand_in(
        StandardContext,
        filter_definitions={"cors": FilterDef("cors", filter_class)},
        filter_mappings=[FilterMap("cors", [pattern], [], frozenset({dispatcher}))],
    )


def asks(mode, headers=PREFLIGHT, method="OPTIONS", application=None):
    request, _ = make_request("/x", method, headers, servlet_path="/x")
    return may_bypass(mode, request, application or context())


def test_always_and_never_mean_what_they_say():
    assert asks("always")
    assert not asks("never")


def test_filter_needs_a_cors_filter_for_the_path():
    assert asks("filter")
    assert not asks("filter", application=context(filter_class="other"))
    assert not asks("filter", application=context(pattern="/y"))
    assert not asks("filter", application=context(dispatcher="ERROR"))


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        (PREFLIGHT, "GET"),
        (PREFLIGHT[:1], "OPTIONS"),
        (PREFLIGHT[1:], "OPTIONS"),
        ([("Origin", "http://shop.example.org"), PREFLIGHT[1]], "OPTIONS"),
        ([("Origin", "not an origin"), PREFLIGHT[1]], "OPTIONS"),
    ],
)
def test_what_is_no_preflight_does_not_pass(headers, method):
    assert not asks("always", headers, method)
