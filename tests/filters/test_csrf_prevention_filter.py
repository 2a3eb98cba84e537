"""Nonces in links."""

import pytest

from catalina.errors import DeploymentError
from catalina.filters.csrf_prevention_filter import (
    NONCE_KEY,
    PARAMETER_KEY,
    SESSION_ATTRIBUTE,
    CsrfPreventionFilter,
    url_matchers,
)
from tests.filters.middleware import CONTEXT, Session, Stand, configured, unreached

FORM = "application/x-www-form-urlencoded"


def make(headers=None, status="200 OK", **parameters):
    return Stand(configured(CsrfPreventionFilter(), **{"entryPoints": "/,/start", **parameters}), status, headers)


def start(stand, session):
    """The entry page; returns its nonce."""
    return stand.ask("/start", **{"catalina.session": session}).seen[NONCE_KEY]


def test_an_entry_point_gives_a_nonce_and_the_next_request_must_bring_it():
    stand, session = make(), Session()
    nonce = start(stand, session)
    assert session[SESSION_ATTRIBUTE] == [nonce]
    reply = stand.ask("/do", query=f"{SESSION_ATTRIBUTE}={nonce}", **{"catalina.session": session})
    assert reply.status == 200
    assert reply.seen[PARAMETER_KEY] == SESSION_ATTRIBUTE
    assert stand.ask("/do", **{"catalina.session": session}).error == (403, None)


@pytest.mark.parametrize("nonce", ["", "wrong"])
def test_a_wrong_nonce_is_refused(nonce):
    stand, session = make(denyStatus="404"), Session()
    start(stand, session)
    reply = stand.ask("/do", query=f"{SESSION_ATTRIBUTE}={nonce}", **{"catalina.session": session})
    assert reply.error == (404, None)


def test_a_form_brings_the_nonce_in_its_body():
    stand, session = make(), Session()
    body = f"{SESSION_ATTRIBUTE}={start(stand, session)}&a=1".encode()
    reply = stand.ask("/do", "POST", body=body, CONTENT_TYPE=FORM, **{"catalina.session": session})
    assert reply.status == 200
    assert reply.seen["wsgi.input"].read() == body


def test_a_post_to_an_entry_point_needs_one_too():
    assert make().ask("/start", "POST").error == (403, None)


def test_static_files_need_none():
    assert make().ask("/a.css").status == 200


def test_so_many_pages_may_be_open():
    stand, session = make(nonceCacheSize="2"), Session()
    _, second, third = (start(stand, session) for _ in range(3))
    assert session[SESSION_ATTRIBUTE] == [second, third]


def test_it_may_only_watch():
    assert make(enforce="false").ask("/do").status == 200


def test_another_name_can_be_given():
    stand, session = make(nonceRequestParameterName="n"), Session()
    nonce = start(stand, session)
    assert stand.ask("/do", query=f"n={nonce}", **{"catalina.session": session}).status == 200


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/shop/next", "/shop/next?n={0}"),
        ("next?a=1#top", "next?a=1&n={0}#top"),
        ("http://shop.example/shop/next", "http://shop.example/shop/next?n={0}"),
        ("/shop/next?n=old&a=1", "/shop/next?a=1&n={0}"),
        ("/shop/a.css", "/shop/a.css"),
        ("/other", "/other"),
        ("https://elsewhere.example/shop/next", "https://elsewhere.example/shop/next"),
        ("http://[", "http://["),
    ],
)
def test_redirects_inside_the_application_get_the_nonce(location, expected):
    stand = make([("Location", location)], "302 Found", nonceRequestParameterName="n")
    reply = stand.ask("/start")
    assert reply.get("Location") == expected.format(reply.seen[NONCE_KEY])


def test_a_wrong_pattern_keeps_the_application_from_starting():
    with pytest.raises(DeploymentError, match="noNonceURLPatterns"):
        configured(CsrfPreventionFilter(), noNonceURLPatterns="exact").start(unreached, CONTEXT)


def matches(patterns, path):
    types = {"css": "text/css", "png": "image/png"}
    return any(match(path) for match in url_matchers(patterns, lambda path: types.get(path.rpartition(".")[2])))


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        ("*.css, /static/*", "/a.css", True), ("*.css, /static/*", "/static/x", True), ("*.css", "/a.js", False),
        ("/.*\\.(css|js)/", "/a.js", True), ("/.*\\.(css|js)/", "/a.html", False), ("mime:image/*", "/a.png", True),
        ("mime:image/*", "/a.css", False), ("mime:image/*", "/a", False), ("/ab+/,*.x", "abb", True), ("", "/a", False),
    ],
)  # fmt: skip
def test_each_form_matches(patterns, path, expected):
    assert matches(patterns, path) is expected


@pytest.mark.parametrize("patterns", ["exact", "/(/", "mime:exact"])
def test_other_forms_are_refused(patterns):
    with pytest.raises(ValueError, match=r"expected|regular"):
        url_matchers(patterns, lambda path: None)
