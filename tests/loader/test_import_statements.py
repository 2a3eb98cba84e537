"""The names in the import statements of code."""

from __future__ import annotations

import sys
import types

import pytest

from catalina.loader.import_statements import code_of, modules_named


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("import a", {"a"}),
        ("import a.b.c as d", {"a", "a.b", "a.b.c"}),
        ("import a, b", {"a", "b"}),
        ("from a.b import c, d", {"a", "a.b", "a.b.c", "a.b.d"}),
        ("from a import *", {"a"}),
        ("from . import c", {"shop", "shop.web", "shop.web.c"}),
        ("from ..models import Cart", {"shop", "shop.models", "shop.models.Cart"}),
        ("from .... import beyond", set()),
        ("def f():\n    def g():\n        import a\n    return lambda: __import__('b')", {"a"}),
        ("class C:\n    def f(self):\n        from a import b", {"a", "a.b"}),
        ("x = 1, 2\nprint('import a', x)", set()),
        ("import a if x else b" if False else "if x:\n    import a\nelse:\n    import b", {"a", "b"}),
    ],
)
def test_every_statement_is_found_wherever_it_stands(source: str, named: set[str]) -> None:
    assert modules_named(compile(source, "<test>", "exec"), "shop.web") == named


def test_what_has_no_code_has_none() -> None:
    assert code_of(sys) is None
    assert code_of(types.ModuleType("made_by_hand")) is None
    found = code_of(types)
    assert found is not None
    assert found.co_filename.endswith("types.py")
