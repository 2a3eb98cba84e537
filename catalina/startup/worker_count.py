"""How many workers a node has: the property ``catalina.workers``, the variable WEB_CONCURRENCY, else one.

One is the default. It is the node in one process, without a keeper and without a hop, as it has always been; an
application whose modules keep state of their own would notice more than one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from catalina.errors import ConfigurationError

__all__ = ["WORKERS", "available_cores", "named_count", "worker_count"]

WORKERS = "catalina.workers"
CONCURRENCY = "WEB_CONCURRENCY"
#: More processes than that are a mistake.
MAX_WORKERS = 512


def worker_count(properties: Mapping[str, str], environment: Mapping[str, str]) -> int:
    """The number of workers.

    Raises:
        ConfigurationError: it is neither a number from 1 to MAX_WORKERS nor ``auto``.
    """
    for source, values, name in (
        ("the property", properties, WORKERS),
        ("the environment variable", environment, CONCURRENCY),
    ):
        text = values.get(name, "").strip()
        if not text:
            continue
        try:
            return named_count(text)
        except ConfigurationError as error:
            raise ConfigurationError(f"{source} {name}={error}") from error
    return 1


def named_count(text: str) -> int:
    """The number that an operator's word means: ``auto``, or the number itself.

    Raises:
        ConfigurationError: it is neither a number from 1 to MAX_WORKERS nor ``auto``.
    """
    if text.lower() == "auto":
        return min(available_cores(), MAX_WORKERS)
    if text.isdecimal() and 1 <= int(text) <= MAX_WORKERS:
        return int(text)
    raise ConfigurationError(f"{text}: expected auto, or a number from 1 to {MAX_WORKERS}")


def available_cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """The cores that this process may use: its affinity, and its control group's quota rounded up; at least 1."""
    cores = len(os.sched_getaffinity(0))
    quota = _quota(cgroup)
    return max(1, cores if quota is None else min(cores, quota))


def _quota(cgroup: Path) -> int | None:
    """Cores that the control group grants (cgroups v2: cpu.max; v1: cpu.cfs_quota_us), None without a limit."""
    try:
        limit, _, period = (cgroup / "cpu.max").read_text().strip().partition(" ")
    except OSError:
        try:
            limit = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if not limit.isdecimal() or not period.isdecimal() or int(period) == 0:  # "max", -1
        return None
    return max(1, -(-int(limit) // int(period)))
