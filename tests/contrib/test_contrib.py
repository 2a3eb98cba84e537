"""The package of the adapters."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from catalina import contrib


def test_an_adapter_is_looked_up_for_whoever_asks_and_is_no_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = ModuleType("catalina.contrib.none")
    setattr(contrib, "none", adapter)  # noqa: B010 - as importlib does behind an import
    assert "none" not in vars(contrib)
    with pytest.raises(AttributeError, match="has no attribute 'none'"):
        getattr(contrib, "none")  # noqa: B009
    monkeypatch.setitem(sys.modules, "catalina.contrib.none", adapter)
    assert getattr(contrib, "none") is adapter  # noqa: B009
