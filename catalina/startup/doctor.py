"""``catalina doctor``: examines a node, its machine and its group, and reports faults with their remedies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from catalina.startup.finding import CODES, Finding
from catalina.startup.group_findings import group_findings
from catalina.startup.node_findings import node_findings
from catalina.startup.session_safety import clusters_of

if TYPE_CHECKING:
    from catalina.core.standard_server import StandardServer

__all__ = ["examine", "finding_lines", "told", "verdict_of"]


def examine(server: StandardServer, report: Callable[[str, int, int], None]) -> list[Finding]:
    """Examine everything, which takes some seconds when there is a cluster. Nothing is changed.

    Args:
        report: called with the part that is being examined.
    """
    found = list(node_findings(server))
    clusters = clusters_of(server)
    if not clusters:
        found.append(Finding("cluster", "ok", "this node is in no cluster"))
    for cluster in clusters:
        report(f"listening to {cluster.name}", 0, 0)
        found += group_findings(cluster)
    return found


def verdict_of(findings: list[Finding]) -> str:
    """The worst verdict."""
    return max((each.verdict for each in findings), key=list(CODES).index, default="ok")


def told(findings: list[Finding], as_json: bool) -> tuple[list[str], int]:
    """The report as lines, and the exit code."""
    verdict = verdict_of(findings)
    whole = {"verdict": verdict, "findings": [each.as_dict() for each in findings]}
    return [json.dumps(whole, indent=1)] if as_json else finding_lines(findings), CODES[verdict]


def finding_lines(findings: list[Finding]) -> list[str]:
    """The report for people: faults first, each with its advice below."""
    lines = []
    for each in sorted(findings, key=lambda each: -CODES[each.verdict]):
        lines.append(f"{each.verdict.upper():8} {each.check}: {each.text}")
        if each.advice:
            lines.append(f"         -> {each.advice}")
    counts = {word: sum(each.verdict == word for each in findings) for word in ("error", "warning")}
    return [*lines, "", f"{counts['error']} errors, {counts['warning']} warnings, {len(findings)} looks"]
