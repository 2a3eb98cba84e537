"""Tokens for REST clients."""

from catalina.filters.rest_csrf_prevention_filter import RestCsrfPreventionFilter
from tests.filters.middleware import Session, Stand, configured

FORM = "application/x-www-form-urlencoded"


def make(**parameters):
    stand, session = Stand(configured(RestCsrfPreventionFilter(), **parameters)), Session()

    def ask(path="/", method="GET", **environ):
        return stand.ask(path, method, **{"catalina.session": session, **environ})

    return ask


def test_a_client_fetches_a_token_and_brings_it_with_changes():
    ask = make()
    token = ask(HTTP_X_CSRF_TOKEN="Fetch").get("X-CSRF-Token")
    assert len(token) == 32
    assert ask(HTTP_X_CSRF_TOKEN="fetch").get("X-CSRF-Token") == token
    assert ask(method="POST", HTTP_X_CSRF_TOKEN=token).status == 200


def test_without_the_token_changes_are_refused():
    ask = make(denyStatus="400")
    ask(HTTP_X_CSRF_TOKEN="Fetch")
    for given in ({}, {"HTTP_X_CSRF_TOKEN": "wrong"}):
        reply = ask(method="DELETE", **given)
        assert reply.error == (400, "CSRF nonce validation failed")
        assert reply.get("X-CSRF-Token") == "Required"


def test_without_a_session_nothing_matches():
    assert make()(method="POST", HTTP_X_CSRF_TOKEN="").error is not None


def test_reading_needs_nothing_and_makes_no_session():
    reply = make()()
    assert reply.status == 200
    assert reply.seen["catalina.session"].id is None


def test_a_form_may_bring_the_token_where_that_is_allowed():
    ask = make(pathsAcceptingParams="/form")
    token = ask(HTTP_X_CSRF_TOKEN="Fetch").get("X-CSRF-Token")
    assert ask("/form", "POST", query=f"X-CSRF-Token={token}").status == 200
    assert ask("/other", "POST", query=f"X-CSRF-Token={token}").error is not None
    assert ask("/form", "POST", query=f"X-CSRF-Token={token}&X-CSRF-Token=x").error is not None
