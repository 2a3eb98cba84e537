"""Compares the requirements of a wheel with the container's environment and the archive's own WEB-INF/lib."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

__all__ = ["Missing", "missing_requirements"]


@dataclass(frozen=True, slots=True)
class Missing:
    """A requirement that is not fulfilled.

    Args:
        text: the requirement, what is there instead, and who needs it.
        root: the archive's own requirement from which it follows.
    """

    text: str
    root: Requirement


def missing_requirements(requirements: Iterable[Requirement], own: list[str], environment: list[str]) -> list[Missing]:
    """Requirements that are not fulfilled, ordered by text.

    The requirements of distributions in the archive are checked, too; those of the container's environment are not.

    Args:
        requirements: those of the wheel; the ones whose marker does not hold here are left out.
        own: directories of the application with installed distributions.
        environment: directories of the container, such as ``sys.path``. The first distribution with a name counts, own
            ones first.
    """
    missing: dict[str, Missing] = {}
    done: set[tuple[str, frozenset[str]]] = set()
    queue = [(requirement, requirement, "") for requirement in requirements if _applies(requirement, frozenset())]
    while queue:
        requirement, root, because = queue.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        brought = _find(requirement.name, own)
        fault = _fault(requirement, brought or _find(requirement.name, environment))
        if fault is not None:
            missing[fault + because] = Missing(fault + because, root)
        elif brought is not None and key not in done:
            done.add(key)
            by = f" (required by {brought.name} {brought.version})"
            queue += [(inner, root, by) for inner in _requirements_of(brought, key[1])]
    return [missing[text] for text in sorted(missing)]


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in (*extras, ""))


def _find(name: str, path: list[str]) -> Distribution | None:
    return next(iter(MetadataPathFinder.find_distributions(DistributionFinder.Context(name=name, path=path))), None)


def _fault(requirement: Requirement, found: Distribution | None) -> str | None:
    wanted = f"{requirement.name}{requirement.specifier}"
    if found is None:
        return wanted
    try:
        fits = requirement.specifier.contains(Version(found.version), prereleases=True)
    except InvalidVersion:
        fits = False
    return None if fits else f"{wanted}, found {found.version}"


def _requirements_of(found: Distribution, extras: frozenset[str]) -> list[Requirement]:
    return [requirement for text in found.requires or () if _applies(requirement := Requirement(text), extras)]
