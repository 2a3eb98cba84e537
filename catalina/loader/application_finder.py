"""The finder on ``sys.meta_path`` that finds an application's own top-level modules, and only for that application."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder
from types import ModuleType

from catalina.loader.asker import Asker

__all__ = ["ApplicationFinder"]


class ApplicationFinder(MetaPathFinder):
    """Searches the path of the asking application, before the environment, as Tomcat's class loaders do.

    It handles only top-level names: Python finds a submodule through its package's ``__path__`` as always. It also
    answers ``importlib.metadata``, so that ``version("shop")`` inside the application means the distribution that it
    brings.
    """

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None:
            return None
        space = self._asker.asks(False, 2)
        if space is None or fullname not in space.claimed:
            return None
        if space.delegate and (shared := PathFinder.find_spec(fullname)) is not None:
            return shared
        spec = PathFinder.find_spec(fullname, space.path)
        if spec is not None and spec.loader is None:
            # A namespace package may have further portions in the environment.
            return PathFinder.find_spec(fullname, [*space.path, *sys.path])
        return spec

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterable[Distribution]:
        """Distributions in the asking application's path; the other finders add the environment's."""
        space = self._asker.asks(False, 2)
        if space is None:
            return ()
        name = context.name if context is not None else None
        wanted = DistributionFinder.Context(name=name, path=space.path)
        return MetadataPathFinder.find_distributions(wanted)

    def invalidate_caches(self) -> None:
        """Nothing to do: the finder caches nothing, and ``importlib`` tells ``PathFinder`` itself."""
