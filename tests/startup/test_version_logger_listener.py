from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from catalina.core.standard_server import StandardServer
from catalina.lifecycle import LifecycleEvent
from catalina.startup.version_logger_listener import VersionLoggerListener
from catalina.util.server_info import SERVER_INFO


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    monkeypatch.setattr("sys.argv", ["bootstrap", "-Dshop.db=x", "-Dshop.dbPassword=hidden"])
    monkeypatch.setenv("SHOP_TOKEN", "hidden")

    def lines(event: str = "before_init", **attributes: bool) -> list[str]:
        server = StandardServer()
        server.properties["shop.secret"] = "hidden"
        caplog.set_level(logging.INFO)
        VersionLoggerListener(**attributes)(LifecycleEvent(server, event))
        return [record.getMessage() for record in caplog.records]

    return lines


def test_the_lines_have_tomcats_labels_and_columns(lines: Any) -> None:
    found = lines()
    assert found[0] == f"Server version name:   {SERVER_INFO}"
    assert "Server version number: " in found[2]
    assert any(line.startswith("CATALINA_BASE:         /") for line in found)


def test_nothing_is_said_at_other_times(lines: Any) -> None:
    assert lines("after_init") == []


def test_the_command_line_is_shown_without_secrets(lines: Any) -> None:
    arguments = [line for line in lines() if line.startswith("Command line argument: ")]
    assert arguments == ["Command line argument: -Dshop.db=x", "Command line argument: -Dshop.dbPassword=***"]


def test_environment_and_properties_are_shown_only_when_asked_for_and_without_secrets(lines: Any) -> None:
    assert not any(line.startswith(("Environment", "System")) for line in lines())
    found = lines(log_env=True, log_props=True, log_args=False)
    assert "Environment variable:  SHOP_TOKEN = ***" in found
    assert "System property:       shop.secret = ***" in found
    assert "hidden" not in "".join(found[-len(found) // 2 :])
