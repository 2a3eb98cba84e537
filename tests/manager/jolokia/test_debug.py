"""The answers that are remembered for an operator who looks for a fault."""

from __future__ import annotations

import pytest

from catalina.manager.jolokia.debug import MAX_TEXT, Debug
from catalina.mbeans.audit import Caller
from catalina.mbeans.managed_bean import ManagedBean
from catalina.mbeans.object_name import ObjectName

CALLER = Caller("jolokia", "ops", "127.0.0.1")


@pytest.fixture
def debug() -> Debug:
    return Debug()


def test_nothing_is_remembered_before_it_is_switched_on_and_all_is_forgotten_after(debug):
    debug.note({"value": 1}, CALLER)
    debug.debug = True
    debug.note({"value": 2}, CALLER)
    assert debug.debug_info().endswith(': Response to [ops] at [127.0.0.1] over [jolokia]: {"value": 2}\n')
    debug.debug = False
    assert debug.debug_info() == ""
    debug.debug = True
    assert debug.debug_info() == ""


def test_the_latest_are_kept_each_with_a_limit(debug):
    debug.debug, debug.max_debug_entries = True, 2
    for value in ("a", "b", "x" * 10_000):
        debug.note({"value": value}, CALLER)
    first, second = debug.debug_info().splitlines()
    assert first.endswith('{"value": "b"}')
    assert len(second) < MAX_TEXT + 100
    debug.max_debug_entries = 0
    assert debug.debug_info() == ""
    debug.max_debug_entries = 5
    debug.note({}, CALLER)
    debug.reset_debug_info()
    assert debug.debug_info() == ""


def test_the_bean_has_jolokias_names(debug):
    bean = ManagedBean(debug, ObjectName("jolokia", {"type": "Config"}))
    assert {"Debug", "MaxDebugEntries"} <= set(bean.names())
    assert (bean.type_of("Debug"), bean.type_of("MaxDebugEntries")) == ("boolean", "int")
    assert bean.operation("debugInfo", 0).returns == "java.lang.String"
