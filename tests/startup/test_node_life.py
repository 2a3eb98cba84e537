from __future__ import annotations

import os

from catalina.startup.node_life import NodeLife, Stage


def test_a_life_begins_with_the_start() -> None:
    assert NodeLife().stage is Stage.STARTING


def test_the_parent_sees_the_stage_that_its_child_wrote() -> None:
    life = NodeLife()
    child = os.fork()
    if child == 0:
        life.stage = Stage.SERVING
        os._exit(0)
    os.waitpid(child, 0)
    assert life.stage is Stage.SERVING
