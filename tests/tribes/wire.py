"""Reads the captured bytes of tests/wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from catalina.tribes.member import Member

_FOLDER = Path(__file__).parent.parent / "wire"


def cases(name: str, layer: str | None = None) -> list[dict[str, Any]]:
    """The cases of one file, or those of one layer of it; there must be some."""
    found = json.loads((_FOLDER / f"{name}.json").read_text())["cases"]
    if layer is not None:
        found = [case for case in found if case["layer"] == layer]
    if not found:
        raise LookupError(f"no cases {name} {layer}")
    return list(found)


def member(fields: dict[str, Any]) -> Member:
    """A member from a case's fields: texts are hex."""
    values: dict[str, Any] = {
        name: bytes.fromhex(value) if isinstance(value, str) else value for name, value in fields.items()
    }
    return Member(**values)


def cut_all_ways(wire: bytes) -> list[list[bytes]]:
    """The bytes whole, one by one, and in two at each place."""
    return [
        [wire],
        [wire[at : at + 1] for at in range(len(wire))],
        *([wire[:at], wire[at:]] for at in range(1, len(wire), max(1, len(wire) // 50))),
    ]
