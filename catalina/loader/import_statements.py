"""Finds the modules that the import statements in a piece of code name, without running the code.

A module that is imported inside a function is not loaded before the function runs, but its name stands in the code.
"""

from __future__ import annotations

import dis
import importlib.util
from collections.abc import Iterator
from types import CodeType, ModuleType

__all__ = ["code_of", "modules_named"]


def code_of(module: ModuleType) -> CodeType | None:
    """The code of a loaded module, from its file; None when it has none (an extension module, a namespace)."""
    spec = getattr(module, "__spec__", None)
    get_code = getattr(getattr(spec, "loader", None), "get_code", None)
    if spec is None or get_code is None:
        return None
    try:
        code = get_code(spec.name)
    except (ImportError, SyntaxError, OSError, ValueError, MemoryError, RecursionError):
        return None  # the file has gone, or was replaced
    return code if isinstance(code, CodeType) else None


def modules_named(code: CodeType, package: str) -> set[str]:
    """Full names of the modules that an import statement anywhere in the code may load.

    Args:
        package: the base of relative imports, the module's ``__package__``.
    """
    found: set[str] = set()
    for level, name, members in _statements(code):
        try:
            base = importlib.util.resolve_name("." * level + name, package) if level else name
        except ImportError:  # the relative import leads beyond the top-level package
            continue
        parts = base.split(".")
        found.update(".".join(parts[:count]) for count in range(1, len(parts) + 1))
        found.update(f"{base}.{member}" for member in members)
    return found


def _statements(code: CodeType) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Level, name and members of each import statement: two constants stand before the instruction."""
    pending = [code]
    while pending:
        code = pending.pop()
        pending += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        constants: list[object] = [0, ()]
        for instruction in dis.get_instructions(code):
            if instruction.opname.startswith(("LOAD_CONST", "LOAD_SMALL_INT")):
                constants = [constants[-1], instruction.argval]
            elif instruction.opname == "IMPORT_NAME":
                level, members = constants
                yield (
                    level if isinstance(level, int) else 0,
                    instruction.argval,
                    tuple([name for name in members if name != "*"]) if isinstance(members, tuple) else (),
                )
