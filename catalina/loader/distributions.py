"""Reads the version of a package in a directory from the metadata that pip installs beside it."""

from __future__ import annotations

from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder

__all__ = ["version_of"]


def version_of(top_level: str, path: list[str]) -> str | None:
    """The version of the first distribution on ``path`` that brings a top-level module; None when no metadata says."""
    for found in MetadataPathFinder.find_distributions(DistributionFinder.Context(path=path)):
        if _brings(found, top_level):
            return found.version
    return None


def _brings(distribution: Distribution, top_level: str) -> bool:
    declared = distribution.read_text("top_level.txt")
    if declared is not None:
        return top_level in declared.split()
    return any(file.parts[0].partition(".")[0] == top_level for file in distribution.files or ())
