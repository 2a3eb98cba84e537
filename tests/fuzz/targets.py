"""The table of all targets, by name."""

from __future__ import annotations

from tests.fuzz import (
    targets_group,
    targets_http,
    targets_jmx,
    targets_jolokia,
    targets_sessions,
    targets_workers,
)
from tests.fuzz.target import Target

__all__ = ["TARGETS"]

TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        *targets_http.TARGETS,
        *targets_group.TARGETS,
        *targets_jmx.TARGETS,
        *targets_jolokia.TARGETS,
        *targets_sessions.TARGETS,
        *targets_workers.TARGETS,
    )
}
