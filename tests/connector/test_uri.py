from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.connector import uri as module
from catalina.connector.uri import UriRules, normalize, without_path_parameters
from catalina.coyote.http_error import HttpError
from tests.support.work import assert_linear


def decode(raw: str, **rules: object) -> str:
    return UriRules(**rules).decode(raw).path  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/", "/"),
        ("/a/../x", "/x"),
        ("/./x", "/x"),
        ("//x//y", "/x/y"),
        ("/a/.", "/a"),
        ("/a/..", "/"),
        ("/...", "/..."),
        ("/x%20y", "/x y"),
        ("/%C3%A4", "/\xe4"),
        ("/%252F", "/%2F"),
        ("/%7f%01", "/\x7f\x01"),
        ("/%2e/x", "/x"),
        ("/x.jsp;a/b", "/x.jsp/b"),
        ("/;x/x.jsp", "/x.jsp"),
        ("/a/..;x=1/x", "/x"),
        ("/x%3Ba", "/x;a"),
    ],
)
def test_paths_are_decoded_and_normalised_as_tomcat_does(raw, path):
    assert decode(raw) == path


@pytest.mark.parametrize(
    "raw",
    ["/%2F", "/a%2fb", "/%5c", "/..", "/../x", "/%2e%2e/x", "/..;/x", "/%00", "/%zz", "/%", "/%4", "/%c3%28", "x", ""],
)
def test_paths_that_tomcat_refuses_are_400(raw):
    with pytest.raises(HttpError) as caught:
        decode(raw)
    assert caught.value.status == 400


def test_what_an_encoded_slash_does_is_the_connectors_choice():
    assert decode("/a%2Fb", solidus="decode") == "/a/b"
    assert decode("/a%2Fb", solidus="passthrough") == "/a%2Fb"


def test_an_encoded_backslash_is_refused_unless_backslashes_are_slashes():
    assert decode("/a%5Cb", allow_backslash=True) == "/a/b"
    assert decode("/a%5Cb", reverse_solidus="passthrough") == "/a%5Cb"


def test_the_encoding_is_the_connectors():
    assert decode("/%E4", encoding="iso-8859-1") == "/\xe4"


def test_path_parameters_are_kept_by_name():
    assert UriRules().decode("/a;x=1;y/b;jsessionid=AB.n1").parameters == {"x": "1", "y": "", "jsessionid": "AB.n1"}


@pytest.mark.parametrize("raw", ["/a%2Fb", "/..;/x", "/%2e/x", "/a/;x=1/b", "/%01", "/a%5Cb", "/.%2E/x"])
def test_suspicious_paths_are_refused_on_demand(raw):
    with pytest.raises(HttpError):
        decode(raw, reject_suspicious=True, solidus="decode", allow_backslash=True)


@pytest.mark.parametrize("raw", ["/", "/a.b/c", "/.well-known/x", "/a;v=1", "/a%20b", "/...", "/a/"])
def test_harmless_paths_are_not_suspicious(raw):
    assert decode(raw, reject_suspicious=True)


def test_remembered_answers_are_bounded():
    rules = UriRules()
    for number in range(2 * module.REMEMBERED):
        rules.decode(f"/{number}")
    assert len(rules.remembered) <= module.REMEMBERED


def test_path_parameters_can_be_cut():
    assert without_path_parameters("/a;x=1/b;jsessionid=2") == "/a/b"
    assert without_path_parameters("/a/b") == "/a/b"


@given(st.text(alphabet="/.;%2eEfF5cab\\", max_size=20))
def test_no_decoded_path_climbs_above_the_root(raw):
    try:
        path = UriRules(solidus="decode", allow_backslash=True).decode("/" + raw).path
    except HttpError:
        return
    assert path.startswith("/")
    assert not {"..", "."} & set(path.split("/"))
    assert normalize(path) == path


def test_an_escaped_percent_stays_where_an_escaped_slash_stays():
    assert decode("/a%252Fb%2Fc", solidus="passthrough") == "/a%252Fb%2Fc"
    assert decode("/a%255Cb", reverse_solidus="passthrough") == "/a%255Cb"
    assert decode("/a%252Fb") == "/a%2Fb"


@pytest.mark.parametrize("raw", ["/dir/;jsessionid=1", "/;a", "/foo/;", "/a;x=1/b/;y"])
def test_a_parameter_behind_the_last_slash_is_not_suspicious(raw):
    assert decode(raw, reject_suspicious=True)


@pytest.mark.parametrize("raw", ["/.;a", "/x/..;a", "/;a/", "/x/.;", "/x/%2e;a", "/%2E%2e%2e"])
def test_dots_and_inner_empty_segments_with_parameters_are(raw):
    with pytest.raises(HttpError, match="Suspicious"):
        decode(raw, reject_suspicious=True)


def test_the_refusal_names_the_attribute_that_decides():
    with pytest.raises(HttpError, match="encodedSolidusHandling"):
        decode("/a%2Fb")
    with pytest.raises(HttpError, match="encodedReverseSolidusHandling"):
        decode("/a%5Cb", reverse_solidus="reject")


def shortest_beginning(rules: UriRules, raw: str, path: str) -> str | None:
    """The same by trying every beginning."""
    for end in [*(at for at in range(1, len(raw)) if raw[at] == "/"), len(raw)]:
        try:
            if rules.decode(raw[:end]).path == path:
                return without_path_parameters(raw[:end])
        except HttpError:
            continue
    return None


@given(st.text(alphabet="/.;%2eEfFab\\", max_size=20), st.sampled_from(["/a", "/a/b", "/b"]))
def test_the_raw_beginning_is_the_shortest_that_means_the_path(raw, path):
    rules = UriRules(solidus="decode", allow_backslash=True)
    try:
        rules.decode("/" + raw)
    except HttpError:
        return
    assert rules.raw_prefix("/" + raw, path) == shortest_beginning(rules, "/" + raw, path)


@pytest.mark.parametrize("piece", ["/", "/%74", "/x/..", "/;a", "/a;b=c;d", "/.", "%41", "%2e", "/%2e%2e%2e"])
@pytest.mark.parametrize("end", ["/%74/x", "x"])
def test_the_work_is_linear(piece, end):
    def make(size: int) -> Any:
        rules, raw = UriRules(reject_suspicious=True), "/" + piece * size + end

        def call() -> None:
            with contextlib.suppress(HttpError):
                rules.decode(raw)
                rules.raw_prefix(raw, "/t")

        return call

    assert_linear(make, 300)


def test_looking_for_suspicious_dots_is_linear():
    rules = UriRules(reject_suspicious=True)
    many = "%2e" * 200_000  # a regular expression with two stars would take minutes
    assert rules.decode(f"/{many}x").path == "/" + "." * 200_000 + "x"
    with pytest.raises(HttpError):
        rules.decode("/" + many)


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=60), st.booleans())
def test_any_bytes_give_a_path_or_the_documented_error(raw, suspicious):
    rules = UriRules(solidus="passthrough", allow_backslash=True, reject_suspicious=suspicious)
    with contextlib.suppress(HttpError):
        assert rules.decode("/" + raw).path.startswith("/")
