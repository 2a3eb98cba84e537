"""Security constraints: which apply, and what they ask. Cases as seen on the running Tomcat (webxml)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalina.descriptor.elements import SecurityCollection, SecurityConstraint
from catalina.realm.access_rules import (
    Uncovered,
    constraints_for,
    may_access,
    needs_login,
    needs_secure_transport,
    uncovered_methods,
)
from catalina.realm.generic_principal import GenericPrincipal


def constraint(*patterns, roles=(), auth=True, methods=(), omitted=(), transport="NONE"):
    collection = SecurityCollection("", list(patterns), frozenset(methods), frozenset(omitted))
    return SecurityConstraint([collection], auth, tuple(roles), transport)


EXACT = constraint("/admin/page", roles=["exact"])
PREFIX = constraint("/admin/*", roles=["prefix"])
LONGER = constraint("/admin/deep/*", roles=["longer"])
EXTENSION = constraint("*.do", roles=["extension"])
DEFAULT = constraint("/", roles=["default"])
ALL = [EXACT, PREFIX, LONGER, EXTENSION, DEFAULT]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/admin/page", [EXACT]),
        ("/admin/other", [PREFIX]),
        ("/admin", [PREFIX]),
        ("/admin/deep/x.do", [LONGER]),
        ("/admin/deep", [LONGER]),
        ("/x.do", [EXTENSION]),
        ("/x/.do", [EXTENSION]),
        ("/x.do/y", [DEFAULT]),
        ("/x.", [DEFAULT]),
        ("/administrator", [DEFAULT]),
        ("/", [DEFAULT]),
        ("", [DEFAULT]),
    ],
)
def test_the_best_kind_of_pattern_decides(path, expected):
    assert constraints_for(ALL, path, "GET") == tuple(expected)


def test_constraints_with_the_same_pattern_all_apply():
    both = [constraint("/a/*", roles=["x"]), constraint("/a/*", roles=["y"])]
    assert constraints_for(both, "/a/b", "GET") == tuple(both)


def test_an_exact_pattern_for_another_method_hides_the_others():
    rules = [constraint("/a", methods=["POST"], roles=["x"]), constraint("/*", roles=["y"])]
    assert constraints_for(rules, "/a", "GET") == ()
    assert constraints_for(rules, "/a", "POST") == (rules[0],)


def test_a_prefix_for_another_method_lets_extensions_and_the_default_count():
    rules = [constraint("/a/*", methods=["POST"], roles=["x"]), DEFAULT, EXTENSION]
    assert constraints_for(rules, "/a/b.do", "GET") == (EXTENSION,)
    assert constraints_for(rules, "/a/b", "GET") == (DEFAULT,)


def test_omitted_methods_are_all_others():
    rule = constraint("/*", omitted=["GET"], roles=["x"])
    assert constraints_for([rule], "/a", "GET") == ()
    assert constraints_for([rule], "/a", "DELETE") == (rule,)


def test_the_empty_pattern_is_the_root():
    rule = constraint("", roles=["x"])
    assert constraints_for([rule], "/", "GET") == (rule,)
    assert constraints_for([rule], "/a", "GET") == ()


def test_a_constraint_without_collections_applies_to_nothing():
    assert constraints_for([SecurityConstraint()], "/", "GET") == ()


@given(st.text(alphabet="/ab.d", max_size=12), st.sampled_from(["GET", "POST", "X"]))
def test_a_path_below_a_protected_prefix_is_protected(rest, method):
    assert constraints_for([constraint("/*", roles=["x"])], "/" + rest, method)


def test_transport_is_asked_for_only_if_every_constraint_does():
    secure = constraint("/*", transport="CONFIDENTIAL")
    assert needs_secure_transport([secure, constraint("/*", transport="INTEGRAL")])
    assert not needs_secure_transport([secure, constraint("/*")])
    assert not needs_secure_transport([])


@pytest.mark.parametrize(
    ("rules", "needed"),
    [
        ([constraint("/*", roles=["x"])], True),
        ([constraint("/*", roles=["*"])], True),
        ([constraint("/*", roles=["**"])], True),
        ([constraint("/*", auth=False)], False),
        ([constraint("/*")], False),
        ([constraint("/*", roles=["x"]), constraint("/*", auth=False)], False),
        ([], False),
    ],
)
def test_a_login_is_needed_when_all_constraints_name_roles(rules, needed):
    assert needs_login(rules) is needed


BOB = GenericPrincipal("bob")


@pytest.mark.parametrize(
    ("rules", "principal", "held", "allowed"),
    [
        ([], None, (), True),
        ([constraint("/*", roles=["a"])], BOB, ("a",), True),
        ([constraint("/*", roles=["a"])], BOB, ("b",), False),
        ([constraint("/*", roles=["a"])], None, (), False),
        ([constraint("/*", roles=["a"]), constraint("/*", roles=["b"])], BOB, ("b",), True),
        ([constraint("/*")], BOB, ("a",), False),
        ([constraint("/*", roles=["a"]), constraint("/*")], BOB, ("a",), False),
        ([constraint("/*", auth=False)], None, (), True),
        ([constraint("/*", roles=["a"]), constraint("/*", auth=False)], None, (), True),
        ([constraint("/*", roles=["**"])], BOB, (), True),
        ([constraint("/*", roles=["**"])], None, (), False),
        ([constraint("/*", roles=["*"])], BOB, ("declared",), True),
        ([constraint("/*", roles=["*"])], BOB, ("other",), False),
    ],
)
def test_roles_decide(rules, principal, held, allowed):
    assert may_access(rules, principal, ("declared",), lambda role: role in held) is allowed


@pytest.mark.parametrize(
    ("mode", "declared", "allowed"),
    [
        ("strict", (), False),
        ("authOnly", ("x",), True),
        ("strictAuthOnly", (), True),
        ("strictAuthOnly", ("x",), False),
    ],
)
def test_a_star_is_read_as_the_realm_says(mode, declared, allowed):
    rules = [constraint("/*", roles=["*"])]
    assert may_access(rules, BOB, declared, lambda role: False, mode) is allowed
    assert may_access(rules, None, declared, lambda role: False, mode) is False


def test_no_mode_opens_what_nobody_may_have():
    rules = [constraint("/*", roles=["*"]), constraint("/*")]
    assert not may_access(rules, BOB, (), lambda role: True, "authOnly")


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        ([constraint("/*")], []),
        ([constraint("/*", methods=["GET", "HEAD"])], [Uncovered("/*", ("GET", "HEAD"), all_but=True)]),
        ([constraint("/*", omitted=["GET"])], [Uncovered("/*", ("GET",), all_but=False)]),
        ([constraint("/*", omitted=["GET", "PUT"]), constraint("/*", methods=["GET"])],
         [Uncovered("/*", ("PUT",), all_but=False)]),
        ([constraint("/*", omitted=["GET"]), constraint("/*", methods=["GET"])], []),
        ([constraint("/*", omitted=["GET", "PUT"]), constraint("/*", omitted=["GET"])],
         [Uncovered("/*", ("GET",), all_but=False)]),
        ([constraint("/*", methods=["GET"]), constraint("/*", auth=False)], []),
        ([constraint("/*", methods=["GET"]), constraint("/a/*", methods=["PUT"]), constraint("/a/*")],
         [Uncovered("/*", ("GET",), all_but=True)]),
    ],
)  # fmt: skip
def test_the_methods_that_nobody_covers_are_found(constraints, expected):
    assert uncovered_methods(constraints) == expected
