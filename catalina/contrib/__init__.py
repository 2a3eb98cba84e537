"""Adapters: ``flask.session`` and ``request.session`` of web frameworks are the container's session.

Each module needs its framework and nothing else: ``catalina.contrib.flask``, ``.django``, ``.pyramid``, ``.starlette``,
``.beaker``. Every key is one attribute of the container's session, so deltas, changes inside values and merges work by
key. Outside the container the sessions are kept in the process, by the same rules.

An adapter belongs to the application whose framework it uses (``loader/import_space.py``): two applications with a
Flask of their own have an adapter each, so no adapter is an attribute of this package.
"""

from __future__ import annotations

import sys
from types import ModuleType


class _Adapters(ModuleType):
    """This package, which asks ``sys.modules`` for the adapter of the application that asks."""

    def __setattr__(self, name: str, value: object) -> None:
        if not isinstance(value, ModuleType):  # importlib sets the module as an attribute after an import
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> object:
        found = sys.modules.get(f"{__name__}.{name}")
        if found is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return found


sys.modules[__name__].__class__ = _Adapters
