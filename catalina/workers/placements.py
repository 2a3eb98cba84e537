"""The keeper's choice which workers an application runs in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalina.node_state import Kept

__all__ = ["Placements"]


class Placements:
    """The workers of applications that do not run in all of them.

    An application keeps its workers for as long as the node has them: the process that follows one of them gets the
    same applications, and the keeper that follows this one chooses the same workers.

    Args:
        count: how many workers the node is to have.
        kept: the choices, for the next keeper.
    """

    def __init__(self, count: Callable[[], int], kept: Kept) -> None:
        self._count = count
        self._kept = kept
        self._chosen: dict[str, tuple[int, ...]] = {key: tuple(chosen) for key, chosen in kept.items().items()}

    def choose(self, key: str, wanted: int) -> tuple[int, ...] | None:
        """The indexes of an application's workers; None when it runs in all.

        Args:
            key: see :func:`application_key`.
            wanted: how many; 0 for all.
        """
        count = self._count()
        if not 0 < wanted < count:
            self.forget(key)
            return None
        kept = [index for index in self._chosen.get(key, ()) if index < count][:wanted]
        loads = self._loads(key)
        free = sorted((index for index in range(count) if index not in kept), key=lambda index: (loads(index), index))
        chosen = self._chosen[key] = tuple(sorted(kept + free[: wanted - len(kept)]))
        self._kept.put(key, list(chosen))
        return chosen

    def _loads(self, key: str) -> Callable[[int], int]:
        others: Sequence[tuple[int, ...]] = [chosen for each, chosen in self._chosen.items() if each != key]
        return lambda index: sum(index in chosen for chosen in others)

    def forget(self, key: str) -> None:
        """The application has gone."""
        self._chosen.pop(key, None)
        self._kept.put(key, None)

    def without_worker(self) -> list[str]:
        """The applications of which a worker has gone for good: the node is to have fewer workers now."""
        count = self._count()
        return [key for key, chosen in self._chosen.items() if any(index >= count for index in chosen)]
