"""The keeper tells a process with a user of its own what it begins with."""

from __future__ import annotations

import json
import resource

import pytest

from catalina.errors import ProtocolError
from catalina.startup.pool_launch import PoolLaunch

LAUNCH = PoolLaunch(
    "Catalina/localhost//shop", "logger", "token", "daemon", 1, 1, (1, 2), 0o077, None,
    ((resource.RLIMIT_CORE, 0),), {"conf/server.xml": "<Server/>"}, {"a": "b"},
)  # fmt: skip


def test_a_launch_comes_back_from_json() -> None:
    assert PoolLaunch.heard(json.loads(json.dumps(LAUNCH.told()))) == LAUNCH


@pytest.mark.parametrize("told", [None, [], {}, {**LAUNCH.told(), "more": 1}])
def test_other_values_are_refused(told: object) -> None:
    with pytest.raises(ProtocolError, match="expected a launch"):
        PoolLaunch.heard(told)
