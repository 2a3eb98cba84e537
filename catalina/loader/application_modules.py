"""A ``sys.modules`` that tells applications apart, in place only while a top-level name clashes.

Names that do not clash stay in the interpreter's own dict and cost nothing extra: ``import`` finds them there without
running Python code. A clashing name is *not* in that dict, so every import of it, even one made in C, goes through
``importlib`` to this mapping, which answers for the application that asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

from catalina.loader.asker import Asker
from catalina.loader.import_space import deciding_name

__all__ = ["ApplicationModules"]

_NOTHING: Any = object()


class ApplicationModules(dict[str, ModuleType]):
    """Modules by name as the asking application sees them.

    It is a ``dict`` only for code that checks the type. A name whose top-level part is in ``clashes`` is looked up in
    the table of the asking application or in ``environment``, every other name in ``plain``.

    Args:
        plain: the interpreter's own dict.
        asker: finds the application that asks.
    """

    def __init__(self, plain: dict[str, ModuleType], asker: Asker) -> None:
        super().__init__()
        self.plain = plain
        self.asker = asker
        self.clashes: set[str] = set()
        #: Modules of the container's environment under clashing names.
        self.environment: dict[str, ModuleType] = {}
        #: Clashing top-level names that the container's environment also has.
        self.in_environment: set[str] = set()

    def table_of(self, name: object) -> dict[str, ModuleType]:
        """The dict that holds ``name`` for the application that asks (the caller's caller)."""
        top = deciding_name(name) if isinstance(name, str) else name
        if top not in self.clashes:
            return self.plain
        space = self.asker.asks(top in self.in_environment, 3)
        if space is None or top not in space.claimed:
            return self.environment
        return space.modules

    def __getitem__(self, name: str) -> ModuleType:
        return self.table_of(name)[name]

    def __setitem__(self, name: str, module: ModuleType) -> None:
        table = self.table_of(name)
        table[name] = module
        if table is not self.plain:
            self.plain.pop(name, None)  # single-phase extension modules put themselves there
            parent, _, child = name.rpartition(".")
            if parent in table:
                # ``from . import half_loaded`` falls back to the interpreter's own dict, which lacks a clashing module.
                setattr(table[parent], child, module)

    def __delitem__(self, name: str) -> None:
        table = self.table_of(name)
        module = table.pop(name)
        parent, _, child = name.rpartition(".")
        if table is not self.plain and parent in table and getattr(table[parent], child, None) is module:
            delattr(table[parent], child)

    def __contains__(self, name: object) -> bool:
        return name in self.table_of(name)

    def get(self, name: str, default: object = None) -> Any:
        return self.table_of(name).get(name, default)

    def pop(self, name: str, default: object = _NOTHING) -> Any:
        table = self.table_of(name)
        return table.pop(name) if default is _NOTHING else table.pop(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        return self.table_of(name).setdefault(name, default)

    def _visible(self) -> dict[str, ModuleType]:
        visible = {**self.environment, **self.plain}
        space = self.asker.asks(False, 3)
        return visible if space is None else {**visible, **space.modules}

    def __iter__(self) -> Iterator[str]:
        return iter(self._visible())

    def __len__(self) -> int:
        return len(self._visible())

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return repr(self._visible())

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None

    def keys(self) -> Any:
        return self._visible().keys()

    def values(self) -> Any:
        return self._visible().values()

    def items(self) -> Any:
        return self._visible().items()

    def copy(self) -> dict[str, ModuleType]:
        return self._visible().copy()

    def update(self, *others: Any, **modules: Any) -> None:
        for name, module in dict(*others, **modules).items():
            self[name] = module

    def clear(self) -> None:
        raise TypeError("sys.modules is shared by all applications and cannot be cleared")

    def popitem(self) -> tuple[str, ModuleType]:
        raise TypeError("sys.modules is shared by all applications; pop a module by its name")
