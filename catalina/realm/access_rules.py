"""Finds the security constraints that apply to a request, and their demands (Servlet 6.0, section 13.8).

Tomcat: RealmBase.findSecurityConstraints, hasUserDataPermission, hasResourcePermission. A pattern counts only if no
better kind of pattern matches: exact, then the longest ``/prefix/*``, then ``*.extension``, then ``/``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.descriptor.elements import SecurityCollection, SecurityConstraint
    from catalina.session.session import Principal

__all__ = [
    "ANY_ROLE",
    "ANY_USER",
    "Uncovered",
    "constraints_for",
    "may_access",
    "needs_login",
    "needs_secure_transport",
    "uncovered_methods",
]

#: Special role names in web.xml: any declared role, and any user who has logged in.
ANY_ROLE, ANY_USER = "*", "**"

Pairs = Sequence[tuple["SecurityConstraint", "SecurityCollection"]]


def constraints_for(
    constraints: Iterable[SecurityConstraint], path: str, method: str
) -> tuple[SecurityConstraint, ...]:
    """The constraints of a request.

    Args:
        path: decoded, normalised, inside the application; empty stands for ``/``.
        method: the HTTP method, which is case-sensitive.
    """
    path = path or "/"
    pairs = [(constraint, collection) for constraint in constraints for collection in constraint.collections]
    if not pairs:
        return ()
    # The best kind of pattern that matches decides, even if its collections do not cover this method.
    for matching in (_exact(pairs, path), _longest_prefix(pairs, path, method), _extension(pairs, path)):
        if matching is not None:
            return tuple(constraint for constraint, collection in matching if collection.covers_method(method))
    return tuple(
        constraint
        for constraint, collection in pairs
        if "/" in collection.url_patterns and collection.covers_method(method)
    )


def _exact(pairs: Pairs, path: str) -> Pairs | None:
    found = [
        pair for pair in pairs for pattern in pair[1].url_patterns if pattern == path or (pattern == "" and path == "/")
    ]
    return found or None


def _longest_prefix(pairs: Pairs, path: str, method: str) -> Pairs | None:
    longest = 0
    found: list[tuple[SecurityConstraint, SecurityCollection]] = []
    for pair in pairs:
        length = max((len(pattern) for pattern in _prefixes(pair[1], path)), default=0)
        if length > longest:
            longest, found = length, [pair]
        elif length and length == longest:
            found.append(pair)
    # As in Tomcat, extension patterns still count when the longest prefix does not cover the method.
    return found if any(collection.covers_method(method) for _, collection in found) else None


def _prefixes(collection: SecurityCollection, path: str) -> Iterator[str]:
    for pattern in collection.url_patterns:
        if pattern.startswith("/") and pattern.endswith("/*"):
            head = pattern[:-2]
            if path == head or path.startswith(head + "/"):
                yield pattern


def _extension(pairs: Pairs, path: str) -> Pairs | None:
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    if dot < 0 or dot == len(name) - 1:
        return None
    wanted = "*" + name[dot:]
    return [pair for pair in pairs if wanted in pair[1].url_patterns] or None


@dataclass(frozen=True, slots=True)
class Uncovered:
    """The methods of a url-pattern that no constraint covers, although constraints cover others.

    Args:
        methods: sorted.
        all_but: true: every method except ``methods`` is open; false: just ``methods`` are.
    """

    pattern: str
    methods: tuple[str, ...]
    all_but: bool


def uncovered_methods(constraints: Iterable[SecurityConstraint]) -> list[Uncovered]:
    """Methods open to verb tampering (Servlet 6.0, 13.8.4; Tomcat: SecurityConstraint.findUncoveredHttpMethods)."""
    covered: set[str] = set()
    named: dict[str, frozenset[str]] = {}
    omitted: dict[str, frozenset[str]] = {}
    for collection in (collection for constraint in constraints for collection in constraint.collections):
        for pattern in collection.url_patterns:
            if collection.methods:
                named[pattern] = named.get(pattern, frozenset()) | collection.methods
            elif collection.omitted_methods:
                omitted[pattern] = omitted.get(pattern, collection.omitted_methods) & collection.omitted_methods
            else:
                covered.add(pattern)
    found = []
    for pattern in dict.fromkeys([*named, *omitted]):
        if pattern in covered:
            continue
        if pattern not in omitted:
            found.append(Uncovered(pattern, tuple(sorted(named[pattern])), all_but=True))
        elif left := omitted[pattern] - named.get(pattern, frozenset()):
            found.append(Uncovered(pattern, tuple(sorted(left)), all_but=False))
    return found


def needs_secure_transport(constraints: Iterable[SecurityConstraint]) -> bool:
    """True when the request must come over TLS: every constraint demands that (one that does not opens the way)."""
    guarantees = [constraint.transport_guarantee for constraint in constraints]
    return bool(guarantees) and all(guarantee not in ("", "NONE") for guarantee in guarantees)


def needs_login(constraints: Sequence[SecurityConstraint]) -> bool:
    """True when the user must log in: all constraints name roles. An empty auth-constraint asks for no login, it
    refuses.

    Tomcat: AuthenticatorBase.invoke, before it calls authenticate().
    """
    if not constraints:
        return False
    return all(constraint.auth_constraint and constraint.roles for constraint in constraints)


def may_access(
    constraints: Sequence[SecurityConstraint],
    principal: Principal | None,
    declared_roles: Sequence[str],
    has_role: Callable[[str], bool],
    all_roles_mode: str = "strict",
) -> bool:
    """True when the user may have the resource.

    Args:
        declared_roles: the ``<security-role>`` names of the application, for which ``*`` stands.
        has_role: tells whether ``principal`` has a role.
        all_roles_mode: the meaning of ``*``: ``strict``, ``authOnly`` or ``strictAuthOnly``.
    """
    if not constraints:
        return True
    if any(constraint.auth_constraint and not constraint.roles for constraint in constraints):
        return False
    for constraint in constraints:
        if not constraint.auth_constraint:
            return True
        if principal is not None and _allows(constraint, declared_roles, has_role):
            return True
    return principal is not None and any(
        ANY_ROLE in constraint.roles and _any_role_is_enough(all_roles_mode, declared_roles)
        for constraint in constraints
    )


def _allows(constraint: SecurityConstraint, declared_roles: Sequence[str], has_role: Callable[[str], bool]) -> bool:
    if ANY_USER in constraint.roles:
        return True
    roles = declared_roles if ANY_ROLE in constraint.roles else constraint.roles
    return any(has_role(role) for role in roles)


def _any_role_is_enough(mode: str, declared_roles: Sequence[str]) -> bool:
    return mode == "authOnly" or (mode == "strictAuthOnly" and not declared_roles)
