from __future__ import annotations

import dataclasses

import pytest

from catalina.tribes.io.java import grammar


def test_codes_are_those_of_the_specification_in_order() -> None:
    codes = {name: code for name, code in vars(grammar).items() if name.startswith("TC_")}
    assert sorted(codes.values()) == list(range(0x70, 0x7F))
    assert codes["TC_NULL"] == 0x70
    assert codes["TC_ENUM"] == 0x7E


def test_limits_cannot_be_changed_for_everybody() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        grammar.DEFAULT_LIMITS.depth = 1  # type: ignore[misc]
