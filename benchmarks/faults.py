"""Outages between three nodes of ours, and the same between three Java nodes.

    python -m benchmarks.faults                      # all: about 25 minutes
    python -m benchmarks.faults --kinds cut --configurations "Delta 6"

Needs root (network namespaces), nft and the Java Tomcat. One node is kept apart for nine seconds while clients go on
using it and the others; then it is looked whether each promise holds on all three nodes (``tests/cluster/outages.py``).
A comparison, not a gate. The table is Markdown; what was found instead stands below it.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.cluster.clusters import full
from tests.cluster.namespaces import Switch
from tests.cluster.node import Node
from tests.cluster.outages import CHECKS, CONFIGURATIONS, KINDS, Outage, manager_of
from tests.interop.java_tomcat import JavaTomcat, compile_probe

GROUP_PORT = 45566
#: Seconds that a promise has to hold after the outage.
PATIENCE = 6.0

log = logging.getLogger("benchmarks.faults")

#: Promise -> "holds", "-" where the outage has it not, or what was found.
Outcome = dict[str, str]


def run(software: str, kind: str, manager: str, options: int, base: Path, classes: Path) -> Outcome:
    """One outage of three nodes of ``ours`` or ``Java``."""
    switch = Switch()
    nodes: list[Node] = []
    for name in ("fa", "fb", "fc"):
        namespace = switch.add(name)
        address = "auto" if software == "ours" else namespace.address
        bind = "" if software == "ours" else f'bind="{address}"'
        cluster = full(
            GROUP_PORT,
            send_options=options,
            receiver=f'address="{address}"',
            bind=bind,
            manager=manager_of(manager, options),
        )
        if software == "ours":
            nodes.append(Node(name, base / name, cluster=cluster, namespace=namespace, http_port=8080))
        else:
            nodes.append(JavaTomcat(name, base / name, classes, cluster=cluster, namespace=namespace))
    outage = Outage(kind, switch, nodes, joined="Replication member added", patience=PATIENCE)
    try:
        outage.run()
        return {name: _verdict(check(outage)) for name, check in CHECKS.items()}
    except (AssertionError, OSError) as error:
        # A failed wait is a result here: members that never meet again, an answer that does not come.
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        return dict.fromkeys(CHECKS, f"not looked at: {text}")
    finally:
        outage.close()


def _verdict(found: str | None) -> str:
    return "-" if found is None else found or "holds"


def main() -> int:
    """Run, and print the table."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=list(KINDS))
    names = [f"{manager} {options}" for manager, options in CONFIGURATIONS]
    parser.add_argument("--configurations", nargs="*", choices=names, default=names[:3])
    parser.add_argument("--only", choices=("ours", "Java"), help="just one software")
    arguments = parser.parse_args()
    chosen = [each for each in CONFIGURATIONS if f"{each[0]} {each[1]}" in arguments.configurations]
    outcomes: dict[tuple[str, str, str], Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="faults-") as directory:
        base = Path(directory)
        classes = base / "classes"
        classes.mkdir()
        compile_probe(classes)
        for kind in arguments.kinds:
            for manager, options in chosen:
                for software in (arguments.only,) if arguments.only else ("ours", "Java"):
                    began = time.monotonic()
                    place = base / f"{software}{len(outcomes)}"
                    key = (kind, f"{manager} {options}", software)
                    outcomes[key] = run(software, kind, manager, options, place, classes)
                    held = sum(outcome == "holds" for outcome in outcomes[key].values())
                    log.info("%s, %s, %s: %d hold, %.0f s", *key, held, time.monotonic() - began)
    _print_table(outcomes)
    return 0


def _print_table(outcomes: dict[tuple[str, str, str], Outcome]) -> None:
    columns = list(dict.fromkeys((kind, configuration) for kind, configuration, _ in outcomes))
    print("| | " + " | ".join(f"{kind}, {configuration}" for kind, configuration in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    notes: list[str] = []
    for promise in CHECKS:
        cells = []
        for kind, configuration in columns:
            shown = []
            for software in ("ours", "Java"):
                outcome = outcomes.get((kind, configuration, software), {}).get(promise, "?")
                is_known = outcome in ("holds", "-", "?")
                shown.append(outcome if is_known else "?" if outcome.startswith("not looked at") else "no")
                if not is_known:
                    notes.append(f"- {software}, {kind}, {configuration}, {promise}: {outcome}")
            cells.append(" / ".join(shown))
        print(f"| {promise} | " + " | ".join(cells) + " |")
    print("\nours / Java. What was found where a promise does not hold:\n")
    print("\n".join(notes))


if __name__ == "__main__":
    sys.exit(main())
