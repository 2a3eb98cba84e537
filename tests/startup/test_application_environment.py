"""The facts about a running application that ``catalina exec`` needs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from catalina.core.node_role import Elsewhere
from catalina.core.standard_context import StandardContext
from catalina.startup.application_environment import application_environment
from tests.deploy.archives import hello
from tests.startup.hosts import Base, running
from tests.support.stand_in import stand_in


def test_it_is_that_of_the_running_code(tmp_path: Path) -> None:
    base = Base(tmp_path, auto_deploy=False)
    (base.webapps / "shop").mkdir(parents=True)
    (base.webapps / "shop" / "wsgi.py").write_text(hello("one"))
    with running(base):
        context = base.context("/shop")
        assert context is not None
        found = application_environment(context)
        assert found is not None
        assert found["directory"] == str(base.webapps / "shop")
        assert found["python"] == sys.executable
        assert found["imports"] == [str(base.webapps / "shop")]
        context.stop()
        assert application_environment(context) is None


def test_the_keeper_asks_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def ask_all(*question: str) -> dict[int, Any]:
        asked.append(question)
        return {1: {"python": "/usr/bin/python3"}}

    monkeypatch.setattr(StandardContext, "elsewhere", stand_in(Elsewhere, ask_all=ask_all))
    assert application_environment(StandardContext(name="/shop")) == {"python": "/usr/bin/python3"}
    assert asked == [("environment", "//shop")]
