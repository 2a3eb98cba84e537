"""The common part of valves."""

from __future__ import annotations

import pytest

from catalina.core.standard_host import StandardHost
from catalina.valves.valve_base import ValveBase
from tests.valves.exchange import make_request


def test_a_valve_that_does_nothing_says_so() -> None:
    with pytest.raises(NotImplementedError, match="ValveBase does not override invoke"):
        ValveBase().invoke(*make_request())


def test_a_valve_names_its_container() -> None:
    host = StandardHost(name="localhost")
    valve = ValveBase()
    assert str(valve) == "ValveBase"
    host.add_valve(valve)
    assert str(valve) == "ValveBase[StandardHost[localhost]]"
    valve.background_process()  # nothing to do, and no error
