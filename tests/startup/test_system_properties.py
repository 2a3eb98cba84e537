from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalina.startup.system_properties import process_properties, process_remarks


def test_the_names_that_configuration_files_refer_to_are_there() -> None:
    properties = process_properties()
    assert properties["user.dir"] == str(Path.cwd())
    assert properties["os.name"] == os.uname().sysname
    assert properties["file.separator"] == "/"


def test_a_user_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert process_properties()["user.name"] == str(os.getuid())


def test_an_option_of_gunicorn_is_refused_with_the_setting_that_does_the_same() -> None:
    options = {"GUNICORN_CMD_ARGS": "--statsd-host=localhost:8125 --statsd-prefix shop --workers 4"}
    (finding,) = process_remarks({}, options)
    assert str(finding).startswith("environment: GUNICORN_CMD_ARGS='--statsd-host=localhost:8125")
    assert "instead of --statsd-host: the metrics of the manager application" in finding.text
    assert finding.text.endswith("instead of --workers: -Dcatalina.workers")


def test_a_process_without_options_of_gunicorn_has_no_remarks() -> None:
    assert list(process_remarks({}, {"GUNICORN_CMD_ARGS": ""})) == []
