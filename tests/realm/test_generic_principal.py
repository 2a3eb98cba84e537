"""The principal as a value."""

from catalina.realm.generic_principal import GenericPrincipal


def test_roles_are_sorted_and_found():
    principal = GenericPrincipal("bob", ("b", "a"))
    assert principal.roles == ("a", "b")
    assert principal.has_role("a")
    assert not principal.has_role("c")
    assert str(principal) == "GenericPrincipal[bob(a,b)]"


def test_a_star_is_a_role_of_everybody():
    assert GenericPrincipal("bob").has_role("*")


def test_principals_are_equal_by_name_and_roles():
    assert GenericPrincipal("bob", ("a",), attributes={"x": 1}) == GenericPrincipal("bob", ("a",))
    assert GenericPrincipal("bob", ("a",)) != GenericPrincipal("bob")
