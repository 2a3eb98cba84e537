"""Rules at work; the comparison with the real valve is in tests/interop/differential."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.errors import ConfigurationError
from catalina.lifecycle import LifecycleState
from catalina.valves.rewrite.rewrite_valve import RewriteValve, parse_rewrite_config
from catalina.valves.valve_base import ValveBase
from tests.core.node import Node

FILES: dict[str, str | bytes] = {"a.txt": "a", "b.txt": "b", "sub/c.txt": "c"}


def node_with(tmp_path: Path, rules: str, **attributes: bool) -> Node:
    node = Node(tmp_path)
    context = node.add("shop", {**FILES, "WEB-INF/rewrite.config": rules})
    context.add_valve(RewriteValve(**attributes))
    return node


def test_a_request_is_rewritten_and_mapped_anew(tmp_path: Path) -> None:
    with node_with(tmp_path, "RewriteRule ^/old/(.*)$ /$1\nRewriteRule ^/b.txt$ /a.txt") as node:
        assert node.ask("/shop/old/sub/c.txt").body == b"c"
        assert node.ask("/shop/old/b.txt").body == b"a"
        assert node.ask("/shop/sub/c.txt").body == b"c"
        assert node.ask("/shop/none").status == 404


@pytest.mark.parametrize(("flag", "status"), [("F", 403), ("G", 410)])
def test_a_rule_can_refuse(tmp_path: Path, flag: str, status: int) -> None:
    with node_with(tmp_path, f"RewriteRule ^/sub/.* - [{flag}]") as node:
        answer = node.ask("/shop/sub/c.txt")
        assert answer.status == status
        assert b"HTTP Status" in answer.body
        assert node.ask("/shop/a.txt").status == 200


def test_a_rule_can_redirect(tmp_path: Path) -> None:
    with node_with(tmp_path, "RewriteRule ^/x/(.*)$ /a.txt?n=$1 [R=301,L,QSA]") as node:
        answer = node.ask("/shop/x/1?m=2")
    assert (answer.status, answer.get("Location")) == (301, "/shop/a.txt?n=1&m=2")


def test_what_stands_in_the_path_begins_no_query(tmp_path: Path) -> None:
    with node_with(tmp_path, "RewriteRule ^/x/(.*)$ /y/$1 [R,L]\nRewriteRule ^/z/(.*)$ /a.txt$1") as node:
        assert node.ask("/shop/x/1%3Fadmin=1").get("Location") == "/shop/y/1%3fadmin=1"
        answer = node.ask("/shop/z/%3Fx=1")
        assert answer.status == 404
        assert answer.response.request.query_string is None


@pytest.mark.parametrize(
    ("rule", "target", "location"),
    [
        ("RewriteRule ^/b/(.*) /c/$1 [B,R]", "/b/a%20b", "/shop/c/a%20b"),
        ("RewriteRule ^/b/(.*) /c/$1 [B,R]", "/b/a%255A", "/shop/c/a%25255A"),
        ("RewriteRule ^/b/(.*) /c?x=$1 [B,R]", "/b/a%20b", "/shop/c?x=a%20b"),
        (r"RewriteRule ^/b /c/\%5A [R]", "/b", "/shop/c/%5A"),
        ("RewriteRule ^/b /c?x=1 [R,QSA,QSD]", "/b?y=2", "/shop/c?x=1"),
        ("RewriteRule ^/b /c?x=1 [R,QSA]", "/b?y=2", "/shop/c?x=1&y=2"),
        ("RewriteRule ^/b /c? [R]", "/b?y=2", "/shop/c"),
        ("RewriteCond %{QUERY_STRING} a=(.*)\nRewriteRule ^/b /c/%1 [R,QSD]", "/b?a=%41", "/shop/c/%41"),
        ("RewriteMap e int:escape\nRewriteRule ^/b/(.*) /c/${e:$1} [R]", "/b/a%20b", "/shop/c/a%20b"),
    ],
)
def test_percent_signs_are_encoded_once(tmp_path: Path, rule: str, target: str, location: str) -> None:
    with node_with(tmp_path, rule) as node:
        assert node.ask(f"/shop{target}").get("Location") == location


def test_a_line_feed_does_not_lead_past_a_rule(tmp_path: Path) -> None:
    rules = "RewriteRule ^/sub.* - [F]\nRewriteCond %{REQUEST_PATH} .*b.*\nRewriteRule .* - [G]"
    with node_with(tmp_path, rules) as node:
        assert node.ask("/shop/sub%0A").status == 403
        assert node.ask("/shop/b%0A").status == 410


def test_an_encoded_slash_of_a_query_makes_no_path(tmp_path: Path) -> None:
    with node_with(tmp_path, "RewriteCond %{QUERY_STRING} a=(.*)\nRewriteRule ^/b /sub/%1 [QSD]") as node:
        assert node.ask("/shop/b?a=c.txt").body == b"c"
        assert node.ask("/shop/b?a=..%2fa.txt").status == 400


def test_parameters_that_a_rule_writes_are_no_part_of_the_uri(tmp_path: Path) -> None:
    with node_with(tmp_path, "RewriteRule ^/x /a.txt;v=1") as node:
        answer = node.ask("/shop/x")
    assert answer.body == b"a"
    request = answer.response.request
    assert (request.request_uri, request.path_parameters) == ("/shop/a.txt", {"v": "1"})


def test_cookies_attributes_and_types_are_set(tmp_path: Path) -> None:
    with node_with(tmp_path, "RewriteRule ^/x/(.*)$ /a.txt [CO=who:$1,E=shop.who:$1,T=text/own,L]") as node:
        answer = node.ask("/shop/x/me")
    assert answer.get("Set-Cookie") == "who=me"
    assert answer.response.request.attributes["shop.who"] == "me"
    assert answer.get("Content-Type") == "text/own"


def test_the_rules_of_a_host_see_whole_paths_and_may_change_the_host(tmp_path: Path) -> None:
    node = Node(tmp_path)
    node.add("shop", FILES)
    config = node.host.config_base_path
    config.mkdir(parents=True)
    (config / "rewrite.config").write_text("RewriteRule ^/s/(.*)$ /shop/$1 [L]\nRewriteRule other localhost [H]")
    node.host.add_valve(RewriteValve())
    with node:
        assert node.ask("/s/a.txt").body == b"a"
        assert node.ask("/s/a.txt", host="other").body == b"a"


def test_a_skipped_valve_does_not_run(tmp_path: Path) -> None:
    passed: list[str] = []

    class Counting(ValveBase):
        def invoke(self, request: object, response: object) -> None:
            passed.append("valve")
            self.next.invoke(request, response)  # type: ignore[arg-type]  # as they came

    node = node_with(tmp_path, "RewriteRule ^/a.txt$ - [VS]")
    node.host.children[0].add_valve(Counting())
    with node:
        assert node.ask("/shop/a.txt").status == 200
        assert passed == []
        node.ask("/shop/b.txt")
        assert passed == ["valve"]


def test_chains_and_skips(tmp_path: Path) -> None:
    rules = (
        "RewriteRule ^/x$ /y [C]\nRewriteRule ^/y$ /a.txt\nRewriteRule ^/s$ /b.txt [S=1]\nRewriteRule ^/b.txt$ /a.txt\n"
    )
    with node_with(tmp_path, rules) as node:
        assert node.ask("/shop/x").body == b"a"
        assert node.ask("/shop/y").status == 404  # the chain begins with /x
        assert node.ask("/shop/s").body == b"b"


def test_rules_that_repeat_for_ever_are_an_error_not_a_hang(tmp_path: Path) -> None:
    with node_with(tmp_path, "RewriteRule ^/x$ /x [N]") as node:
        assert node.ask("/shop/x").status == 500


def test_a_file_that_is_not_understood_keeps_the_application_from_running(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    node = node_with(tmp_path, "RewriteRule ( /x")
    with node:
        assert node.host.children[0].state is LifecycleState.FAILED
    assert "rewrite.config:1: Invalid rewrite configuration" in caplog.text


def test_it_can_be_switched_off_and_needs_no_file(tmp_path: Path) -> None:
    with node_with(tmp_path, "RewriteRule ^/a.txt$ /b.txt", enabled=False) as node:
        assert node.ask("/shop/a.txt").body == b"a"
    other = tmp_path / "other"
    other.mkdir()
    bare = Node(other)
    bare.add("shop", FILES).add_valve(RewriteValve())
    bare.engine.add_valve(RewriteValve())
    with bare:
        assert bare.ask("/shop/a.txt").body == b"a"


def test_rules_can_be_exchanged_while_it_runs(tmp_path: Path) -> None:
    with node_with(tmp_path, "") as node:
        valve = next(each for each in node.host.children[0].pipeline.valves if isinstance(each, RewriteValve))
        valve.set_configuration("RewriteRule ^/a.txt$ /b.txt")
        assert node.ask("/shop/a.txt").body == b"b"


def test_conditions_belong_to_the_next_rule_and_words_may_be_quoted() -> None:
    rules = parse_rewrite_config(
        "# a comment\n\n"
        'RewriteCond "%{HTTP_USER_AGENT}" "a b" [NC]\nRewriteRule ^/a$ "/b c" [L, R=301]\nrewriterule /x /y\n',
        "f",
    )
    first, second = rules
    assert (len(first.conditions), first.last, first.redirect) == (1, True, 301)
    assert first.substitution is not None
    assert first.substitution.text == "/b c"
    assert second.conditions == []


def test_maps_are_known_from_their_line_on() -> None:
    rules = parse_rewrite_config("RewriteMap up int:toupper\nRewriteRule ^/(.*)$ /${up:$1}", "f")
    assert len(rules) == 1
    with pytest.raises(ConfigurationError, match=r"f:1: Invalid rewrite configuration: no RewriteMap \[up\]"):
        parse_rewrite_config("RewriteRule ^/(.*)$ /${up:$1}\nRewriteMap up int:toupper", "f")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("RewriteEngine On", "expected RewriteCond, RewriteRule or RewriteMap, found 'RewriteEngine'"),
        ("RewriteRule /a", "RewriteRule needs two words"),
        ("RewriteRule /a /b L", "expected flags in brackets, found 'L'"),
        ("RewriteRule ( /b", "unterminated"),
        ("RewriteMap up", "RewriteMap needs a name and a class"),
        ("RewriteRule /a /b [WHAT]", "unknown flag 'WHAT'"),
    ],
)
def test_a_line_that_is_not_understood_says_where(line: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_rewrite_config("# first\n" + line, "rewrite.config")
    assert str(caught.value).startswith("rewrite.config:2: Invalid rewrite configuration: ")
    assert complaint in str(caught.value)


@given(st.text(max_size=60), st.sampled_from(["RewriteRule ", "RewriteCond ", "RewriteMap ", ""]))
def test_any_text_gives_rules_or_the_documented_error(text: str, word: str) -> None:
    try:
        parse_rewrite_config(word + text, "f")
    except ConfigurationError:
        return
