"""Connections to a directory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.realm.ldap_directory import (
    DirectoryError,
    LdapDirectory,
    LdapUrl,
    escape_filter,
    escape_name,
    format_message,
    parse_url,
    split_patterns,
)
from tests.realm.ldap_server import MemoryServer

URL = LdapUrl("ldap.example", 389, False, "dc=example")
MANAGER = ("cn=manager,dc=example", "manager")


def make(*urls, server=None, **values):
    server = server or MemoryServer()
    return LdapDirectory(urls or (URL,), server.connect, *MANAGER, **values), server


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("ldap://h:1389/dc=a", LdapUrl("h", 1389, False, "dc=a")),
        ("ldaps://h", LdapUrl("h", 636, True, "")),
        ("ldap://h/dc=a%20b", LdapUrl("h", 389, False, "dc=a b")),
    ],
)
def test_urls_are_taken_apart(text, url):
    assert parse_url(text) == url


def test_other_urls_are_refused():
    with pytest.raises(ValueError, match="expected ldap"):
        parse_url("http://h")


def test_names_are_relative_to_the_base_of_the_url():
    directory, _ = make()
    assert directory.absolute("ou=people") == "ou=people,dc=example"
    assert directory.absolute("") == "dc=example"


def test_entries_are_found_with_their_attributes():
    directory, _ = make()
    (entry,) = directory.search("ou=people", "(uid=bob)", False, ["memberOf", "number"])
    assert entry.dn == "uid=bob,ou=people,dc=example"
    assert entry.values("MEMBEROF") == ["staff"]
    assert entry.first("number") == "7"
    assert entry.first("nothing") is None


def test_an_entry_is_read_by_its_name():
    directory, _ = make()
    assert directory.read("uid=bob,ou=people", ["number"]).first("number") == "7"
    assert directory.read("uid=none,ou=people", ["number"]) is None


def test_connections_are_used_again():
    directory, server = make()
    for _ in range(3):
        directory.search("ou=people", "(uid=bob)", False, ["uid"])
    assert len(server.opened) == 1
    directory.close()
    directory.search("ou=people", "(uid=bob)", False, ["uid"])
    assert len(server.opened) == 2


def test_passwords_are_tried_by_a_bind():
    directory, _ = make()
    assert directory.check_password("uid=bob,ou=people,dc=example", "secret")
    assert not directory.check_password("uid=bob,ou=people,dc=example", "wrong")
    assert not directory.check_password("uid=none,ou=people,dc=example", "secret")


def test_an_empty_password_proves_nothing():
    directory, server = make()
    assert not directory.check_password("uid=bob,ou=people,dc=example", "")
    assert server.opened == []


def test_the_second_url_is_asked_when_the_first_is_down():
    class FirstIsDown(MemoryServer):
        def connect(self, url, user, password):
            self.down = url.host == "first"
            return super().connect(url, user, password)

    directory, _ = make(LdapUrl("first", 389, False, "dc=example"), URL, server=FirstIsDown())
    assert directory.check_password("uid=bob,ou=people,dc=example", "secret")
    assert directory.reached


def test_a_directory_that_is_down_is_an_error_not_a_wrong_password():
    directory, server = make()
    server.down = True
    with pytest.raises(DirectoryError, match="connection refused"):
        directory.check_password("uid=bob,ou=people,dc=example", "secret")
    assert not directory.reached


def test_a_wrong_password_for_searches_is_an_error():
    directory = LdapDirectory((URL,), MemoryServer().connect, "cn=manager,dc=example", "wrong")
    with pytest.raises(DirectoryError, match="refuses the user"):
        directory.search("ou=people", "(uid=bob)", False, [])


def test_a_connection_that_has_died_is_replaced():
    directory, server = make()
    directory.search("ou=people", "(uid=bob)", False, ["uid"])
    directory._idle[0][1].search = _die
    assert directory.search("ou=people", "(uid=bob)", False, ["uid"])
    assert len(server.opened) == 2


def _die(*args, **kwargs):
    raise OSError("broken pipe")


@given(st.text())
def test_no_user_name_is_more_than_a_value_in_a_filter(text):
    escaped = escape_filter(text)
    assert not set("*()\0") & set(escaped)


def test_names_are_escaped_as_tomcat_does():
    assert escape_name('a,b+c"d\\e<f>g;h') == "a\\2Cb\\2Bc\\22d\\5Ce\\3Cf\\3Eg\\3Bh"
    assert escape_name(" a ") == "\\20a\\20"
    assert escape_name("#a#") == "\\23a#"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("uid={0},ou=people", "uid=bob,ou=people"),
        ("(&(uid={0})(x={1}))", "(&(uid=bob)(x=ann))"),
        ("it''s '{0}' {0}", "it's {0} bob"),
        ("{7}", "{7}"),
        ("{x", "{x"),
    ],
)
def test_patterns_are_javas_message_formats(pattern, text):
    assert format_message(pattern, ["bob", "ann"]) == text


@given(st.text(), st.lists(st.text(), max_size=3))
def test_any_pattern_gives_text(pattern, values):
    assert isinstance(format_message(pattern, values), str)


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("uid={0},ou=a", ["uid={0},ou=a"]),
        ("(uid={0},ou=a)(cn={0},ou=b)", ["uid={0},ou=a", "cn={0},ou=b"]),
        ("(|(uid={0},ou=a)(uid={0},ou=b))", ["uid={0},ou=a", "uid={0},ou=b"]),
        ("", []),
    ],
)
def test_several_patterns_stand_in_parentheses(text, patterns):
    assert split_patterns(text) == patterns
