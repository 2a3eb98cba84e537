"""Keeper and workers as session managers see them: members of this software that are in no group.

A manager tells members apart by host, port and id. Keeper and workers have addresses that no member of a group can
have: an empty host, and the worker's number as the port.
"""

from __future__ import annotations

from catalina.tribes.member import Member
from catalina.tribes.transport.nio.parallel_nio_sender import THIS_PEER

__all__ = ["KEEPER", "process_of", "worker_member"]

#: The keeper, as a worker sees it.
KEEPER = Member(b"", 0, payload=THIS_PEER)


def worker_member(index: int, pid: int) -> Member:
    """A worker, as the keeper sees it; the next process in its place is another one."""
    return Member(b"", 1 + index, unique_id=pid.to_bytes(16, "big"), payload=THIS_PEER)


def process_of(worker: Member) -> int:
    """The process id of a worker as :func:`worker_member` has made it."""
    return int.from_bytes(worker.unique_id, "big")
