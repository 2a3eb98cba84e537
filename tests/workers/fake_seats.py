"""The seats of pools without an arbiter."""

from __future__ import annotations

from catalina.workers.shared_parts import POOL_SEATS

__all__ = ["FakeSeats"]


class FakeSeats:
    """As the keeper has given them."""

    def __init__(self) -> None:
        self.owners = [0] * len(POOL_SEATS)
        self.failed: set[int] = set()

    def owner(self, number: int) -> int:
        return self.owners[number]

    def give(self, number: int, owner: int) -> None:
        self.owners[number] = owner

    def has_failed(self, number: int) -> bool:
        return number in self.failed
